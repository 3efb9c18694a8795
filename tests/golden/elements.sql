SELECT *
FROM (
  SELECT *, ifNull(toFloat64(conversions), -1.) AS sort_value, count() OVER (PARTITION BY page) AS total_count
  FROM (
    SELECT stats.*, conversions
    FROM (
      SELECT page, by_selector, key,
        argMin((page_key, selector), (-toInt64(clicks), page_key, selector)) AS main,
        main.1 AS page_key, main.2 AS selector,
        count() AS element_count,
        sum(clicks) AS clicks, sum(dead_clicks) AS dead_clicks, sum(rage_clicks) AS rage_clicks,
        NULL AS x, NULL AS y,
        0 AS visitors,
        0 AS sessions,
        0 AS waits, 0 AS waited_ms,
        0 AS fold_clicks, 0 AS fold_below,
        sumIf(displays, first_of_page) AS displays
      FROM (
        SELECT *
        FROM (
          SELECT *, row_number() OVER (PARTITION BY page_key, by_selector, key ORDER BY selector) = 1 AS first_of_page,
            min(if(stays, -1e9, top)) OVER (PARTITION BY page_key, by_selector, key) AS displayed_from_px
          FROM (
            SELECT {p1:String} AS page, page_key, selector, clicks, dead_clicks, rage_clicks,
              top,
              ifNull(is_fixed, ever_fixed) AS stays,
              toUInt8(href = '') AS by_selector, if(by_selector, selector, href) AS key
            FROM (
              SELECT toString(page_key) AS page_key, toString(selector) AS selector,
                clicks,
                dead_clicks,
                rage_clicks,
                coalesce(told_top_here, clicked_top, told_top, 0) AS top,
                clicked_ever_fixed OR told_ever_fixed AS ever_fixed,
                (clicked_always_fixed OR clicks = 0) AND (told_always_fixed OR NOT is_told) AS always_fixed,
                if(told_href != '', told_href, clicked_href) AS href
              FROM (
                SELECT page_key, selector,
                  countIf(kind IN ('click', 'dead')) AS clicks,
                  countIf(kind = 'dead') AS dead_clicks,
                  countIf(kind = 'rage') AS rage_clicks,
                  quantileExactInclusiveOrNullIf(0.5)(y, kind IN ('click', 'dead') AND NOT (default_cell = 2047)) AS clicked_top,
                  maxIf(fixed, kind IN ('click', 'dead')) AS clicked_ever_fixed,
                  minIf(fixed, kind IN ('click', 'dead')) AS clicked_always_fixed,
                  maxIf((timestamp, toString(href)), href != '').2 AS clicked_href
                FROM interactions
                WHERE site_id = {p3:String}
                  AND page_key IN {p4:Array(String)}
                  AND day BETWEEN {p5:Date} AND {p6:Date}
                  AND timestamp >= {p7:DateTime64(3, 'UTC')}
                  AND timestamp < {p8:DateTime64(3, 'UTC')}
                  AND breakpoint IN {p2:Array(String)}
                  AND kind IN ('click', 'dead', 'rage')
                  AND selector != ''
                GROUP BY page_key, selector
              ) AS clicked
              FULL JOIN (
                SELECT page_key, selector, true AS is_told, quantileExactInclusiveOrNullIf(0.5)(y, breakpoint IN {p2:Array(String)}) AS told_top_here, quantileExactInclusiveOrNull(0.5)(y) AS told_top, max(fixed) AS told_ever_fixed, min(fixed) AS told_always_fixed, maxIf((timestamp, href), href != '').2 AS told_href
                FROM elements FINAL
                WHERE site_id = {p3:String}
                  AND page_key IN {p4:Array(String)}
                  AND selector != ''
                GROUP BY page_key, selector
              ) AS told USING (page_key, selector)
              WHERE clicks > 0 OR rage_clicks > 0 OR is_told
            ) AS element
            LEFT JOIN (
              SELECT page_key, selector, name, is_cta, is_fixed, deleted
              FROM element_marks FINAL
              WHERE site_id = {p3:String}
            ) AS mark USING (page_key, selector)
            WHERE NOT deleted AND is_cta
          )
        ) AS element
        ASOF LEFT JOIN (
          SELECT toString(page_key) AS page_key, toFloat64(reached_px) AS reached_to_px,
            sum(sum(pageviews)) OVER (PARTITION BY page_key ORDER BY reached_px DESC) AS displays
          FROM (
            SELECT page_key, reached_px, pageviews
            FROM depths_daily
            WHERE site_id = {p3:String}
              AND page_key IN {p4:Array(String)}
              AND day BETWEEN {p9:Date} AND {p10:Date}
              AND breakpoint IN {p2:Array(String)}
            UNION ALL
            SELECT page_key, reached_px, 1 AS pageviews
            FROM pageviews
            WHERE site_id = {p3:String}
              AND page_key IN {p4:Array(String)}
              AND day BETWEEN {p5:Date} AND {p6:Date}
              AND timestamp >= {p7:DateTime64(3, 'UTC')}
              AND timestamp < {p8:DateTime64(3, 'UTC')}
              AND breakpoint IN {p2:Array(String)}
              AND day IN {p11:Array(Date)}
          )
          GROUP BY page_key, reached_px
        ) AS reach ON element.page_key = reach.page_key AND element.displayed_from_px <= reach.reached_to_px
      )
      GROUP BY page, by_selector, key
    ) AS stats
    LEFT JOIN (
      SELECT page, by_selector, key, count() AS conversions
      FROM (
        SELECT page, by_selector, key, session_id, count() AS events, sumMapIf(map(currency, toInt128(round(ifNull(value, 0) * 1000000))), value IS NOT NULL) AS revenue_micros
        FROM (
          SELECT page, by_selector, key, session_id, min(timestamp) AS first_at
          FROM (
            SELECT page, by_selector, key, session_id, timestamp
            FROM (
              SELECT {p1:String} AS page, toString(page_key) AS page_key, toString(selector) AS selector, session_id, timestamp
              FROM interactions
              WHERE site_id = {p3:String}
                AND page_key IN {p4:Array(String)}
                AND day BETWEEN {p5:Date} AND {p6:Date}
                AND timestamp >= {p7:DateTime64(3, 'UTC')}
                AND timestamp < {p8:DateTime64(3, 'UTC')}
                AND breakpoint IN {p2:Array(String)}
                AND kind IN ('click', 'dead')
                AND selector != ''
            ) AS click
            INNER JOIN (
              SELECT page_key, selector, by_selector, key
              FROM (
                SELECT {p1:String} AS page, page_key, selector, clicks, dead_clicks, rage_clicks,
                  toUInt8(href = '') AS by_selector, if(by_selector, selector, href) AS key
                FROM (
                  SELECT toString(page_key) AS page_key, toString(selector) AS selector,
                    clicks,
                    dead_clicks,
                    rage_clicks,
                    if(told_href != '', told_href, clicked_href) AS href
                  FROM (
                    SELECT page_key, selector,
                      countIf(kind IN ('click', 'dead')) AS clicks,
                      countIf(kind = 'dead') AS dead_clicks,
                      countIf(kind = 'rage') AS rage_clicks,
                      maxIf((timestamp, toString(href)), href != '').2 AS clicked_href
                    FROM interactions
                    WHERE site_id = {p3:String}
                      AND page_key IN {p4:Array(String)}
                      AND day BETWEEN {p5:Date} AND {p6:Date}
                      AND timestamp >= {p7:DateTime64(3, 'UTC')}
                      AND timestamp < {p8:DateTime64(3, 'UTC')}
                      AND breakpoint IN {p2:Array(String)}
                      AND kind IN ('click', 'dead', 'rage')
                      AND selector != ''
                    GROUP BY page_key, selector
                  ) AS clicked
                  FULL JOIN (
                    SELECT page_key, selector, true AS is_told, maxIf((timestamp, href), href != '').2 AS told_href
                    FROM elements FINAL
                    WHERE site_id = {p3:String}
                      AND page_key IN {p4:Array(String)}
                      AND selector != ''
                    GROUP BY page_key, selector
                  ) AS told USING (page_key, selector)
                  WHERE clicks > 0 OR rage_clicks > 0 OR is_told
                ) AS element
                LEFT JOIN (
                  SELECT page_key, selector, name, is_cta, is_fixed, deleted
                  FROM element_marks FINAL
                  WHERE site_id = {p3:String}
                ) AS mark USING (page_key, selector)
                WHERE NOT deleted AND is_cta
              )
            ) AS element USING (page_key, selector)
          )
          GROUP BY page, by_selector, key, session_id
        ) AS session
        INNER JOIN (
          SELECT session_id, timestamp, value, toString(currency) AS currency
          FROM events
          WHERE site_id = {p3:String}
            AND day >= {p5:Date}
            AND conversion
        ) AS event USING (session_id)
        WHERE event.timestamp > first_at
        GROUP BY page, by_selector, key, session_id
      )
      GROUP BY page, by_selector, key
    ) AS converted USING (page, by_selector, key)
  )
)
ORDER BY page, sort_value DESC, key ASC, by_selector ASC
LIMIT {p12:UInt32} BY page
-- p0 = 375
-- p1 = 'https://example.com/pricing'
-- p10 = datetime.date(2026, 11, 20)
-- p11 = [datetime.date(2026, 11, 14), datetime.date(2026, 11, 21)]
-- p12 = 4
-- p2 = ['MOBILE']
-- p3 = 'site_golden'
-- p4 = ['https://example.com/pricing']
-- p5 = datetime.date(2026, 11, 14)
-- p6 = datetime.date(2026, 11, 21)
-- p7 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p8 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p9 = datetime.date(2026, 11, 15)

