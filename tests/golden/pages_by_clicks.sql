SELECT page_key AS page,
  sum(clicks) AS clicks,
  sum(pageviews) AS pageviews
FROM pages_daily
WHERE site_id = {p0:String}
  AND day BETWEEN {p1:Date} AND {p2:Date}
GROUP BY page_key
ORDER BY 2 DESC, 1
LIMIT {p3:UInt32}
-- p0 = 'site_golden'
-- p1 = datetime.date(2026, 11, 1)
-- p2 = datetime.date(2026, 11, 20)
-- p3 = 26

SELECT site_id, name, domains, plan, time_zone, retention_days, test_account_rules, replay_url_template, created_at, updated_at,
  site_id IN (SELECT site_id FROM element_marks FINAL WHERE is_fixed IS NOT NULL) AS has_fixed_marks,
  (SELECT groupUniqArrayMap(map(toString(stale_days.site_id), day)) FROM stale_days)[site_id] AS stale_days
FROM sites FINAL
WHERE site_id IN {p0:Array(String)}
ORDER BY site_id
-- p0 = ['site_golden']
