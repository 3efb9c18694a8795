SELECT '' AS page,
  countIf(kind IN ('click', 'dead')) AS clicks,
  countIf(kind = 'pageview') AS pageviews,
  uniqExact(session_id) AS sessions,
  uniqExact(visitor_id) AS visitors
FROM (
  SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, viewport_height, toString(kind) AS kind, y > viewport_height AS below_fold, NOT fixed AND NOT (default_cell = 2047) AS folds, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms
  FROM interactions
  WHERE site_id = {p0:String}
    AND day BETWEEN {p1:Date} AND {p2:Date}
    AND startsWith(page_key, {p3:String})
    AND if(startsWith(url_rest, 'http') OR page_key = {p3:String}, match(url, {p4:String}), startsWith(page_key, {p3:String}))
  UNION ALL
  SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, viewport_height, 'pageview' AS kind, 0 AS below_fold, 0 AS folds, session_pageviews, on_page_ms
  FROM pageviews
  WHERE site_id = {p0:String}
    AND day BETWEEN {p1:Date} AND {p2:Date}
    AND startsWith(page_key, {p3:String})
    AND if(startsWith(url_rest, 'http') OR page_key = {p3:String}, match(url, {p4:String}), startsWith(page_key, {p3:String}))
)
HAVING count() > 0
-- p0 = 'site_golden'
-- p1 = datetime.date(2026, 11, 1)
-- p2 = datetime.date(2026, 11, 7)
-- p3 = 'https://example.com/'
-- p4 = '(?s)^https://example\\.com/.+$'