SELECT page, by_selector, key,
  argMin((page_key, selector), (-toInt64(clicks), page_key, selector)) AS main,
  main.1 AS page_key, main.2 AS selector,
  count() AS element_count,
  sum(clicks) AS clicks, sum(dead_clicks) AS dead_clicks, sum(rage_clicks) AS rage_clicks,
  NULL AS x, NULL AS y,
  0 AS visitors,
  0 AS sessions,
  0 AS waits, 0 AS waited_ms,
  0 AS fold_clicks, 0 AS fold_below,
  0 AS displays
FROM (
  SELECT {p1:String} AS page, page_key, selector, clicks, dead_clicks, rage_clicks,
    toUInt8(selector = '') AS by_selector, if(by_selector, selector, selector) AS key
  FROM (
    SELECT toString(page_key) AS page_key, toString(selector) AS selector,
      clicks,
      dead_clicks,
      rage_clicks
    FROM (
      SELECT page_key, selector,
        sum(clicks) AS clicks,
        sum(dead_clicks) AS dead_clicks,
        sum(rage_clicks) AS rage_clicks
      FROM (
        SELECT page_key, selector,
          sum(clicks) AS clicks,
          sum(dead_clicks) AS dead_clicks,
          sum(rage_clicks) AS rage_clicks
        FROM elements_daily
        WHERE site_id = {p4:String}
          AND page_key IN {p5:Array(String)}
          AND day BETWEEN {p6:Date} AND {p7:Date}
          AND breakpoint IN {p3:Array(String)}
          AND selector IN {p2:Array(String)}
        GROUP BY page_key, selector
        UNION ALL
        SELECT page_key, selector,
          countIf(kind IN ('click', 'dead')) AS clicks,
          countIf(kind = 'dead') AS dead_clicks,
          countIf(kind = 'rage') AS rage_clicks
        FROM interactions
        WHERE site_id = {p4:String}
          AND page_key IN {p5:Array(String)}
          AND day BETWEEN {p8:Date} AND {p9:Date}
          AND timestamp >= {p10:DateTime64(3, 'UTC')}
          AND timestamp < {p11:DateTime64(3, 'UTC')}
          AND breakpoint IN {p3:Array(String)}
          AND day IN {p12:Array(Date)}
          AND kind IN ('click', 'dead', 'rage')
          AND selector IN {p2:Array(String)}
        GROUP BY page_key, selector
      )
      GROUP BY page_key, selector
    ) AS clicked
    FULL JOIN (
      SELECT page_key, selector, true AS is_told
      FROM elements FINAL
      WHERE site_id = {p4:String}
        AND page_key IN {p5:Array(String)}
        AND selector IN {p2:Array(String)}
      GROUP BY page_key, selector
    ) AS told USING (page_key, selector)
    WHERE clicks > 0 OR rage_clicks > 0 OR is_told
  ) AS element
  LEFT JOIN (
    SELECT page_key, selector, name, is_cta, is_fixed, deleted
    FROM element_marks FINAL
    WHERE site_id = {p4:String}
  ) AS mark USING (page_key, selector)
  WHERE NOT deleted
)
GROUP BY page, by_selector, key
-- p0 = 375
-- p1 = 'https://example.com/pricing'
-- p10 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p11 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p12 = [datetime.date(2026, 11, 14), datetime.date(2026, 11, 21)]
-- p2 = ['#start']
-- p3 = ['MOBILE']
-- p4 = 'site_golden'
-- p5 = ['https://example.com/pricing']
-- p6 = datetime.date(2026, 11, 15)
-- p7 = datetime.date(2026, 11, 20)
-- p8 = datetime.date(2026, 11, 14)
-- p9 = datetime.date(2026, 11, 21)

