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
  toJSONString(arrayMap(row -> row.2, arraySort(row -> row.1, groupArrayIf((place, CAST(tuple(cell_column * standard_width_px / cell_columns, cell_row * cell_height_px, count, if(selector = '', NULL, CAST(tuple(if(tag != '' AND match(selector, '^[#.\\[][^ >+~]*$'), concat(tag, selector), selector)), 'Nullable(Tuple(`label` String))'))), 'Tuple(`left` Float64, `y` UInt64, `heat` UInt64, `element` Nullable(Tuple(`label` String)))')), place > 0)))) AS `points_points`
FROM (
  SELECT *, visitors AS population,
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
      SELECT page_key AS page, visitor_id, session_id, page_height, (x = 0 AND y = 0) AS is_origin, (is_test OR visitor_id IN (SELECT visitor_id FROM sessions FINAL WHERE site_id = {p4:String} AND (match(visitor_key, {p10:String})))) AS hidden_test
      FROM interactions
      WHERE site_id = {p4:String}
        AND page_key IN {p5:Array(String)}
        AND day BETWEEN {p6:Date} AND {p7:Date}
        AND timestamp >= {p8:DateTime64(3, 'UTC')}
        AND timestamp < {p9:DateTime64(3, 'UTC')}
        AND kind IN ('click', 'dead')
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
          SELECT page, fixed, cell_row, cell_column, uniqExactMerge(people) AS count,
            argMinIf((selector, tag, text), (-toInt64(clicks_here), selector, tag, text), selector != '') AS top,
            top.1 AS selector, top.2 AS tag, top.3 AS text
          FROM (
            SELECT page_key AS page, fixed, toUInt32(floor(y / {p2:UInt32})) AS cell_row, toUInt32(least({p11:UInt32}, floor(x * {p3:Float64} / viewport_width))) AS cell_column, toString(selector) AS selector, toString(tag) AS tag, toString(text) AS text,
              count() AS clicks_here, uniqExactState(visitor_id) AS people
            FROM interactions
            WHERE site_id = {p4:String}
              AND page_key IN {p5:Array(String)}
              AND day BETWEEN {p6:Date} AND {p7:Date}
              AND timestamp >= {p8:DateTime64(3, 'UTC')}
              AND timestamp < {p9:DateTime64(3, 'UTC')}
              AND NOT (is_test OR visitor_id IN (SELECT visitor_id FROM sessions FINAL WHERE site_id = {p4:String} AND (match(visitor_key, {p10:String}))))
              AND kind IN ('click', 'dead')
              AND NOT (x = 0 AND y = 0)
            GROUP BY page, fixed, cell_row, cell_column, selector, tag, text
          )
          GROUP BY page, fixed, cell_row, cell_column
        )
      )
    )
    WHERE place <= {p0:UInt32}
  ) AS points USING (page)
)
GROUP BY page
-- p0 = 10
-- p1 = 1280
-- p10 = '(?s)^qa\\-.+$'
-- p11 = 99
-- p2 = 16
-- p3 = 100.0
-- p4 = 'site_golden'
-- p5 = ['https://example.com/pricing']
-- p6 = datetime.date(2026, 11, 14)
-- p7 = datetime.date(2026, 11, 21)
-- p8 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p9 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)

SELECT page_key, max(has_heat) AS has_heat
FROM pages
WHERE site_id = {p0:String}
  AND page_key IN {p1:Array(String)}
GROUP BY page_key
-- p0 = 'site_golden'
-- p1 = ['https://example.com/pricing']

SELECT site_id, name, domains, plan, time_zone, retention_days, test_account_rules, replay_url_template, created_at,
  site_id IN (SELECT site_id FROM element_marks FINAL WHERE is_fixed IS NOT NULL AND NOT deleted) AS has_fixed_marks
FROM sites FINAL
WHERE site_id IN {p0:Array(String)}
ORDER BY site_id
-- p0 = ['site_golden']
