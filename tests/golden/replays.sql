SELECT *
FROM (
  SELECT page, session_id, started_at, toInt64(10 * least(rage_clicks, 5) + 4 * least(dead_clicks, 5) + 1 * least(intDiv(dateDiff('millisecond', started_at, ended_at), 60000), 10) + 20 * (rage_clicks + dead_clicks > 0 AND conversions = 0)) AS sort_value, count() OVER (PARTITION BY page) AS total_count
  FROM (
    SELECT '' AS page, session_id, started_at, ended_at, rage_clicks, dead_clicks, conversions
    FROM sessions FINAL
    WHERE site_id = {p0:String}
      AND started_at < {p1:DateTime64(3, 'UTC')}
      AND ended_at >= {p2:DateTime64(3, 'UTC')}
      AND rage_clicks >= {p3:UInt64}
      AND dateDiff('millisecond', started_at, ended_at) >= {p4:UInt64}
      AND session_id IN (SELECT session_id FROM pageviews WHERE site_id = {p0:String} AND day BETWEEN {p5:Date} AND {p6:Date} AND timestamp >= {p7:DateTime64(3, 'UTC')} AND timestamp < {p8:DateTime64(3, 'UTC')} AND path(page_key) = {p9:String})
      AND session_id IN (SELECT session_id FROM events WHERE site_id = {p0:String} AND name = {p10:String} GROUP BY session_id HAVING count() >= {p11:UInt32})
      AND (
      session_id IN (
        SELECT session_id
        FROM interactions
        WHERE site_id = {p0:String}
          AND day BETWEEN {p12:Date} AND {p13:Date}
          AND timestamp >= {p2:DateTime64(3, 'UTC')}
          AND timestamp < {p1:DateTime64(3, 'UTC')}
      )
      OR session_id IN (
        SELECT session_id
        FROM pageviews
        WHERE site_id = {p0:String}
          AND day BETWEEN {p12:Date} AND {p13:Date}
          AND timestamp >= {p2:DateTime64(3, 'UTC')}
          AND timestamp < {p1:DateTime64(3, 'UTC')}
      )
    )
  )
)
ORDER BY page, (-sort_value, -toUnixTimestamp64Milli(started_at), session_id)
LIMIT {p14:UInt32} BY page
-- p0 = 'site_golden'
-- p1 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p10 = 'signup'
-- p11 = 1
-- p12 = datetime.date(2026, 10, 22)
-- p13 = datetime.date(2026, 11, 21)
-- p14 = 6
-- p2 = datetime.datetime(2026, 10, 22, 12, 0, tzinfo=datetime.timezone.utc)
-- p3 = 1
-- p4 = 10000
-- p5 = datetime.date(2026, 10, 21)
-- p6 = datetime.date(2026, 11, 22)
-- p7 = datetime.datetime(2026, 10, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p8 = datetime.datetime(2026, 11, 22, 12, 0, tzinfo=datetime.timezone.utc)
-- p9 = '/pricing'

SELECT *
FROM (
  SELECT page, session_id, started_at, toInt64(toUnixTimestamp64Milli(started_at)) AS sort_value, count() OVER (PARTITION BY page) AS total_count
  FROM (
    SELECT {p3:String} AS page, session_id, started_at, ended_at, rage_clicks, dead_clicks, conversions
    FROM sessions FINAL
    WHERE site_id = {p0:String}
      AND started_at < {p1:DateTime64(3, 'UTC')}
      AND ended_at >= {p2:DateTime64(3, 'UTC')}
      AND (
      session_id IN (
        SELECT session_id
        FROM interactions
        WHERE site_id = {p0:String}
          AND page_key IN {p4:Array(String)}
          AND day BETWEEN {p5:Date} AND {p6:Date}
          AND timestamp >= {p2:DateTime64(3, 'UTC')}
          AND timestamp < {p1:DateTime64(3, 'UTC')}
      )
      OR session_id IN (
        SELECT session_id
        FROM pageviews
        WHERE site_id = {p0:String}
          AND page_key IN {p4:Array(String)}
          AND day BETWEEN {p5:Date} AND {p6:Date}
          AND timestamp >= {p2:DateTime64(3, 'UTC')}
          AND timestamp < {p1:DateTime64(3, 'UTC')}
      )
    )
  )
)
ORDER BY page, (sort_value, -toUnixTimestamp64Milli(started_at), session_id)
LIMIT {p7:UInt32} BY page
-- p0 = 'site_golden'
-- p1 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p2 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p3 = 'https://example.com/'
-- p4 = ['https://example.com/']
-- p5 = datetime.date(2026, 11, 14)
-- p6 = datetime.date(2026, 11, 21)
-- p7 = 11

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
