-- Sums by day, fed as rows are written. What deletes rows of answers first notes their days in `stale_days`: those days are
-- answered from the rows themselves until `clickhouse.rollups.refresh` has summed them up again.

CREATE TABLE IF NOT EXISTS stale_days$local $on_cluster
(
    site_id LowCardinality(String),
    day     Date
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY (site_id, day);

CREATE TABLE IF NOT EXISTS pages_daily$local $on_cluster
(
    site_id         LowCardinality(String),
    day             Date,
    page_key        LowCardinality(String),
    breakpoint      Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    device          Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    is_test         Bool,
    pageviews       UInt64,
    timed_pageviews UInt64,                             -- those with an on_page_ms
    timed_ms        UInt64,                             -- their sum
    clicks          UInt64,                             -- dead ones too
    dead_clicks     UInt64,
    rage_clicks     UInt64,                             -- bursts
    moves           UInt64,
    expires_on      SimpleAggregateFunction(max, Date)
)
ENGINE = ${replicated}SummingMergeTree
PARTITION BY toYear(day)
ORDER BY (site_id, day, page_key, breakpoint, device, is_test)
TTL expires_on;

CREATE MATERIALIZED VIEW IF NOT EXISTS pages_daily_of_interactions$local $on_cluster TO pages_daily$local AS
SELECT site_id, day, page_key, breakpoint, device, is_test,
  countIf(kind IN ('click', 'dead')) AS clicks,
  countIf(kind = 'dead') AS dead_clicks,
  countIf(kind = 'rage') AS rage_clicks,
  countIf(kind = 'move') AS moves,
  max(expires_on) AS expires_on
FROM interactions$local
GROUP BY site_id, day, page_key, breakpoint, device, is_test;

CREATE MATERIALIZED VIEW IF NOT EXISTS pages_daily_of_pageviews$local $on_cluster TO pages_daily$local AS
SELECT site_id, day, page_key, breakpoint, device, is_test,
  count() AS pageviews,
  countIf(on_page_ms > 0) AS timed_pageviews,
  ifNull(sum(on_page_ms), 0) AS timed_ms,
  max(expires_on) AS expires_on
FROM pageviews$local
GROUP BY site_id, day, page_key, breakpoint, device, is_test;

CREATE TABLE IF NOT EXISTS cells_daily$local $on_cluster
(
    site_id     LowCardinality(String),
    kind        Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4),
    page_key    LowCardinality(String),
    day         Date,
    breakpoint  Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    device      Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    is_test     Bool,
    is_origin   Bool,                                   -- at exactly (0, 0)
    fixed       Bool,
    cell_row    UInt32,                                 -- of 16 px
    cell_column UInt32,                                 -- a hundredth of the viewport's width
    count       UInt32,
    expires_on  SimpleAggregateFunction(max, Date)
)
ENGINE = ${replicated}SummingMergeTree
PARTITION BY toYear(day)
ORDER BY (site_id, kind, page_key, day, breakpoint, device, is_test, is_origin, fixed, cell_row, cell_column)
TTL expires_on;

CREATE MATERIALIZED VIEW IF NOT EXISTS cells_daily_of_interactions$local $on_cluster TO cells_daily$local AS
SELECT site_id, kind, page_key, day, breakpoint, device, is_test, x = 0 AND y = 0 AS is_origin, fixed,
  toUInt32(floor(y / 16)) AS cell_row,
  toUInt32(least(99, floor(x * 100. / viewport_width))) AS cell_column,
  toUInt32(count()) AS count,
  max(expires_on) AS expires_on
FROM interactions$local
GROUP BY site_id, kind, page_key, day, breakpoint, device, is_test, is_origin, fixed, cell_row, cell_column;
