-- Sites, API keys, cohorts and element marks: small tables, one current row per key, read with FINAL.

CREATE TABLE IF NOT EXISTS sites$local $on_cluster
(
    site_id             String,
    name                String,
    domains             Array(String),
    plan                Enum8('FREE' = 1, 'PRO' = 2, 'BUSINESS' = 3, 'ENTERPRISE' = 4),
    time_zone           String,
    retention_days      UInt16,
    test_account_rules  Array(String),     -- wildcards on the visitor id, read at query time
    replay_url_template String,
    created_at          DateTime64(3, 'UTC'),
    updated_at          DateTime64(3, 'UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(updated_at)
ORDER BY site_id;

CREATE TABLE IF NOT EXISTS api_keys$local $on_cluster
(
    key_id     String,
    token_hash String,                     -- HMAC-SHA256 of the token; the token itself is never stored
    name       String,
    scopes     Array(String),
    site_ids   Array(String),              -- ['*'] is every site
    created_at DateTime64(3, 'UTC'),
    expires_at Nullable(DateTime64(3, 'UTC')),
    revoked    Bool,
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(updated_at)
ORDER BY key_id;

CREATE TABLE IF NOT EXISTS cohorts$local $on_cluster
(
    site_id    String,
    cohort_id  String,
    name       String,
    created_at DateTime64(3, 'UTC'),
    deleted    Bool,
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(updated_at)
ORDER BY (site_id, cohort_id);

CREATE TABLE IF NOT EXISTS cohort_members$local $on_cluster
(
    site_id    LowCardinality(String),
    cohort_id  LowCardinality(String),
    visitor_id UInt64                      -- cityHash64 of the visitor's id as sent
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY (site_id, cohort_id, visitor_id);

CREATE TABLE IF NOT EXISTS element_marks$local $on_cluster
(
    site_id    String,
    page_key   String,
    selector   String,
    name       String,
    is_cta     Bool,
    is_fixed   Nullable(Bool),             -- null: as the tracker said
    deleted    Bool,
    updated_by String,                     -- key id
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(updated_at)
ORDER BY (site_id, page_key, selector);
