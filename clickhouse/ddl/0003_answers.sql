-- What questions are answered from: derived from `received`, one session at a time, and replaced as a whole when late rows arrive.

CREATE TABLE IF NOT EXISTS interactions$local $on_cluster
(
    site_id           LowCardinality(String),
    kind              Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4),   -- a dead click is a click too; a rage burst is none
    page_key          LowCardinality(String),
    day               Date,
    viewport_width    UInt16 CODEC(LZ4),
    visitor_id        UInt64 CODEC(LZ4),
    timestamp         DateTime64(3, 'UTC') CODEC(T64, LZ4),
    session_id        UInt64 CODEC(LZ4),
    tie               UInt32,                         -- 0, 1, … among the rows of a session that share a millisecond
    row_id            UInt64 ALIAS cityHash64(session_id, kind, tie), -- tells rows that share a timestamp apart
    viewport_height   UInt16,
    page_height       UInt32,
    x                 Float64,
    y                 Float64,
    default_cell      UInt32 DEFAULT $default_cell CODEC(T64, LZ4), -- of the default grid; column 2047: at exactly (0, 0)
    fixed             Bool,
    clicks            UInt32,                         -- clicks of a rage burst, else 1
    labelled          Bool,                           -- a rage burst the tracker itself labelled, not derived from clicks
    selector          LowCardinality(String),
    tag               LowCardinality(String),
    text              LowCardinality(String),
    href              LowCardinality(String),
    since_pageview_ms Int64 CODEC(T64, LZ4),          -- -1 when the pageview is unknown
    breakpoint        Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    device            Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    country           LowCardinality(String),
    region            LowCardinality(String),
    browser           LowCardinality(String),
    traffic_source    LowCardinality(String),
    campaign          LowCardinality(String),
    variant           LowCardinality(String),
    entry_page        LowCardinality(String),
    is_test           Bool,
    sample_rate       Float32,
    url_rest          LowCardinality(String),         -- what the URL as received has after its page key; else the whole URL
    url               String ALIAS if(startsWith(url_rest, 'http'), url_rest, concat(page_key, url_rest)),
    expires_on        Date
)
ENGINE = ${replicated}MergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (site_id, kind, page_key, day, viewport_width, visitor_id, timestamp)
TTL expires_on
SETTINGS default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS pageviews$local $on_cluster
(
    site_id            LowCardinality(String),
    page_key           LowCardinality(String),
    day                Date,
    viewport_width     UInt16 CODEC(LZ4),
    visitor_id         UInt64 CODEC(LZ4),
    timestamp          DateTime64(3, 'UTC') CODEC(T64, LZ4),
    session_id         UInt64 CODEC(LZ4),
    viewport_height    UInt16,
    page_height        UInt32,
    reached_px         UInt32 CODEC(T64, ZSTD(1)),    -- deepest bottom edge of the viewport, at least its own height
    reached_ppt        UInt64 CODEC(T64, ZSTD(1)),    -- the same as a share of the page's height, in 1e-12, at most 1e12
    seen_y_px          Array(UInt32),                 -- attention: top edges of the viewport …
    seen_height_px     Array(UInt32),                 -- … its heights …
    seen_ms            Array(UInt32),                 -- … and the time spent there
    on_page_ms         Nullable(UInt32) CODEC(T64, ZSTD(1)), -- until the session's next pageview, else its last row; null when neither is later
    session_pageviews  UInt32,
    breakpoint         Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    device             Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    country            LowCardinality(String),
    region             LowCardinality(String),
    browser            LowCardinality(String),
    traffic_source     LowCardinality(String),
    campaign           LowCardinality(String),
    variant            LowCardinality(String),
    entry_page         LowCardinality(String),
    is_test            Bool,
    sample_rate        Float32,
    url_rest           LowCardinality(String),
    url                String ALIAS if(startsWith(url_rest, 'http'), url_rest, concat(page_key, url_rest)),
    expires_on         Date
)
ENGINE = ${replicated}MergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (site_id, page_key, day, viewport_width, visitor_id, timestamp)
TTL expires_on
SETTINGS default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS events$local $on_cluster
(
    site_id    LowCardinality(String),
    name       LowCardinality(String),
    day        Date,
    session_id UInt64,
    visitor_id UInt64,
    timestamp  DateTime64(3, 'UTC'),
    page_key   LowCardinality(String),
    conversion Bool,                                  -- conversion: true, or a value was sent
    value      Nullable(Float64),
    currency   LowCardinality(String),
    properties Map(String, String),
    expires_on Date
)
ENGINE = ${replicated}MergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (site_id, name, day, session_id, timestamp)
TTL expires_on
SETTINGS default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS sessions$local $on_cluster
(
    site_id        LowCardinality(String),
    session_id     UInt64,
    session_key    String,
    visitor_id     UInt64,
    started_at     DateTime64(3, 'UTC'),
    ended_at       DateTime64(3, 'UTC'),
    entry_url      String,
    entry_page     LowCardinality(String),
    breakpoint     Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    device         Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    country        LowCardinality(String),
    region         LowCardinality(String),
    browser        LowCardinality(String),
    traffic_source LowCardinality(String),
    campaign       LowCardinality(String),
    variant        LowCardinality(String),
    is_test        Bool,
    pageviews      UInt32,
    pages          UInt32,
    clicks         UInt32,
    rage_clicks    UInt32,
    dead_clicks    UInt32,
    derived_at     DateTime64(3, 'UTC'),
    expires_on     Date
)
ENGINE = ${replicated}ReplacingMergeTree(derived_at)
ORDER BY (site_id, session_id)
TTL expires_on
SETTINGS index_granularity = 128, -- a few sessions are read at a time
  min_compress_block_size = 8192, max_compress_block_size = 8192, default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS elements$local $on_cluster
(
    site_id        LowCardinality(String),
    page_key       LowCardinality(String),
    selector       String,
    breakpoint     Enum8('DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    timestamp      DateTime64(3, 'UTC'),
    version        UInt64,                            -- orders equal timestamps
    session_id     UInt64,                            -- that told it
    tag            String,
    text           String,
    href           String,
    x              Float64,
    y              Float64,
    width          Float64,
    height         Float64,
    viewport_width UInt16,
    fixed          Bool,
    expires_on     Date
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (site_id, page_key, selector, breakpoint)
TTL expires_on
SETTINGS default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS pages$local $on_cluster
(
    site_id    LowCardinality(String),
    page_key   String,
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen  SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    has_heat   SimpleAggregateFunction(max, UInt8)    -- an interaction, scroll or attention row was ever received
)
ENGINE = ${replicated}AggregatingMergeTree
ORDER BY (site_id, page_key);
