-- Sums by day like those of step 5: interactions that scroll with the page, by how high their viewport is.

CREATE TABLE IF NOT EXISTS folds_daily$local $on_cluster
(
    site_id         LowCardinality(String),
    page_key        LowCardinality(String),
    day             Date,
    breakpoint      Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    device          Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    is_test         Bool,
    kind            Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4),
    viewport_height UInt16,
    scrolling       UInt64,                              -- interactions that are neither fixed nor at (0, 0)
    scrolling_below UInt64,                              -- those further down than their viewport is high
    expires_on      SimpleAggregateFunction(max, Date)
)
ENGINE = ${replicated}SummingMergeTree
PARTITION BY toYear(day)
ORDER BY (site_id, page_key, day, breakpoint, device, is_test, kind, viewport_height)
TTL expires_on
SETTINGS default_compression_codec = 'ZSTD(1)';

CREATE MATERIALIZED VIEW IF NOT EXISTS folds_daily_of_interactions$local $on_cluster TO folds_daily$local AS
SELECT site_id, page_key, day, breakpoint, device, is_test, kind, viewport_height, expires_on,
  1 AS scrolling,
  y > viewport_height AS scrolling_below
FROM interactions$local
WHERE NOT fixed AND default_cell != 2047;

-- What was stored before is not in it: its days are noted, to be summed up, and gateways forget what they kept of which are.

INSERT INTO stale_days$stored (site_id, day)
SELECT site_id, day FROM interactions$stored
UNION DISTINCT
SELECT site_id, day FROM pageviews$stored;

INSERT INTO data_versions$stored (site_id, version)
SELECT site_id, rand64()
FROM (
  SELECT DISTINCT site_id FROM stale_days$stored
);
