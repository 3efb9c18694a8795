SELECT *
FROM (
  SELECT *, ifNull(toFloat64(y), -1.) AS sort_value, count() OVER (PARTITION BY page) AS total_count
  FROM (
    SELECT page, by_selector, key,
      argMin((page_key, selector, relative_x, top), (-toInt64(clicks), page_key, selector)) AS main,
      main.1 AS page_key, main.2 AS selector,
      count() AS element_count,
      sum(clicks) AS clicks, sum(dead_clicks) AS dead_clicks, sum(rage_clicks) AS rage_clicks,
      main.3 * {p0:UInt32} AS x, main.4 AS y,
      0 AS visitors,
      0 AS sessions,
      0 AS waits, 0 AS waited_ms,
      0 AS fold_clicks, 0 AS fold_below,
      0 AS displays
    FROM (
      SELECT '' AS page, page_key, selector, clicks, dead_clicks, rage_clicks,
        top,
        relative_x,
        toUInt8(name = '') AS by_selector, if(by_selector, selector, name) AS key
      FROM (
        SELECT toString(page_key) AS page_key, toString(selector) AS selector,
          clicks,
          dead_clicks,
          rage_clicks,
          coalesce(told_top_here, clicked_top, told_top, 0) AS top,
          coalesce(told_x_here, clicked_x, told_x, 0) AS relative_x
        FROM (
          SELECT page_key, selector,
            countIf(kind IN ('click', 'dead')) AS clicks,
            countIf(kind = 'dead') AS dead_clicks,
            countIf(kind = 'rage') AS rage_clicks,
            quantileExactInclusiveOrNullIf(0.5)(y, kind IN ('click', 'dead') AND NOT (default_cell = 2047)) AS clicked_top,
            quantileExactInclusiveOrNullIf(0.5)(if(viewport_width = 0, NULL, x / viewport_width), kind IN ('click', 'dead') AND NOT (default_cell = 2047)) AS clicked_x
          FROM interactions
          WHERE site_id = {p2:String}
            AND day BETWEEN {p5:Date} AND {p6:Date}
            AND startsWith(page_key, {p3:String})
            AND if(startsWith(url_rest, 'http') OR page_key = {p3:String}, match(url, {p4:String}), startsWith(page_key, {p3:String}))
            AND kind IN ('click', 'dead', 'rage')
            AND selector != ''
          GROUP BY page_key, selector
        ) AS clicked
        FULL JOIN (
          SELECT page_key, selector, true AS is_told, quantileExactInclusiveOrNullIf(0.5)(y, breakpoint IN {p1:Array(String)}) AS told_top_here, quantileExactInclusiveOrNull(0.5)(y) AS told_top, quantileExactInclusiveOrNullIf(0.5)(if(viewport_width = 0, NULL, x / viewport_width), breakpoint IN {p1:Array(String)}) AS told_x_here, quantileExactInclusiveOrNull(0.5)(if(viewport_width = 0, NULL, x / viewport_width)) AS told_x
          FROM elements FINAL
          WHERE site_id = {p2:String}
            AND (page_key IN (SELECT page_key FROM pages WHERE site_id = {p2:String} AND startsWith(page_key, {p3:String}) AND match(page_key, {p4:String})) OR page_key IN (SELECT page_key FROM pageviews WHERE site_id = {p2:String} AND day BETWEEN {p5:Date} AND {p6:Date} AND startsWith(page_key, {p3:String}) AND if(startsWith(url_rest, 'http') OR page_key = {p3:String}, match(url, {p4:String}), startsWith(page_key, {p3:String}))) OR page_key IN (SELECT page_key FROM interactions WHERE site_id = {p2:String} AND day BETWEEN {p5:Date} AND {p6:Date} AND startsWith(page_key, {p3:String}) AND if(startsWith(url_rest, 'http') OR page_key = {p3:String}, match(url, {p4:String}), startsWith(page_key, {p3:String}))))
            AND selector != ''
          GROUP BY page_key, selector
        ) AS told USING (page_key, selector)
        WHERE clicks > 0 OR rage_clicks > 0 OR is_told
      ) AS element
      LEFT JOIN (
        SELECT page_key, selector, name, is_cta, is_fixed, deleted
        FROM element_marks FINAL
        WHERE site_id = {p2:String}
      ) AS mark USING (page_key, selector)
      WHERE NOT deleted
    )
    GROUP BY page, by_selector, key
  )
)
ORDER BY page, sort_value ASC, key ASC, by_selector ASC
LIMIT {p7:UInt32} BY page
-- p0 = 1280
-- p1 = ['DESKTOP', 'MOBILE', 'TABLET']
-- p2 = 'site_golden'
-- p3 = 'https://example.com/'
-- p4 = '(?s)^https://example\\.com/.+$'
-- p5 = datetime.date(2026, 11, 1)
-- p6 = datetime.date(2026, 11, 7)
-- p7 = 11

SELECT site_id, name, domains, plan, time_zone, retention_days, test_account_rules, replay_url_template, created_at, updated_at,
  site_id IN (SELECT site_id FROM element_marks FINAL WHERE is_fixed IS NOT NULL) AS has_fixed_marks,
  (SELECT groupUniqArrayMap(map(toString(stale_days.site_id), day)) FROM stale_days)[site_id] AS stale_days
FROM sites FINAL
WHERE site_id IN {p0:Array(String)}
ORDER BY site_id
-- p0 = ['site_golden']
