-- Sums by day like those of step 5: time in view, by the edges of what was in view, in bands of 100 px from the page's top.

CREATE TABLE IF NOT EXISTS attention_daily$local $on_cluster
(
    site_id    LowCardinality(String),
    page_key   LowCardinality(String),
    day        Date,
    breakpoint Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    device     Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    is_test    Bool,
    band_px    UInt32,                                   -- upper edge of the band
    ended      UInt64 CODEC(T64, ZSTD(1)),               -- pageviews that got into it and no further
    in_view_ms UInt64 CODEC(T64, ZSTD(1)),               -- theirs, wherever it was spent
    edge_ms    Int64 CODEC(T64, ZSTD(1)),                -- of looks that begin in it, less that of looks that end in it
    edge_ms_px Int64 CODEC(T64, ZSTD(1)),                -- the same, each times the px that its edge is below the band's
    expires_on SimpleAggregateFunction(max, Date)
)
ENGINE = ${replicated}SummingMergeTree
PARTITION BY toYear(day)
ORDER BY (site_id, page_key, day, breakpoint, device, is_test, band_px)
TTL expires_on
SETTINGS default_compression_codec = 'ZSTD(1)';

CREATE MATERIALIZED VIEW IF NOT EXISTS attention_daily_of_pageviews$local $on_cluster TO attention_daily$local AS
WITH arrayJoin(arrayConcat(
    [(reached_px, 1, arraySum(seen_ms), toInt64(0))],
    arrayMap((y, ms) -> (y, 0, toUInt64(0), toInt64(ms)), seen_y_px, seen_ms),
    arrayMap((y, height, ms) -> (toUInt32(y + height), 0, toUInt64(0), -toInt64(ms)), seen_y_px, seen_height_px, seen_ms))) AS edge
SELECT site_id, page_key, day, breakpoint, device, is_test, expires_on,
  edge.1 - edge.1 % 100 AS band_px,
  edge.2 AS ended,
  edge.3 AS in_view_ms,
  edge.4 AS edge_ms,
  edge.4 * (edge.1 % 100) AS edge_ms_px
FROM pageviews$local;

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
