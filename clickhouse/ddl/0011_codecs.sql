-- Depths repeat, so that keeping whole numbers beats turning their bits around; waited times do not. What is stored is written anew when
-- its parts merge.

ALTER TABLE pageviews$local $on_cluster
    MODIFY COLUMN reached_ppt CODEC(ZSTD(1));

ALTER TABLE depths_daily$local $on_cluster
    MODIFY COLUMN reached_ppt CODEC(ZSTD(1));

ALTER TABLE elements_daily$local $on_cluster
    MODIFY COLUMN waited_ms CODEC(T64, ZSTD(1));
