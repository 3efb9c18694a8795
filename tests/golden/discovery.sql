SELECT
  (SELECT count() FROM (SELECT 1 FROM pages WHERE site_id = {p0:String} AND 1 LIMIT 1)) > 0 AS sessions,
  (SELECT count() FROM (SELECT 1 FROM interactions WHERE site_id = {p0:String} AND kind IN ('click', 'dead') LIMIT 1)) > 0 AS clicks,
  (SELECT count() FROM (SELECT 1 FROM interactions WHERE site_id = {p0:String} AND kind IN ('dead') LIMIT 1)) > 0 AS dead_clicks,
  (SELECT count() FROM (SELECT 1 FROM interactions WHERE site_id = {p0:String} AND kind IN ('move') LIMIT 1)) > 0 AS moves,
  (SELECT count() FROM (SELECT 1 FROM interactions WHERE site_id = {p0:String} AND kind IN ('click', 'dead') AND selector != '' LIMIT 1)) > 0 AS selectors,
  (SELECT count() FROM (SELECT 1 FROM elements WHERE site_id = {p0:String} AND 1 LIMIT 1)) > 0 AS positions,
  (SELECT count() FROM (SELECT 1 FROM pageviews WHERE site_id = {p0:String} AND reached_px > viewport_height LIMIT 1)) > 0 AS scrolls,
  (SELECT count() FROM (SELECT 1 FROM pageviews WHERE site_id = {p0:String} AND notEmpty(seen_ms) LIMIT 1)) > 0 AS attention,
  (SELECT count() FROM (SELECT 1 FROM events WHERE site_id = {p0:String} AND 1 LIMIT 1)) > 0 AS events,
  (SELECT count() FROM (SELECT 1 FROM events WHERE site_id = {p0:String} AND conversion LIMIT 1)) > 0 AS conversions,
  (SELECT count() FROM (SELECT 1 FROM sessions WHERE site_id = {p0:String} AND browser != '' LIMIT 1)) > 0 AS browser,
  (SELECT count() FROM (SELECT 1 FROM sessions WHERE site_id = {p0:String} AND country != '' LIMIT 1)) > 0 AS country,
  (SELECT count() FROM (SELECT 1 FROM sessions WHERE site_id = {p0:String} AND region != '' LIMIT 1)) > 0 AS region,
  (SELECT count() FROM (SELECT 1 FROM sessions WHERE site_id = {p0:String} AND traffic_source != '' LIMIT 1)) > 0 AS traffic_source,
  (SELECT count() FROM (SELECT 1 FROM sessions WHERE site_id = {p0:String} AND campaign != '' LIMIT 1)) > 0 AS campaign,
  (SELECT count() FROM (SELECT 1 FROM sessions WHERE site_id = {p0:String} AND variant != '' LIMIT 1)) > 0 AS variant,
  (SELECT count() FROM (SELECT 1 FROM sessions WHERE site_id = {p0:String} AND entry_page != '' LIMIT 1)) > 0 AS entry_page
SETTINGS max_threads = 1, max_block_size = 8192
-- p0 = 'site_golden'

SELECT minOrNull(first_seen) AS data_from, maxOrNull(last_seen) AS data_to, uniqExact(page_key) AS pages
FROM pages
WHERE site_id = {p0:String}
-- p0 = 'site_golden'

