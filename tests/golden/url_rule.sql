SELECT page, total, visitors, max_count, page_height, hidden_origin, hidden_test_accounts,
  remaining > {p0:UInt32} AS has_next, notEmpty(points) AS has_points,
  (counts[-1], points.2[-1], points.3[-1], points.4[-1]) AS last,
  toJSONString(arrayMap((count, fixed, cell_row, cell_column) -> CAST(tuple(cell_column * standard_width_px / cell_columns, cell_row * cell_height_px, count, count / population), 'Tuple(`x` Float64, `y` UInt64, `count` UInt64, `share` Float64)'), counts, points.2, points.3, points.4)) AS `points_points`
FROM (
  SELECT page,
    sum(count) AS total,
    0 AS visitors,
    0 AS page_height,
    0 AS hidden_origin,
    0 AS hidden_test_accounts,
    max(count) AS max_count,
    total AS population,
    countIf(true) AS remaining,
    arraySlice(arrayPartialSort({p0:UInt32}, groupArrayIf((-toInt64(count), fixed, cell_row, cell_column), true)), 1, {p0:UInt32}) AS points,
    arrayMap(negative -> toUInt64(-negative), points.1) AS counts,
    {p1:UInt32} AS standard_width_px,
    {p2:UInt32} AS cell_height_px,
    {p3:Float64} AS cell_columns
  FROM (
    SELECT '' AS page, fixed, toUInt32(floor(y / {p2:UInt32})) AS cell_row, toUInt32(least({p4:UInt32}, floor(x * {p3:Float64} / viewport_width))) AS cell_column,
      count() AS count
    FROM interactions
    WHERE site_id = {p5:String}
      AND day BETWEEN {p6:Date} AND {p7:Date}
      AND timestamp >= {p8:DateTime64(3, 'UTC')}
      AND timestamp < {p9:DateTime64(3, 'UTC')}
      AND match(url, {p10:String})
      AND device IN {p11:Array(String)}
      AND country IN {p12:Array(String)}
      AND viewport_width >= {p13:Int64}
      AND viewport_width <= {p14:Int64}
      AND session_id IN (SELECT session_id FROM sessions FINAL WHERE site_id = {p5:String} AND path(entry_page) = {p15:String})
      AND session_id IN (SELECT session_id FROM events WHERE site_id = {p5:String} AND name = {p16:String} GROUP BY session_id HAVING count() >= {p17:UInt32})
      AND kind IN ('move')
      AND NOT (x = 0 AND y = 0)
    GROUP BY page, fixed, cell_row, cell_column
  )
  GROUP BY page
)
-- p0 = 500
-- p1 = 375
-- p10 = '(?s)^https://.+\\.com/.+$'
-- p11 = ['MOBILE']
-- p12 = ['AT', 'DE']
-- p13 = 320
-- p14 = 480
-- p15 = '/'
-- p16 = 'signup'
-- p17 = 1
-- p2 = 20
-- p3 = 18.75
-- p4 = 18
-- p5 = 'site_golden'
-- p6 = datetime.date(2026, 9, 30)
-- p7 = datetime.date(2026, 10, 31)
-- p8 = datetime.datetime(2026, 9, 30, 22, 0, tzinfo=datetime.timezone.utc)
-- p9 = datetime.datetime(2026, 10, 31, 23, 0, tzinfo=datetime.timezone.utc)

SELECT site_id, name, domains, plan, time_zone, retention_days, test_account_rules, replay_url_template, created_at,
  site_id IN (SELECT site_id FROM element_marks FINAL WHERE is_fixed IS NOT NULL AND NOT deleted) AS has_fixed_marks,
  arraySort(arrayMap(noted -> noted.2, arrayFilter(noted -> noted.1 = site_id,
    (SELECT groupUniqArray((toString(stale_days.site_id), day)) FROM stale_days)))) AS stale_days
FROM sites FINAL
WHERE site_id IN {p0:Array(String)}
ORDER BY site_id
-- p0 = ['site_golden']
