-- What was stored before there were rollups is in none: its days are noted, to be summed up.

INSERT INTO stale_days$stored (site_id, day)
SELECT site_id, day FROM interactions$stored
UNION DISTINCT
SELECT site_id, day FROM pageviews$stored;