SELECT page, count() AS conversions
FROM (
  SELECT page, session_id, count() AS events, sumMapIf(map(currency, toInt128(round(ifNull(value, 0) * 1000000))), value IS NOT NULL) AS revenue_micros
  FROM (
    SELECT page, session_id, min(timestamp) AS first_at
    FROM (
      SELECT {p7:String} AS page, session_id, timestamp
      FROM pageviews
      WHERE site_id = {p0:String}
        AND page_key IN {p1:Array(String)}
        AND day BETWEEN {p2:Date} AND {p3:Date}
        AND timestamp >= {p4:DateTime64(3, 'UTC')}
        AND timestamp < {p5:DateTime64(3, 'UTC')}
        AND breakpoint IN {p6:Array(String)}
      UNION ALL
      SELECT {p7:String} AS page, session_id, timestamp
      FROM interactions
      WHERE site_id = {p0:String}
        AND page_key IN {p1:Array(String)}
        AND day BETWEEN {p2:Date} AND {p3:Date}
        AND timestamp >= {p4:DateTime64(3, 'UTC')}
        AND timestamp < {p5:DateTime64(3, 'UTC')}
        AND breakpoint IN {p6:Array(String)}
    )
    GROUP BY page, session_id
  ) AS session
  INNER JOIN (
    SELECT session_id, timestamp, value, toString(currency) AS currency
    FROM events
    WHERE site_id = {p0:String}
      AND day >= {p2:Date}
      AND name = {p8:String}
  ) AS event USING (session_id)
  WHERE event.timestamp > first_at
  GROUP BY page, session_id
)
GROUP BY page
-- p0 = 'site_golden'
-- p1 = ['https://example.com/pricing']
-- p2 = datetime.date(2026, 11, 14)
-- p3 = datetime.date(2026, 11, 21)
-- p4 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p5 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p6 = ['MOBILE']
-- p7 = 'https://example.com/pricing'
-- p8 = 'signup'

