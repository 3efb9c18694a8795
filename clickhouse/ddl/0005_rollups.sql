-- Sums by day, fed as rows are written; where rows hardly have their keys in common, adding them up is left to the table, which does
-- it at half the cost of a GROUP BY. What deletes rows of answers first notes their days in `stale_days`: those days are
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
SELECT site_id, page_key, day, breakpoint, device, is_test, reached_px, reached_ppt, expires_on,
  1 AS pageviews
FROM pageviews$local;

CREATE TABLE IF NOT EXISTS elements_daily$local $on_cluster
(
    site_id          LowCardinality(String),
    page_key         LowCardinality(String),
    day              Date,
    breakpoint       Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    device           Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    is_test          Bool,
    selector         LowCardinality(String),             -- '' for clicks on no element
    clicks           UInt64,                             -- dead ones too
    dead_clicks      UInt64,
    rage_clicks      UInt64,                             -- bursts
    waits            UInt64,                             -- clicks whose pageview is known
    waited_ms        Int64,                              -- the sum of their times since it
    placed_clicks    UInt64,                             -- those not at (0, 0)
    placed_below     UInt64,                             -- and further down than their viewport is high
    scrolling_clicks UInt64,                             -- placed ones that scroll with the page
    scrolling_below  UInt64,
    expires_on       SimpleAggregateFunction(max, Date)
)
ENGINE = ${replicated}SummingMergeTree
PARTITION BY toYear(day)
ORDER BY (site_id, page_key, day, breakpoint, device, is_test, selector)
TTL expires_on
SETTINGS default_compression_codec = 'ZSTD(1)';

CREATE MATERIALIZED VIEW IF NOT EXISTS elements_daily_of_interactions$local $on_cluster TO elements_daily$local AS
SELECT site_id, page_key, day, breakpoint, device, is_test, selector, expires_on,
  kind != 'rage' AS clicks,
  kind = 'dead' AS dead_clicks,
  kind = 'rage' AS rage_clicks,
  kind != 'rage' AND since_pageview_ms >= 0 AS waits,
  if(waits, since_pageview_ms, 0) AS waited_ms,
  kind != 'rage' AND default_cell != 2047 AS placed_clicks,
  placed_clicks AND y > viewport_height AS placed_below,
  placed_clicks AND NOT fixed AS scrolling_clicks,
  placed_below AND NOT fixed AS scrolling_below
FROM interactions$local
WHERE kind != 'move';