SELECT page, toJSONString(arrayMap(row -> row.2, arraySort(row -> row.1, groupArray((place, CAST(tuple(nullIf(value, ''), sessions, CAST(tuple(if(all_sessions = 0, NULL, sessions / all_sessions)), 'Tuple(`value` Nullable(Float64))')), 'Tuple(`source` Nullable(String), `sessions` UInt64, `share` Tuple(`value` Nullable(Float64)))')))))) AS rows
FROM (
  SELECT page, place, place = {p7:UInt32} AS is_other, if(is_other, '', any(value)) AS value,
    sum(pageviews) AS pageviews,
    sum(clicks) AS clicks,
    sum(rage_clicks) AS rage_clicks,
    sum(dead_clicks) AS dead_clicks,
    uniqExactMerge(people) AS visitors, sum(sessions) AS sessions, any(all_sessions) AS all_sessions
  FROM (
    SELECT *, sum(sessions) OVER (PARTITION BY page) AS all_sessions,
      least({p7:UInt32}, row_number() OVER (PARTITION BY page ORDER BY sessions DESC, clicks DESC, value)) AS place
    FROM (
      SELECT page, value,
        sum(pageviews) AS pageviews,
        sum(clicks) AS clicks,
        sum(rage_clicks) AS rage_clicks,
        sum(dead_clicks) AS dead_clicks,
        uniqExactStateArray(people) AS people, count() AS sessions
      FROM (
        SELECT page, substring(min(concat(reverse(reinterpretAsFixedString(toUnixTimestamp64Milli(timestamp))), value)), 9) AS value,
          countIf(kind = 'pageview') AS pageviews,
          countIf(kind IN ('click', 'dead')) AS clicks,
          countIf(kind = 'rage') AS rage_clicks,
          countIf(kind = 'dead') AS dead_clicks,
          groupUniqArray(visitor_id) AS people
        FROM (
          SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, toString(traffic_source) AS value, timestamp, {p0:String} AS page, kind::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms
          FROM interactions
          WHERE site_id = {p1:String}
            AND page_key IN {p2:Array(String)}
            AND day BETWEEN {p3:Date} AND {p4:Date}
            AND timestamp >= {p5:DateTime64(3, 'UTC')}
            AND timestamp < {p6:DateTime64(3, 'UTC')}
          UNION ALL
          SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, toString(traffic_source) AS value, timestamp, {p0:String} AS page, 'pageview'::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, session_pageviews, on_page_ms
          FROM pageviews
          WHERE site_id = {p1:String}
            AND page_key IN {p2:Array(String)}
            AND day BETWEEN {p3:Date} AND {p4:Date}
            AND timestamp >= {p5:DateTime64(3, 'UTC')}
            AND timestamp < {p6:DateTime64(3, 'UTC')}
        )
        GROUP BY page, session_id
      )
      GROUP BY page, value
    )
  )
  GROUP BY page, place
)
GROUP BY page
-- p0 = 'https://example.com/pricing'
-- p1 = 'site_golden'
-- p2 = ['https://example.com/pricing']
-- p3 = datetime.date(2026, 11, 14)
-- p4 = datetime.date(2026, 11, 21)
-- p5 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p6 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p7 = 4

SELECT page, toJSONString(arrayMap(row -> row.2, arraySort(row -> row.1, groupArray((start, CAST(tuple(replaceRegexpOne(formatDateTime(start, '%FT%T%z', zone), '(..)$', ':\\1'), clicks), 'Tuple(`start` String, `clicks` UInt64)')))))) AS points
FROM (
  SELECT page, start, pageviews, visitors, sessions, clicks, rage_clicks, dead_clicks,
    {p0:String} AS zone, start < {p1:DateTime64(3, 'UTC')} OR toStartOfDay(addHours(start, 36), {p0:String}) > {p2:DateTime64(3, 'UTC')} AS is_partial
  FROM (
    SELECT DISTINCT arrayJoin({p4:Array(String)}) AS page, toStartOfDay(moment, {p0:String}) AS start
    FROM (SELECT least(arrayJoin(arrayMap(stride -> addSeconds({p1:DateTime64(3, 'UTC')}, stride * 43200), range(16))), subtractMilliseconds({p2:DateTime64(3, 'UTC')}, 1)) AS moment)
  ) AS intervals
  LEFT JOIN (
    SELECT page, start,
      countIf(kind = 'pageview') AS pageviews,
      uniqExact(visitor_id) AS visitors,
      uniqExact(session_id) AS sessions,
      countIf(kind IN ('click', 'dead')) AS clicks,
      countIf(kind = 'rage') AS rage_clicks,
      countIf(kind = 'dead') AS dead_clicks
    FROM (
      SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, {p3:String} AS page, toStartOfDay(timestamp, {p0:String}) AS start, kind::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms
      FROM interactions
      WHERE site_id = {p5:String}
        AND page_key IN {p4:Array(String)}
        AND day BETWEEN {p6:Date} AND {p7:Date}
        AND timestamp >= {p1:DateTime64(3, 'UTC')}
        AND timestamp < {p2:DateTime64(3, 'UTC')}
      UNION ALL
      SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, {p3:String} AS page, toStartOfDay(timestamp, {p0:String}) AS start, 'pageview'::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, session_pageviews, on_page_ms
      FROM pageviews
      WHERE site_id = {p5:String}
        AND page_key IN {p4:Array(String)}
        AND day BETWEEN {p6:Date} AND {p7:Date}
        AND timestamp >= {p1:DateTime64(3, 'UTC')}
        AND timestamp < {p2:DateTime64(3, 'UTC')}
    )
    GROUP BY page, start
  ) AS counted USING (page, start)
)
GROUP BY page
-- p0 = 'Europe/Berlin'
-- p1 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p2 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p3 = 'https://example.com/pricing'
-- p4 = ['https://example.com/pricing']
-- p5 = 'site_golden'
-- p6 = datetime.date(2026, 11, 14)
-- p7 = datetime.date(2026, 11, 21)

