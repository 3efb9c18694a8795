SELECT 0 AS question, *
FROM (
SELECT {q0_p0:String} AS page,
  countIf(kind IN ('click', 'dead')) AS clicks,
  uniqExact(row_page) AS pages,
  toFloat64(toString(min(sample_rate))) AS sample_rate,
  uniqExact(session_id) AS sessions
FROM (
  SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, kind::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms
  FROM interactions
  WHERE site_id = {q0_p1:String}
    AND page_key IN {q0_p2:Array(String)}
    AND day BETWEEN {q0_p3:Date} AND {q0_p4:Date}
    AND timestamp >= {q0_p5:DateTime64(3, 'UTC')}
    AND timestamp < {q0_p6:DateTime64(3, 'UTC')}
    AND breakpoint IN {q0_p7:Array(String)}
  UNION ALL
  SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, 'pageview'::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, session_pageviews, on_page_ms
  FROM pageviews
  WHERE site_id = {q0_p1:String}
    AND page_key IN {q0_p2:Array(String)}
    AND day BETWEEN {q0_p3:Date} AND {q0_p4:Date}
    AND timestamp >= {q0_p5:DateTime64(3, 'UTC')}
    AND timestamp < {q0_p6:DateTime64(3, 'UTC')}
    AND breakpoint IN {q0_p7:Array(String)}
)
HAVING count() > 0
)
UNION ALL
SELECT 1 AS question, *
FROM (
SELECT {q1_p0:String} AS page,
  countIf(kind IN ('click', 'dead')) AS clicks,
  uniqExact(row_page) AS pages,
  toFloat64(toString(min(sample_rate))) AS sample_rate,
  uniqExact(session_id) AS sessions
FROM (
  SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, kind::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms
  FROM interactions
  WHERE site_id = {q1_p1:String}
    AND page_key IN {q1_p2:Array(String)}
    AND day BETWEEN {q1_p3:Date} AND {q1_p4:Date}
    AND timestamp >= {q1_p5:DateTime64(3, 'UTC')}
    AND timestamp < {q1_p6:DateTime64(3, 'UTC')}
    AND breakpoint IN {q1_p7:Array(String)}
  UNION ALL
  SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, 'pageview'::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, session_pageviews, on_page_ms
  FROM pageviews
  WHERE site_id = {q1_p1:String}
    AND page_key IN {q1_p2:Array(String)}
    AND day BETWEEN {q1_p3:Date} AND {q1_p4:Date}
    AND timestamp >= {q1_p5:DateTime64(3, 'UTC')}
    AND timestamp < {q1_p6:DateTime64(3, 'UTC')}
    AND breakpoint IN {q1_p7:Array(String)}
)
HAVING count() > 0
)
-- q0_p0 = 'https://example.com/pricing'
-- q0_p1 = 'site_golden'
-- q0_p2 = ['https://example.com/pricing']
-- q0_p3 = datetime.date(2026, 11, 14)
-- q0_p4 = datetime.date(2026, 11, 21)
-- q0_p5 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- q0_p6 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- q0_p7 = ['MOBILE']
-- q1_p0 = 'https://example.com/pricing'
-- q1_p1 = 'site_golden'
-- q1_p2 = ['https://example.com/pricing']
-- q1_p3 = datetime.date(2026, 11, 14)
-- q1_p4 = datetime.date(2026, 11, 21)
-- q1_p5 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- q1_p6 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- q1_p7 = ['DESKTOP']

