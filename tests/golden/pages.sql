SELECT *, ifNull(toFloat64(100 * (0.6 * if(sessions = 0, NULL, least((rage_sessions / sessions), greatest(0., ((rage_sessions / sessions) + 1.959963984540054 * 1.959963984540054 / (2 * sessions) - 1.959963984540054 * sqrt((rage_sessions / sessions) * (1 - (rage_sessions / sessions)) / sessions + 1.959963984540054 * 1.959963984540054 / (4 * sessions * sessions))) / (1 + 1.959963984540054 * 1.959963984540054 / sessions)))) + 0.4 * if(sessions = 0, NULL, least((dead_sessions / sessions), greatest(0., ((dead_sessions / sessions) + 1.959963984540054 * 1.959963984540054 / (2 * sessions) - 1.959963984540054 * sqrt((dead_sessions / sessions) * (1 - (dead_sessions / sessions)) / sessions + 1.959963984540054 * 1.959963984540054 / (4 * sessions * sessions))) / (1 + 1.959963984540054 * 1.959963984540054 / sessions)))))), -1.) AS sort_value
FROM (
  SELECT row_page AS page,
    countIf(kind IN ('click', 'dead')) AS clicks,
    countIf(kind = 'rage') AS rage_clicks,
    uniqExactIf(session_id, kind = 'rage') AS rage_sessions,
    uniqExactIf(session_id, kind = 'dead') AS dead_sessions,
    uniqExact(session_id) AS sessions
  FROM (
    SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, kind::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms
    FROM interactions
    WHERE site_id = {p1:String}
      AND day BETWEEN {p2:Date} AND {p3:Date}
      AND positionCaseInsensitiveUTF8(page_key, {p0:String}) > 0
    UNION ALL
    SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, 'pageview'::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, session_pageviews, on_page_ms
    FROM pageviews
    WHERE site_id = {p1:String}
      AND day BETWEEN {p2:Date} AND {p3:Date}
      AND positionCaseInsensitiveUTF8(page_key, {p0:String}) > 0
  )
  GROUP BY row_page
)
ORDER BY sort_value DESC, page
LIMIT {p4:UInt32}
-- p0 = 'Pri'
-- p1 = 'site_golden'
-- p2 = datetime.date(2026, 11, 1)
-- p3 = datetime.date(2026, 11, 20)
-- p4 = 26

SELECT site_id, name, domains, plan, time_zone, retention_days, test_account_rules, replay_url_template, created_at, updated_at,
  site_id IN (SELECT site_id FROM element_marks FINAL WHERE is_fixed IS NOT NULL) AS has_fixed_marks,
  (SELECT groupUniqArrayMap(map(toString(stale_days.site_id), day)) FROM stale_days)[site_id] AS stale_days
FROM sites FINAL
WHERE site_id IN {p0:Array(String)}
ORDER BY site_id
-- p0 = ['site_golden']
