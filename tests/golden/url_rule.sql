SELECT page,
  any(total) AS total,
  any(visitors) AS visitors,
  any(page_height) AS page_height,
  any(hidden_origin) AS hidden_origin,
  any(hidden_test_accounts) AS hidden_test_accounts,
  max(max_count) AS max_count,
  max(remaining) > {p0:UInt32} AS has_next,
  max(place) > 0 AS has_points,
  argMax((count, fixed, cell_row, cell_column), place) AS last,
  toJSONString(arrayMap(row -> row.2, arraySort(row -> row.1, groupArrayIf((place, CAST(tuple(cell_column * standard_width_px / cell_columns, cell_row * cell_height_px, count, count / population), 'Tuple(`x` Float64, `y` UInt64, `count` UInt64, `share` Float64)')), place > 0)))) AS `points_points`
FROM (
  SELECT *, total AS population,
    {p1:UInt32} AS standard_width_px,
    {p2:UInt32} AS cell_height_px,
    {p3:Float64} AS cell_columns
  FROM (
    SELECT page,
      countIf(NOT is_origin AND NOT hidden_test) AS total,
      uniqExactIf(visitor_id, NOT is_origin AND NOT hidden_test) AS visitors,
      uniqExactIf(session_id, NOT is_origin AND NOT hidden_test) AS sessions,
      maxIf(page_height, NOT hidden_test) AS page_height,
      countIf(is_origin AND NOT hidden_test) AS hidden_origin,
      countIf(hidden_test) AS hidden_test_accounts
    FROM (
      SELECT '' AS page, visitor_id, session_id, page_height, (x = 0 AND y = 0) AS is_origin, false AS hidden_test
      FROM interactions
      WHERE site_id = {p4:String}
        AND day BETWEEN {p5:Date} AND {p6:Date}
        AND timestamp >= {p7:DateTime64(3, 'UTC')}
        AND timestamp < {p8:DateTime64(3, 'UTC')}
        AND match(url, {p9:String})
        AND device IN {p10:Array(String)}
        AND country IN {p11:Array(String)}
        AND viewport_width >= {p12:Int64}
        AND viewport_width <= {p13:Int64}
        AND session_id IN (SELECT session_id FROM sessions FINAL WHERE site_id = {p4:String} AND path(entry_page) = {p14:String})
        AND session_id IN (SELECT session_id FROM events WHERE site_id = {p4:String} AND name = {p15:String} GROUP BY session_id HAVING count() >= {p16:UInt32})
        AND kind IN ('move')
    )
    GROUP BY page
  ) AS summary
  LEFT JOIN (
    SELECT *
    FROM (
      SELECT *, count() OVER (PARTITION BY page) AS remaining,
        row_number() OVER (PARTITION BY page ORDER BY count DESC, fixed, cell_row, cell_column) AS place
      FROM (
        SELECT *, max(count) OVER (PARTITION BY page) AS max_count
        FROM (
          SELECT '' AS page, fixed, toUInt32(floor(y / {p2:UInt32})) AS cell_row, toUInt32(least({p17:UInt32}, floor(x * {p3:Float64} / viewport_width))) AS cell_column, count() AS count
          FROM interactions
          WHERE site_id = {p4:String}
            AND day BETWEEN {p5:Date} AND {p6:Date}
            AND timestamp >= {p7:DateTime64(3, 'UTC')}
            AND timestamp < {p8:DateTime64(3, 'UTC')}
            AND match(url, {p9:String})
            AND device IN {p10:Array(String)}
            AND country IN {p11:Array(String)}
            AND viewport_width >= {p12:Int64}
            AND viewport_width <= {p13:Int64}
            AND session_id IN (SELECT session_id FROM sessions FINAL WHERE site_id = {p4:String} AND path(entry_page) = {p14:String})
            AND session_id IN (SELECT session_id FROM events WHERE site_id = {p4:String} AND name = {p15:String} GROUP BY session_id HAVING count() >= {p16:UInt32})
            AND kind IN ('move')
            AND NOT (x = 0 AND y = 0)
          GROUP BY page, fixed, cell_row, cell_column
        )
      )
    )
    WHERE place <= {p0:UInt32}
  ) AS points USING (page)
)
GROUP BY page
-- p0 = 500
-- p1 = 375
-- p10 = ['MOBILE']
-- p11 = ['AT', 'DE']
-- p12 = 320
-- p13 = 480
-- p14 = '/'
-- p15 = 'signup'
-- p16 = 1
-- p17 = 18
-- p2 = 20
-- p3 = 18.75
-- p4 = 'site_golden'
-- p5 = datetime.date(2026, 9, 30)
-- p6 = datetime.date(2026, 10, 31)
-- p7 = datetime.datetime(2026, 9, 30, 22, 0, tzinfo=datetime.timezone.utc)
-- p8 = datetime.datetime(2026, 10, 31, 23, 0, tzinfo=datetime.timezone.utc)
-- p9 = '(?s)^https://.+\\.com/.+$'

SELECT site_id, name, domains, plan, time_zone, retention_days, test_account_rules, replay_url_template, created_at,
  site_id IN (SELECT site_id FROM element_marks FINAL WHERE is_fixed IS NOT NULL AND NOT deleted) AS has_fixed_marks
FROM sites FINAL
WHERE site_id IN {p0:Array(String)}
ORDER BY site_id
-- p0 = ['site_golden']