SELECT page, toUInt32(bucket * {p9:UInt32}) AS depth,
  sum(ended) AS sessions, sum(ended_converted) AS conversions, sumMap(ended_micros) AS revenue_micros
FROM (
  SELECT page, arrayJoin(range(last_bucket + 1)) AS bucket, ended, ended_converted, ended_micros
  FROM (
    SELECT page, last_bucket, count() AS ended, countIf(events > 0) AS ended_converted, sumMap(revenue_micros) AS ended_micros
    FROM (
      SELECT {p8:String} AS page, session_id, toUInt32(least(intDiv(max(reached_ppt), {p0:UInt64}), 1999)) AS last_bucket
      FROM pageviews
      WHERE site_id = {p1:String}
        AND page_key IN {p2:Array(String)}
        AND day BETWEEN {p3:Date} AND {p4:Date}
        AND timestamp >= {p5:DateTime64(3, 'UTC')}
        AND timestamp < {p6:DateTime64(3, 'UTC')}
        AND breakpoint IN {p7:Array(String)}
      GROUP BY page, session_id
    ) AS session
    LEFT JOIN (
      SELECT page, session_id, count() AS events, sumMapIf(map(currency, toInt128(round(ifNull(value, 0) * 1000000))), value IS NOT NULL) AS revenue_micros
      FROM (
        SELECT page, session_id, min(timestamp) AS first_at
        FROM (
          SELECT {p8:String} AS page, session_id, timestamp
          FROM pageviews
          WHERE site_id = {p1:String}
            AND page_key IN {p2:Array(String)}
            AND day BETWEEN {p3:Date} AND {p4:Date}
            AND timestamp >= {p5:DateTime64(3, 'UTC')}
            AND timestamp < {p6:DateTime64(3, 'UTC')}
            AND breakpoint IN {p7:Array(String)}
        )
        GROUP BY page, session_id
      ) AS session
      INNER JOIN (
        SELECT session_id, timestamp, value, toString(currency) AS currency
        FROM events
        WHERE site_id = {p1:String}
          AND day >= {p3:Date}
          AND name = {p10:String}
      ) AS event USING (session_id)
      WHERE event.timestamp > first_at
      GROUP BY page, session_id
    ) AS converted USING (page, session_id)
    GROUP BY page, last_bucket
  )
)
GROUP BY page, bucket
ORDER BY page, bucket
-- p0 = 250000000000
-- p1 = 'site_golden'
-- p10 = 'signup'
-- p2 = ['https://example.com/pricing']
-- p3 = datetime.date(2026, 11, 14)
-- p4 = datetime.date(2026, 11, 21)
-- p5 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p6 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p7 = ['MOBILE']
-- p8 = 'https://example.com/pricing'
-- p9 = 25

