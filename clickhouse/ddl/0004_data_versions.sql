-- Whether anything of a site changed: every change adds a random number, and the sum is the version; no clock is needed.

CREATE TABLE IF NOT EXISTS data_versions$local $on_cluster
(
    site_id String,
    version UInt64
)
ENGINE = ${replicated}SummingMergeTree
ORDER BY site_id;
