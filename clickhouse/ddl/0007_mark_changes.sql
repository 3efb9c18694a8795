-- What people said about elements, one row a change: the mark as it was from then on. Only added to.

CREATE TABLE IF NOT EXISTS mark_changes$local $on_cluster
(
    site_id    String,
    page_key   String,
    selector   String,
    name       String,
    is_cta     Bool,
    is_fixed   Nullable(Bool),
    deleted    Bool,
    updated_by String,                     -- key id
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ${replicated}MergeTree
ORDER BY (site_id, page_key, selector, updated_at);
