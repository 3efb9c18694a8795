-- Rows as they were sent, the truth from which every other table is derived, kept in session order.

CREATE TABLE IF NOT EXISTS received$local $on_cluster
(
    site_id         LowCardinality(String),
    day             Date,                              -- UTC day of `timestamp`
    session_id      UInt64,                            -- cityHash64 of the sessionId, which `sessions` holds
    event_id        UInt64,                            -- hash of the eventId, 0 when not sent
    type            Enum8('pageview' = 1, 'click' = 2, 'dead' = 3, 'rage' = 4, 'move' = 5, 'scroll' = 6, 'attention' = 7, 'event' = 8, 'element' = 9),
    timestamp       DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    visitor_id      UInt64,                            -- cityHash64 of the visitorId, which `visitors` holds
    page_key        LowCardinality(String),
    url_rest        LowCardinality(String),            -- what the URL as received has after its page key; else the whole URL
    url             String ALIAS if(startsWith(url_rest, 'http'), url_rest, concat(page_key, url_rest)),
    pageview_key    String,                            -- pageviewId, '' when not sent
    x               Nullable(Float64) CODEC(ZSTD(5)),  -- CSS px
    y               Nullable(Float64) CODEC(ZSTD(5)),  -- CSS px
    width           Nullable(Float64),
    height          Nullable(Float64),
    viewport_width  UInt16,                            -- 0 when not sent
    viewport_height UInt16,
    page_height     UInt32,
    fixed           Bool,
    interactive     Nullable(Bool),
    selector        LowCardinality(String),
    tag             LowCardinality(String),
    text            LowCardinality(String),
    href            LowCardinality(String),
    scroll_y        Nullable(Float64) CODEC(ZSTD(5)),
    seconds         Nullable(Float64),
    count           Nullable(UInt32),                  -- clicks of a labelled rage burst
    name            LowCardinality(String),            -- of an event
    conversion      Bool,
    value           Nullable(Float64),
    currency        LowCardinality(String),
    device          Enum8('' = 0, 'DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3),
    browser         LowCardinality(String),
    country         LowCardinality(String),
    region          LowCardinality(String),
    referrer        LowCardinality(String),
    traffic_source  LowCardinality(String),
    campaign        LowCardinality(String),
    variant         LowCardinality(String),
    entry_url       String,                            -- entryPage as sent
    is_test         Nullable(Bool),
    sample_rate     Float32,                           -- percent of sessions tracked, 100 when not sent
    properties      Map(String, String),               -- unknown keys, raw JSON values
    expires_on      Date
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(day)
PRIMARY KEY (site_id, day, session_id)
ORDER BY (site_id, day, session_id, timestamp, $row_id)   -- row_id: the event_id, else the hash of the whole row; two equal rows are one
TTL expires_on
SETTINGS default_compression_codec = 'ZSTD(1)';

CREATE TABLE IF NOT EXISTS touched_sessions$local $on_cluster
(
    site_id     LowCardinality(String),
    session_id  UInt64,
    visitor_id  UInt64,
    day         Date,                      -- a UTC day on which the session has rows
    session_key String                     -- the sessionId; '' when `sessions` holds it already
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY (site_id, session_id, day, session_key);

CREATE TABLE IF NOT EXISTS visitors$local $on_cluster
(
    site_id     LowCardinality(String),
    visitor_id  UInt64,                    -- cityHash64(visitor_key)
    visitor_key String,                    -- the visitorId
    day         Date,                      -- the last one with rows
    expires_on  Date
)
ENGINE = ${replicated}ReplacingMergeTree(day)
ORDER BY (site_id, visitor_id)
TTL expires_on
SETTINGS index_granularity = 128, -- a few visitors are read at a time
  min_compress_block_size = 8192, max_compress_block_size = 8192, default_compression_codec = 'ZSTD(1)';