SELECT page_key, max(has_heat) AS has_heat
FROM pages
WHERE site_id = {p0:String}
  AND page_key IN {p1:Array(String)}
GROUP BY page_key
-- p0 = 'site_golden'
-- p1 = ['https://example.com/pricing']

SELECT site_id, name, domains, plan, time_zone, retention_days, test_account_rules, replay_url_template, created_at, updated_at,
  site_id IN (SELECT site_id FROM element_marks FINAL WHERE is_fixed IS NOT NULL) AS has_fixed_marks,
  (SELECT groupUniqArrayMap(map(toString(stale_days.site_id), day)) FROM stale_days)[site_id] AS stale_days
FROM sites FINAL
WHERE site_id IN {p0:Array(String)}
ORDER BY site_id
-- p0 = ['site_golden']

SELECT {p0:String} AS page,
  uniqExact(session_id) AS sessions
FROM (
  SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, kind::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms
  FROM interactions
  WHERE site_id = {p1:String}
    AND page_key IN {p2:Array(String)}
    AND day BETWEEN {p3:Date} AND {p4:Date}
    AND timestamp >= {p5:DateTime64(3, 'UTC')}
    AND timestamp < {p6:DateTime64(3, 'UTC')}
    AND breakpoint IN {p7:Array(String)}
  UNION ALL
  SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, 'pageview'::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, session_pageviews, on_page_ms
  FROM pageviews
  WHERE site_id = {p1:String}
    AND page_key IN {p2:Array(String)}
    AND day BETWEEN {p3:Date} AND {p4:Date}
    AND timestamp >= {p5:DateTime64(3, 'UTC')}
    AND timestamp < {p6:DateTime64(3, 'UTC')}
    AND breakpoint IN {p7:Array(String)}
)
HAVING count() > 0
-- p0 = 'https://example.com/pricing'
-- p1 = 'site_golden'
-- p2 = ['https://example.com/pricing']
-- p3 = datetime.date(2026, 11, 14)
-- p4 = datetime.date(2026, 11, 21)
-- p5 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p6 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p7 = ['MOBILE']

SELECT {p0:String} AS page, sumIf(clicks, selector = '' OR (page_key, selector) IN (SELECT page_key, selector FROM element_marks FINAL WHERE site_id = {p1:String} AND deleted)) AS unattributed
FROM (
  SELECT page_key, selector,
    sum(clicks) AS clicks
  FROM (
    SELECT page_key, selector,
      sum(clicks) AS clicks
    FROM elements_daily
    WHERE site_id = {p1:String}
      AND page_key IN {p2:Array(String)}
      AND day BETWEEN {p3:Date} AND {p4:Date}
      AND breakpoint IN {p5:Array(String)}
    GROUP BY page_key, selector
    UNION ALL
    SELECT page_key, selector,
      countIf(kind IN ('click', 'dead')) AS clicks
    FROM interactions
    WHERE site_id = {p1:String}
      AND page_key IN {p2:Array(String)}
      AND day BETWEEN {p6:Date} AND {p7:Date}
      AND timestamp >= {p8:DateTime64(3, 'UTC')}
      AND timestamp < {p9:DateTime64(3, 'UTC')}
      AND breakpoint IN {p5:Array(String)}
      AND day IN {p10:Array(Date)}
      AND kind IN ('click', 'dead', 'rage')
    GROUP BY page_key, selector
  )
  GROUP BY page_key, selector
)
GROUP BY page
HAVING sum(clicks) > 0
-- p0 = 'https://example.com/pricing'
-- p1 = 'site_golden'
-- p10 = [datetime.date(2026, 11, 14), datetime.date(2026, 11, 21)]
-- p2 = ['https://example.com/pricing']
-- p3 = datetime.date(2026, 11, 15)
-- p4 = datetime.date(2026, 11, 20)
-- p5 = ['MOBILE']
-- p6 = datetime.date(2026, 11, 14)
-- p7 = datetime.date(2026, 11, 21)
-- p8 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p9 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
