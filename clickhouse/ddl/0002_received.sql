-- Rows as they were sent, the truth from which every other table is derived, kept in session order.

CREATE TABLE IF NOT EXISTS received$local $on_cluster
(
    site_id         LowCardinality(String),
    day             Date,                              -- UTC day of `timestamp`
    session_id      UInt64,                            -- cityHash64(session_key)
    row_id          UInt64,                            -- hash of the eventId, else of the whole row: two equal rows are one
    type            Enum8('pageview' = 1, 'click' = 2, 'dead' = 3, 'rage' = 4, 'move' = 5, 'scroll' = 6, 'attention' = 7, 'event' = 8, 'element' = 9),
    timestamp       DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    session_key     String CODEC(ZSTD(1)),
    visitor_key     String CODEC(ZSTD(1)),
    visitor_id      UInt64 CODEC(ZSTD(1)),             -- cityHash64(visitor_key)
    url             String CODEC(ZSTD(1)),             -- as received
    page_key        String CODEC(ZSTD(1)),
    pageview_key    String CODEC(ZSTD(1)),             -- pageviewId, '' when not sent
    x               Nullable(Float64) CODEC(ZSTD(1)),  -- CSS px
    y               Nullable(Float64) CODEC(ZSTD(1)),  -- CSS px
    width           Nullable(Float64) CODEC(ZSTD(1)),
    height          Nullable(Float64) CODEC(ZSTD(1)),
    viewport_width  UInt16 CODEC(ZSTD(1)),             -- 0 when not sent
    viewport_height UInt16 CODEC(ZSTD(1)),
    page_height     UInt32 CODEC(ZSTD(1)),
    fixed           Bool CODEC(ZSTD(1)),
    interactive     Nullable(Bool) CODEC(ZSTD(1)),
    selector        String CODEC(ZSTD(1)),
    tag             String CODEC(ZSTD(1)),
    text            String CODEC(ZSTD(1)),
    href            String CODEC(ZSTD(1)),
    scroll_y        Nullable(Float64) CODEC(ZSTD(1)),
    seconds         Nullable(Float64) CODEC(ZSTD(1)),
    count           Nullable(UInt32) CODEC(ZSTD(1)),   -- clicks of a labelled rage burst
    name            String CODEC(ZSTD(1)),             -- of an event
    conversion      Bool CODEC(ZSTD(1)),
    value           Nullable(Float64) CODEC(ZSTD(1)),
    currency        LowCardinality(String),
    device          Enum8('' = 0, 'DESKTOP' = 1, 'TABLET' = 2, 'MOBILE' = 3) CODEC(ZSTD(1)),
    browser         LowCardinality(String),
    country         LowCardinality(String),
    region          LowCardinality(String),
    referrer        String CODEC(ZSTD(1)),
    traffic_source  LowCardinality(String),
    campaign        LowCardinality(String),
    variant         LowCardinality(String),
    entry_url       String CODEC(ZSTD(1)),             -- entryPage as sent
    is_test         Nullable(Bool) CODEC(ZSTD(1)),
    sample_rate     Float32 CODEC(ZSTD(1)),            -- percent of sessions tracked, 100 when not sent
    properties      Map(String, String) CODEC(ZSTD(1)),-- unknown keys, raw JSON values
    expires_on      Date CODEC(ZSTD(1))
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (site_id, day, session_id, row_id)
TTL expires_on;

CREATE TABLE IF NOT EXISTS touched_sessions$local $on_cluster
(
    site_id    LowCardinality(String),
    session_id UInt64,
    visitor_id UInt64,
    day        Date                        -- a UTC day on which the session has rows
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY (site_id, session_id, day);