SELECT *
FROM (
  SELECT *, ifNull(toFloat64(y), -1.) AS sort_value, count() OVER (PARTITION BY page) AS total_count
  FROM (
    SELECT page, by_selector, key,
      argMin((page_key, selector, relative_x, top), (-toInt64(clicks), page_key, selector)) AS main,
      main.1 AS page_key, main.2 AS selector,
      main.3 * {p0:UInt32} AS x, main.4 AS y,
      count() AS element_count,
      sum(clicks) AS clicks, sum(dead_clicks) AS dead_clicks, sum(rage_clicks) AS rage_clicks,
      uniqExactMerge(visitor_states) AS visitors, uniqExactMerge(session_states) AS sessions,
      sum(waits) AS waits, sum(waited_ms) AS waited_ms,
      sum(fold_clicks) AS fold_clicks, sum(fold_below) AS fold_below,
      sumIf(displays, first_of_page) AS displays
    FROM (
      SELECT *
      FROM (
        SELECT *, row_number() OVER (PARTITION BY page_key, by_selector, key ORDER BY selector) = 1 AS first_of_page,
          min(if(stays, -1e9, top)) OVER (PARTITION BY page_key, by_selector, key) AS displayed_from_px
        FROM (
          SELECT '' AS page, page_key, selector, clicks, dead_clicks, rage_clicks,
            visitor_states, session_states, waits, waited_ms,
            top, relative_x, is_fixed, ever_fixed, always_fixed, ifNull(is_fixed, ever_fixed) AS stays,
            multiIf(is_fixed IS NULL, scrolling_clicks, is_fixed, 0, placed_clicks) AS fold_clicks,
            multiIf(is_fixed IS NULL, scrolling_below, is_fixed, 0, placed_below) AS fold_below,
            toUInt8(name = '') AS by_selector, if(by_selector, selector, name) AS key
          FROM (
            SELECT toString(page_key) AS page_key, selector,
              countIf(kind IN ('click', 'dead')) AS clicks,
              countIf(kind = 'dead') AS dead_clicks,
              countIf(kind = 'rage') AS rage_clicks,
              uniqExactStateIf(visitor_id, kind IN ('click', 'dead')) AS visitor_states,
              uniqExactStateIf(session_id, kind IN ('click', 'dead')) AS session_states,
              countIf(kind IN ('click', 'dead') AND since_pageview_ms >= 0) AS waits,
              sumIf(since_pageview_ms, kind IN ('click', 'dead') AND since_pageview_ms >= 0) AS waited_ms,
              countIf(kind IN ('click', 'dead') AND placed) AS placed_clicks,
              countIf(kind IN ('click', 'dead') AND placed AND below_fold) AS placed_below,
              countIf(kind IN ('click', 'dead') AND placed AND NOT fixed) AS scrolling_clicks,
              countIf(kind IN ('click', 'dead') AND placed AND NOT fixed AND below_fold) AS scrolling_below,
              maxIf(fixed, kind != 'rage') AS ever_fixed,
              minIf(fixed, kind != 'rage') AS always_fixed,
              coalesce(quantileExactInclusiveOrNullIf(0.5)(y, kind = 'told' AND in_layout), quantileExactInclusiveOrNullIf(0.5)(y, kind IN ('click', 'dead')), quantileExactInclusiveOrNullIf(0.5)(y, kind = 'told')) AS top,
              coalesce(quantileExactInclusiveOrNullIf(0.5)(relative_x, kind = 'told' AND in_layout), quantileExactInclusiveOrNullIf(0.5)(relative_x, kind IN ('click', 'dead')), quantileExactInclusiveOrNullIf(0.5)(relative_x, kind = 'told')) AS relative_x
            FROM (
              SELECT page_key, toString(selector) AS selector, timestamp, toString(text) AS text, toString(href) AS href, y, fixed, if(viewport_width = 0, NULL, x / viewport_width) AS relative_x, toString(kind) AS kind, visitor_id, session_id, since_pageview_ms,
                NOT (default_cell = 2047) AS placed, y > viewport_height AS below_fold, false AS in_layout
              FROM interactions
              WHERE site_id = {p1:String}
                AND day BETWEEN {p2:Date} AND {p3:Date}
                AND startsWith(page_key, {p4:String})
                AND if(startsWith(url_rest, 'http') OR page_key = {p4:String}, match(url, {p5:String}), startsWith(page_key, {p4:String}))
                AND kind IN ('click', 'dead', 'rage')
                AND selector != ''
              UNION ALL
              SELECT page_key, toString(selector) AS selector, timestamp, toString(text) AS text, toString(href) AS href, y, fixed, if(viewport_width = 0, NULL, x / viewport_width) AS relative_x, 'told' AS kind, toUInt64(0) AS visitor_id, toUInt64(0) AS session_id, toInt64(-1) AS since_pageview_ms,
                false AS placed, false AS below_fold, breakpoint IN {p6:Array(String)} AS in_layout
              FROM elements FINAL
              WHERE site_id = {p1:String}
                AND page_key IN (SELECT page_key FROM pageviews WHERE site_id = {p1:String} AND day BETWEEN {p2:Date} AND {p3:Date} AND startsWith(page_key, {p4:String}) AND if(startsWith(url_rest, 'http') OR page_key = {p4:String}, match(url, {p5:String}), startsWith(page_key, {p4:String})) UNION ALL SELECT page_key FROM interactions WHERE site_id = {p1:String} AND day BETWEEN {p2:Date} AND {p3:Date} AND startsWith(page_key, {p4:String}) AND if(startsWith(url_rest, 'http') OR page_key = {p4:String}, match(url, {p5:String}), startsWith(page_key, {p4:String})))
                AND selector != ''
            )
            GROUP BY page_key, selector
            HAVING clicks > 0 OR countIf(kind = 'told') > 0
          ) AS element
          LEFT JOIN (
            SELECT page_key, selector, name, is_cta, is_fixed, deleted
            FROM element_marks FINAL
            WHERE site_id = {p1:String}
          ) AS mark USING (page_key, selector)
          WHERE NOT deleted
        )
      ) AS element
      ASOF LEFT JOIN (
        SELECT toString(page_key) AS page_key, toFloat64(reached_px) AS reached_to_px,
          sum(count()) OVER (PARTITION BY page_key ORDER BY reached_px DESC) AS displays
        FROM pageviews
        WHERE site_id = {p1:String}
          AND day BETWEEN {p2:Date} AND {p3:Date}
          AND startsWith(page_key, {p4:String})
          AND if(startsWith(url_rest, 'http') OR page_key = {p4:String}, match(url, {p5:String}), startsWith(page_key, {p4:String}))
        GROUP BY page_key, reached_px
      ) AS reach ON element.page_key = reach.page_key AND element.displayed_from_px <= reach.reached_to_px
    )
    GROUP BY page, by_selector, key
  )
)
ORDER BY page, sort_value ASC, key ASC, by_selector ASC
LIMIT {p7:UInt32} BY page
-- p0 = 1280
-- p1 = 'site_golden'
-- p2 = datetime.date(2026, 11, 1)
-- p3 = datetime.date(2026, 11, 7)
-- p4 = 'https://example.com/'
-- p5 = '(?s)^https://example\\.com/.+$'
-- p6 = ['DESKTOP', 'MOBILE', 'TABLET']
-- p7 = 11

SELECT site_id, name, domains, plan, time_zone, retention_days, test_account_rules, replay_url_template, created_at,
  site_id IN (SELECT site_id FROM element_marks FINAL WHERE is_fixed IS NOT NULL AND NOT deleted) AS has_fixed_marks,
  arraySort(arrayMap(noted -> noted.2, arrayFilter(noted -> noted.1 = site_id,
    (SELECT groupUniqArray((toString(stale_days.site_id), day)) FROM stale_days)))) AS stale_days
FROM sites FINAL
WHERE site_id IN {p0:Array(String)}
ORDER BY site_id
-- p0 = ['site_golden']