SELECT 0 AS question, *
FROM (
SELECT {q0_p10:String} AS page,
  sumIf(scrolling, scrolling AND kind IN ('click', 'dead')) AS CLICK_total,
  sumIf(scrolling_below, scrolling AND kind IN ('click', 'dead')) AS CLICK_below_fold,
  toUInt32(round(quantileExactWeightedInterpolatedOrNullIf(0.5)(viewport_height, scrolling, scrolling AND kind IN ('click', 'dead')))) AS CLICK_median_viewport_height
FROM (
  SELECT kind, viewport_height, scrolling, scrolling_below
  FROM folds_daily
  WHERE site_id = {q0_p0:String}
    AND page_key IN {q0_p1:Array(String)}
    AND day BETWEEN {q0_p2:Date} AND {q0_p3:Date}
    AND breakpoint IN {q0_p4:Array(String)}
    AND kind IN ('click', 'dead')
  UNION ALL
  SELECT kind, viewport_height, NOT fixed AND NOT (default_cell = 2047) AS scrolling, y > viewport_height AS scrolling_below
  FROM interactions
  WHERE site_id = {q0_p0:String}
    AND page_key IN {q0_p1:Array(String)}
    AND day BETWEEN {q0_p5:Date} AND {q0_p6:Date}
    AND timestamp >= {q0_p7:DateTime64(3, 'UTC')}
    AND timestamp < {q0_p8:DateTime64(3, 'UTC')}
    AND breakpoint IN {q0_p4:Array(String)}
    AND day IN {q0_p9:Array(Date)}
    AND kind IN ('click', 'dead')
)
HAVING count() > 0
)
UNION ALL
SELECT 1 AS question, *
FROM (
SELECT {q1_p10:String} AS page,
  sumIf(scrolling, scrolling AND kind IN ('click', 'dead')) AS CLICK_total,
  sumIf(scrolling_below, scrolling AND kind IN ('click', 'dead')) AS CLICK_below_fold,
  toUInt32(round(quantileExactWeightedInterpolatedOrNullIf(0.5)(viewport_height, scrolling, scrolling AND kind IN ('click', 'dead')))) AS CLICK_median_viewport_height
FROM (
  SELECT kind, viewport_height, scrolling, scrolling_below
  FROM folds_daily
  WHERE site_id = {q1_p0:String}
    AND page_key IN {q1_p1:Array(String)}
    AND day BETWEEN {q1_p2:Date} AND {q1_p3:Date}
    AND breakpoint IN {q1_p4:Array(String)}
    AND kind IN ('click', 'dead')
  UNION ALL
  SELECT kind, viewport_height, NOT fixed AND NOT (default_cell = 2047) AS scrolling, y > viewport_height AS scrolling_below
  FROM interactions
  WHERE site_id = {q1_p0:String}
    AND page_key IN {q1_p1:Array(String)}
    AND day BETWEEN {q1_p5:Date} AND {q1_p6:Date}
    AND timestamp >= {q1_p7:DateTime64(3, 'UTC')}
    AND timestamp < {q1_p8:DateTime64(3, 'UTC')}
    AND breakpoint IN {q1_p4:Array(String)}
    AND day IN {q1_p9:Array(Date)}
    AND kind IN ('click', 'dead')
)
HAVING count() > 0
)
-- q0_p0 = 'site_golden'
-- q0_p1 = ['https://example.com/pricing']
-- q0_p10 = 'https://example.com/pricing'
-- q0_p2 = datetime.date(2026, 11, 15)
-- q0_p3 = datetime.date(2026, 11, 20)
-- q0_p4 = ['MOBILE']
-- q0_p5 = datetime.date(2026, 11, 14)
-- q0_p6 = datetime.date(2026, 11, 21)
-- q0_p7 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- q0_p8 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- q0_p9 = [datetime.date(2026, 11, 14), datetime.date(2026, 11, 21)]
-- q1_p0 = 'site_golden'
-- q1_p1 = ['https://example.com/pricing']
-- q1_p10 = 'https://example.com/pricing'
-- q1_p2 = datetime.date(2026, 11, 15)
-- q1_p3 = datetime.date(2026, 11, 20)
-- q1_p4 = ['DESKTOP']
-- q1_p5 = datetime.date(2026, 11, 14)
-- q1_p6 = datetime.date(2026, 11, 21)
-- q1_p7 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- q1_p8 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- q1_p9 = [datetime.date(2026, 11, 14), datetime.date(2026, 11, 21)]

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
