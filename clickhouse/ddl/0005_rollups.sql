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

CREATE TABLE IF NOT EXISTS depths_daily$local $on_cluster
(
    site_id     LowCardinality(String),
    page_key    LowCardinality(String),
    day         Date,
    breakpoint  Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    device      Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    is_test     Bool,
    reached_px  UInt32,
    reached_ppt UInt64 CODEC(T64, ZSTD(1)),
    pageviews   UInt64,                                 -- that got so far and no further
    expires_on  SimpleAggregateFunction(max, Date)
)
ENGINE = ${replicated}SummingMergeTree
PARTITION BY toYear(day)
ORDER BY (site_id, page_key, day, breakpoint, device, is_test, reached_px, reached_ppt)
TTL expires_on
SETTINGS default_compression_codec = 'ZSTD(1)';

CREATE MATERIALIZED VIEW IF NOT EXISTS depths_daily_of_pageviews$local $on_cluster TO depths_daily$local AS
SELECT site_id, page_key, day, breakpoint, device, is_test, reached_px, reached_ppt,
  count() AS pageviews,
  max(expires_on) AS expires_on
FROM pageviews$local
GROUP BY site_id, page_key, day, breakpoint, device, is_test, reached_px, reached_ppt;