SELECT page, toJSONString(groupArray(CAST(tuple(value, sessions), 'Tuple(`value` String, `sessions` UInt64)'))) AS values
FROM (
  SELECT page, value,
    countIf(kind = 'pageview') AS pageviews,
    uniqExact(visitor_id) AS visitors,
    uniqExact(session_id) AS sessions
  FROM (
    SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, '' AS page, toString(country) AS value, kind::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms
    FROM interactions
    WHERE site_id = {p1:String}
      AND day BETWEEN {p2:Date} AND {p3:Date}
      AND timestamp >= {p4:DateTime64(3, 'UTC')}
      AND timestamp < {p5:DateTime64(3, 'UTC')}
      AND country != ''
      AND positionCaseInsensitiveUTF8(toString(country), {p0:String}) > 0
    UNION ALL
    SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, '' AS page, toString(country) AS value, 'pageview'::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, session_pageviews, on_page_ms
    FROM pageviews
    WHERE site_id = {p1:String}
      AND day BETWEEN {p2:Date} AND {p3:Date}
      AND timestamp >= {p4:DateTime64(3, 'UTC')}
      AND timestamp < {p5:DateTime64(3, 'UTC')}
      AND country != ''
      AND positionCaseInsensitiveUTF8(toString(country), {p0:String}) > 0
  )
  GROUP BY page, value
  ORDER BY sessions DESC, pageviews DESC, value
  LIMIT {p6:UInt32} BY page
)
GROUP BY page
-- p0 = 'd'
-- p1 = 'site_golden'
-- p2 = datetime.date(2026, 11, 14)
-- p3 = datetime.date(2026, 11, 21)
-- p4 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p5 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p6 = 25

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

SELECT toJSONString(groupArray(CAST(tuple(event_name, sessions), 'Tuple(`name` String, `sessions` UInt64)'))) AS values
FROM (
  SELECT toString(name) AS event_name, count() AS events, uniqExact(session_id) AS sessions, max(conversion) AS is_conversion
  FROM events
  WHERE site_id = {p0:String}
    AND day BETWEEN {p1:Date} AND {p2:Date}
    AND timestamp >= {p3:DateTime64(3, 'UTC')}
    AND timestamp < {p4:DateTime64(3, 'UTC')}
    AND positionCaseInsensitiveUTF8(toString(name), {p5:String}) > 0
  GROUP BY event_name
  ORDER BY sessions DESC, events DESC, event_name
  LIMIT {p6:UInt32}
)
-- p0 = 'site_golden'
-- p1 = datetime.date(2026, 11, 14)
-- p2 = datetime.date(2026, 11, 21)
-- p3 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p4 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p5 = 's'
-- p6 = 25
