SELECT *, count() OVER (PARTITION BY page) AS total_count
FROM (
  SELECT {p8:String} AS page, timestamp, row_id, url
  FROM interactions
  WHERE site_id = {p0:String}
    AND page_key IN {p1:Array(String)}
    AND day BETWEEN {p2:Date} AND {p3:Date}
    AND timestamp >= {p4:DateTime64(3, 'UTC')}
    AND timestamp < {p5:DateTime64(3, 'UTC')}
    AND kind IN ('click', 'dead')
    AND NOT (default_cell = 2047)
    AND (NOT fixed AND default_cell IN {p6:Array(UInt64)} OR fixed AND default_cell IN {p7:Array(UInt64)})
)
ORDER BY timestamp DESC, row_id
LIMIT {p9:UInt32}
-- p0 = 'site_golden'
-- p1 = ['https://example.com/']
-- p2 = datetime.date(2026, 11, 14)
-- p3 = datetime.date(2026, 11, 21)
-- p4 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p5 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p6 = [28729]
-- p7 = [2098]
-- p8 = 'https://example.com/'
-- p9 = 21

SELECT page_key, max(has_heat) AS has_heat
FROM pages
WHERE site_id = {p0:String}
  AND page_key IN {p1:Array(String)}
GROUP BY page_key
-- p0 = 'site_golden'
-- p1 = ['https://example.com/']

SELECT site_id, name, domains, plan, time_zone, retention_days, test_account_rules, replay_url_template, created_at, updated_at,
  site_id IN (SELECT site_id FROM element_marks FINAL WHERE is_fixed IS NOT NULL) AS has_fixed_marks,
  (SELECT groupUniqArrayMap(map(toString(stale_days.site_id), day)) FROM stale_days)[site_id] AS stale_days
FROM sites FINAL
WHERE site_id IN {p0:Array(String)}
ORDER BY site_id
-- p0 = ['site_golden']
