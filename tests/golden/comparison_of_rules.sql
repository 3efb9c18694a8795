SELECT page,
  max(baseline_population) AS baseline_population,
  max(baseline_average_depth) AS baseline_average_depth,
  max(baseline_median_depth) AS baseline_median_depth,
  max(candidate_population) AS candidate_population,
  max(candidate_average_depth) AS candidate_average_depth,
  max(candidate_median_depth) AS candidate_median_depth,
  toJSONString(arrayMap(row -> row.2, arraySort(row -> row.1, groupArray((place, CAST(tuple(depth, CAST(tuple(baseline_reached, candidate_reached), 'Tuple(`baseline` UInt64, `candidate` UInt64)')), 'Tuple(`depth` UInt32, `visitors` Tuple(`baseline` UInt64, `candidate` UInt64))')))))) AS `buckets_buckets`
FROM (
  SELECT *, depth AS place,
    if(baseline_population = 0, NULL, baseline_reached / baseline_population) AS reach_baseline,
    if(baseline_population = 0, NULL, least((baseline_reached / baseline_population), greatest(0., ((baseline_reached / baseline_population) + 1.959963984540054 * 1.959963984540054 / (2 * baseline_population) - 1.959963984540054 * sqrt((baseline_reached / baseline_population) * (1 - (baseline_reached / baseline_population)) / baseline_population + 1.959963984540054 * 1.959963984540054 / (4 * baseline_population * baseline_population))) / (1 + 1.959963984540054 * 1.959963984540054 / baseline_population)))) AS reach_baseline_low,
    if(baseline_population = 0, NULL, greatest((baseline_reached / baseline_population), least(1., ((baseline_reached / baseline_population) + 1.959963984540054 * 1.959963984540054 / (2 * baseline_population) + 1.959963984540054 * sqrt((baseline_reached / baseline_population) * (1 - (baseline_reached / baseline_population)) / baseline_population + 1.959963984540054 * 1.959963984540054 / (4 * baseline_population * baseline_population))) / (1 + 1.959963984540054 * 1.959963984540054 / baseline_population)))) AS reach_baseline_high,
    if(candidate_population = 0, NULL, candidate_reached / candidate_population) AS reach_candidate,
    if(candidate_population = 0, NULL, least((candidate_reached / candidate_population), greatest(0., ((candidate_reached / candidate_population) + 1.959963984540054 * 1.959963984540054 / (2 * candidate_population) - 1.959963984540054 * sqrt((candidate_reached / candidate_population) * (1 - (candidate_reached / candidate_population)) / candidate_population + 1.959963984540054 * 1.959963984540054 / (4 * candidate_population * candidate_population))) / (1 + 1.959963984540054 * 1.959963984540054 / candidate_population)))) AS reach_candidate_low,
    if(candidate_population = 0, NULL, greatest((candidate_reached / candidate_population), least(1., ((candidate_reached / candidate_population) + 1.959963984540054 * 1.959963984540054 / (2 * candidate_population) + 1.959963984540054 * sqrt((candidate_reached / candidate_population) * (1 - (candidate_reached / candidate_population)) / candidate_population + 1.959963984540054 * 1.959963984540054 / (4 * candidate_population * candidate_population))) / (1 + 1.959963984540054 * 1.959963984540054 / candidate_population)))) AS reach_candidate_high,
    reach_candidate - reach_baseline AS reach_delta,
    reach_delta - sqrt(pow(reach_candidate - reach_candidate_low, 2) + pow(reach_baseline_high - reach_baseline, 2)) AS reach_low,
    reach_delta + sqrt(pow(reach_candidate_high - reach_candidate, 2) + pow(reach_baseline - reach_baseline_low, 2)) AS reach_high
  FROM (
    SELECT page, depth,
      sumIf(reached, NOT candidate) AS baseline_reached,
      sumIf(reached, candidate) AS candidate_reached,
      max(maxIf(population, NOT candidate)) OVER (PARTITION BY page) AS baseline_population,
      max(maxIf(population, candidate)) OVER (PARTITION BY page) AS candidate_population,
      maxOrNullIf(average_depth, NOT candidate) AS baseline_average_depth,
      maxOrNullIf(median_depth, NOT candidate) AS baseline_median_depth,
      maxOrNullIf(average_depth, candidate) AS candidate_average_depth,
      maxOrNullIf(median_depth, candidate) AS candidate_median_depth
    FROM (
      SELECT page, false AS candidate, population, average_depth, median_depth, depth, reached
      FROM (
        SELECT page, sum(ended) AS population, sum(pageviews) AS pageviews,
          sum(depth_sum) / population AS average_depth,
          quantileExactWeightedInterpolatedMerge(0.5)(median_state) AS median_depth,
          groupArrayInsertAt(0)(ended, bucket) AS ended_by_depth,
          arrayReverse(arrayCumSum(arrayReverse(ended_by_depth))) AS reached_by_depth,
          range(0, toUInt32(length(ended_by_depth) * {p1:UInt32}), {p1:UInt32}) AS depths
        FROM (
          SELECT '' AS page, toUInt32(least(intDiv(reached_px, {p0:UInt64}), 1999)) AS bucket,
            sum(toUInt128(reached_px) * 1) AS depth_sum,
            quantileExactWeightedInterpolatedState(0.5)(reached_px, 1) AS median_state,
            sum(1) AS ended, sum(1) AS pageviews
          FROM pageviews
          WHERE site_id = {p2:String}
            AND day BETWEEN {p3:Date} AND {p4:Date}
            AND startsWith(page_key, {p5:String})
            AND if(startsWith(url_rest, 'http') OR page_key = {p5:String}, startsWith(url, {p6:String}), startsWith(page_key, {p6:String}))
          GROUP BY page, bucket
        )
        GROUP BY page
      )
      ARRAY JOIN depths AS depth, reached_by_depth AS reached
      UNION ALL
      SELECT page, true AS candidate, population, average_depth, median_depth, depth, reached
      FROM (
        SELECT page, sum(ended) AS population, sum(pageviews) AS pageviews,
          sum(depth_sum) / population AS average_depth,
          quantileExactWeightedInterpolatedMerge(0.5)(median_state) AS median_depth,
          groupArrayInsertAt(0)(ended, bucket) AS ended_by_depth,
          arrayReverse(arrayCumSum(arrayReverse(ended_by_depth))) AS reached_by_depth,
          range(0, toUInt32(length(ended_by_depth) * {p1:UInt32}), {p1:UInt32}) AS depths
        FROM (
          SELECT '' AS page, toUInt32(least(intDiv(reached_px, {p0:UInt64}), 1999)) AS bucket,
            sum(toUInt128(reached_px) * pageviews) AS depth_sum,
            quantileExactWeightedInterpolatedState(0.5)(reached_px, pageviews) AS median_state,
            sum(pageviews) AS ended, sum(pageviews) AS pageviews
          FROM depths_daily
          WHERE site_id = {p2:String}
            AND day BETWEEN {p3:Date} AND {p4:Date}
          GROUP BY page, bucket
        )
        GROUP BY page
      )
      ARRAY JOIN depths AS depth, reached_by_depth AS reached
    )
    GROUP BY page, depth
  )
)
GROUP BY page
-- p0 = 100
-- p1 = 100
-- p2 = 'site_golden'
-- p3 = datetime.date(2026, 11, 2)
-- p4 = datetime.date(2026, 11, 8)
-- p5 = 'https://example.com/blog'
-- p6 = 'https://example.com/blog/'

SELECT page, toJSONString(arrayMap(row -> row.2, arraySort(row -> row.1, groupArray((place, CAST(tuple(CAST(tuple(selector), 'Tuple(`selector` String)'), CAST(tuple(click_share_delta), 'Tuple(`delta` Nullable(Float64))')), 'Tuple(`element` Tuple(`selector` String), `clickShare` Tuple(`delta` Nullable(Float64)))')))))) AS rows
FROM (
  SELECT *
  FROM (
    SELECT *, row_number() OVER (PARTITION BY page ORDER BY abs(toInt128(candidate_clicks) * baseline_all_clicks - toInt128(baseline_clicks) * candidate_all_clicks) DESC, abs(toInt64(candidate_clicks) - toInt64(baseline_clicks)) DESC, greatest(baseline_clicks, candidate_clicks) DESC, selector) AS place
    FROM (
      SELECT *,
        if(baseline_all_sessions = 0, NULL, baseline_sessions / baseline_all_sessions) AS click_rate_baseline,
        if(baseline_all_sessions = 0, NULL, least((baseline_sessions / baseline_all_sessions), greatest(0., ((baseline_sessions / baseline_all_sessions) + 1.959963984540054 * 1.959963984540054 / (2 * baseline_all_sessions) - 1.959963984540054 * sqrt((baseline_sessions / baseline_all_sessions) * (1 - (baseline_sessions / baseline_all_sessions)) / baseline_all_sessions + 1.959963984540054 * 1.959963984540054 / (4 * baseline_all_sessions * baseline_all_sessions))) / (1 + 1.959963984540054 * 1.959963984540054 / baseline_all_sessions)))) AS click_rate_baseline_low,
        if(baseline_all_sessions = 0, NULL, greatest((baseline_sessions / baseline_all_sessions), least(1., ((baseline_sessions / baseline_all_sessions) + 1.959963984540054 * 1.959963984540054 / (2 * baseline_all_sessions) + 1.959963984540054 * sqrt((baseline_sessions / baseline_all_sessions) * (1 - (baseline_sessions / baseline_all_sessions)) / baseline_all_sessions + 1.959963984540054 * 1.959963984540054 / (4 * baseline_all_sessions * baseline_all_sessions))) / (1 + 1.959963984540054 * 1.959963984540054 / baseline_all_sessions)))) AS click_rate_baseline_high,
        if(candidate_all_sessions = 0, NULL, candidate_sessions / candidate_all_sessions) AS click_rate_candidate,
        if(candidate_all_sessions = 0, NULL, least((candidate_sessions / candidate_all_sessions), greatest(0., ((candidate_sessions / candidate_all_sessions) + 1.959963984540054 * 1.959963984540054 / (2 * candidate_all_sessions) - 1.959963984540054 * sqrt((candidate_sessions / candidate_all_sessions) * (1 - (candidate_sessions / candidate_all_sessions)) / candidate_all_sessions + 1.959963984540054 * 1.959963984540054 / (4 * candidate_all_sessions * candidate_all_sessions))) / (1 + 1.959963984540054 * 1.959963984540054 / candidate_all_sessions)))) AS click_rate_candidate_low,
        if(candidate_all_sessions = 0, NULL, greatest((candidate_sessions / candidate_all_sessions), least(1., ((candidate_sessions / candidate_all_sessions) + 1.959963984540054 * 1.959963984540054 / (2 * candidate_all_sessions) + 1.959963984540054 * sqrt((candidate_sessions / candidate_all_sessions) * (1 - (candidate_sessions / candidate_all_sessions)) / candidate_all_sessions + 1.959963984540054 * 1.959963984540054 / (4 * candidate_all_sessions * candidate_all_sessions))) / (1 + 1.959963984540054 * 1.959963984540054 / candidate_all_sessions)))) AS click_rate_candidate_high,
        click_rate_candidate - click_rate_baseline AS click_rate_delta,
        click_rate_delta - sqrt(pow(click_rate_candidate - click_rate_candidate_low, 2) + pow(click_rate_baseline_high - click_rate_baseline, 2)) AS click_rate_low,
        click_rate_delta + sqrt(pow(click_rate_candidate_high - click_rate_candidate, 2) + pow(click_rate_baseline - click_rate_baseline_low, 2)) AS click_rate_high,
        if(baseline_all_clicks = 0, NULL, baseline_clicks / baseline_all_clicks) AS click_share_baseline,
        if(baseline_all_clicks = 0, NULL, least((baseline_clicks / baseline_all_clicks), greatest(0., ((baseline_clicks / baseline_all_clicks) + 1.959963984540054 * 1.959963984540054 / (2 * baseline_all_clicks) - 1.959963984540054 * sqrt((baseline_clicks / baseline_all_clicks) * (1 - (baseline_clicks / baseline_all_clicks)) / baseline_all_clicks + 1.959963984540054 * 1.959963984540054 / (4 * baseline_all_clicks * baseline_all_clicks))) / (1 + 1.959963984540054 * 1.959963984540054 / baseline_all_clicks)))) AS click_share_baseline_low,
        if(baseline_all_clicks = 0, NULL, greatest((baseline_clicks / baseline_all_clicks), least(1., ((baseline_clicks / baseline_all_clicks) + 1.959963984540054 * 1.959963984540054 / (2 * baseline_all_clicks) + 1.959963984540054 * sqrt((baseline_clicks / baseline_all_clicks) * (1 - (baseline_clicks / baseline_all_clicks)) / baseline_all_clicks + 1.959963984540054 * 1.959963984540054 / (4 * baseline_all_clicks * baseline_all_clicks))) / (1 + 1.959963984540054 * 1.959963984540054 / baseline_all_clicks)))) AS click_share_baseline_high,
        if(candidate_all_clicks = 0, NULL, candidate_clicks / candidate_all_clicks) AS click_share_candidate,
        if(candidate_all_clicks = 0, NULL, least((candidate_clicks / candidate_all_clicks), greatest(0., ((candidate_clicks / candidate_all_clicks) + 1.959963984540054 * 1.959963984540054 / (2 * candidate_all_clicks) - 1.959963984540054 * sqrt((candidate_clicks / candidate_all_clicks) * (1 - (candidate_clicks / candidate_all_clicks)) / candidate_all_clicks + 1.959963984540054 * 1.959963984540054 / (4 * candidate_all_clicks * candidate_all_clicks))) / (1 + 1.959963984540054 * 1.959963984540054 / candidate_all_clicks)))) AS click_share_candidate_low,
        if(candidate_all_clicks = 0, NULL, greatest((candidate_clicks / candidate_all_clicks), least(1., ((candidate_clicks / candidate_all_clicks) + 1.959963984540054 * 1.959963984540054 / (2 * candidate_all_clicks) + 1.959963984540054 * sqrt((candidate_clicks / candidate_all_clicks) * (1 - (candidate_clicks / candidate_all_clicks)) / candidate_all_clicks + 1.959963984540054 * 1.959963984540054 / (4 * candidate_all_clicks * candidate_all_clicks))) / (1 + 1.959963984540054 * 1.959963984540054 / candidate_all_clicks)))) AS click_share_candidate_high,
        click_share_candidate - click_share_baseline AS click_share_delta,
        click_share_delta - sqrt(pow(click_share_candidate - click_share_candidate_low, 2) + pow(click_share_baseline_high - click_share_baseline, 2)) AS click_share_low,
        click_share_delta + sqrt(pow(click_share_candidate_high - click_share_candidate, 2) + pow(click_share_baseline - click_share_baseline_low, 2)) AS click_share_high
      FROM (
        SELECT *,
          sum(baseline_clicks) OVER (PARTITION BY page) AS baseline_all_clicks,
          sum(candidate_clicks) OVER (PARTITION BY page) AS candidate_all_clicks
        FROM (
          SELECT page, selector,
            countIf(NOT candidate) AS baseline_clicks, uniqExactIf(session_id, NOT candidate) AS baseline_sessions,
            countIf(candidate) AS candidate_clicks, uniqExactIf(session_id, candidate) AS candidate_sessions,
            argMax((tag, text), bitOr(bitShiftLeft(toUInt128(candidate), 127), bitOr(bitShiftLeft(toUInt128(toUnixTimestamp64Milli(timestamp)), 64), toUInt128(row_id)))) AS latest, latest.1 AS tag, latest.2 AS text
          FROM (
            SELECT '' AS page, false AS candidate, if((page_key, selector) IN (SELECT page_key, selector FROM element_marks FINAL WHERE site_id = {p0:String} AND deleted), '', toString(selector)) AS selector, toString(tag) AS tag, toString(text) AS text, session_id, timestamp, row_id
            FROM interactions
            WHERE site_id = {p0:String}
              AND day BETWEEN {p1:Date} AND {p2:Date}
              AND startsWith(page_key, {p3:String})
              AND if(startsWith(url_rest, 'http') OR page_key = {p3:String}, startsWith(url, {p4:String}), startsWith(page_key, {p4:String}))
              AND kind IN ('click', 'dead')
            UNION ALL
            SELECT '' AS page, true AS candidate, if((page_key, selector) IN (SELECT page_key, selector FROM element_marks FINAL WHERE site_id = {p0:String} AND deleted), '', toString(selector)) AS selector, toString(tag) AS tag, toString(text) AS text, session_id, timestamp, row_id
            FROM interactions
            WHERE site_id = {p0:String}
              AND day BETWEEN {p1:Date} AND {p2:Date}
              AND kind IN ('click', 'dead')
          )
          GROUP BY page, selector
        ) AS clicks
        INNER JOIN (
          SELECT page,
            uniqExactIf(session_id, NOT candidate) AS baseline_all_sessions,
            uniqExactIf(session_id, candidate) AS candidate_all_sessions
          FROM (
            SELECT '' AS page, false AS candidate, session_id
            FROM (
              SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, kind::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms
              FROM interactions
              WHERE site_id = {p0:String}
                AND day BETWEEN {p1:Date} AND {p2:Date}
                AND startsWith(page_key, {p3:String})
                AND if(startsWith(url_rest, 'http') OR page_key = {p3:String}, startsWith(url, {p4:String}), startsWith(page_key, {p4:String}))
              UNION ALL
              SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, 'pageview'::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, session_pageviews, on_page_ms
              FROM pageviews
              WHERE site_id = {p0:String}
                AND day BETWEEN {p1:Date} AND {p2:Date}
                AND startsWith(page_key, {p3:String})
                AND if(startsWith(url_rest, 'http') OR page_key = {p3:String}, startsWith(url, {p4:String}), startsWith(page_key, {p4:String}))
            )
            UNION ALL
            SELECT '' AS page, true AS candidate, session_id
            FROM (
              SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, kind::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms
              FROM interactions
              WHERE site_id = {p0:String}
                AND day BETWEEN {p1:Date} AND {p2:Date}
              UNION ALL
              SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, 'pageview'::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, session_pageviews, on_page_ms
              FROM pageviews
              WHERE site_id = {p0:String}
                AND day BETWEEN {p1:Date} AND {p2:Date}
            )
          )
          GROUP BY page
        ) AS populations USING (page)
      )
      WHERE selector != ''
    )
  )
  WHERE place <= {p5:UInt32}
)
GROUP BY page
-- p0 = 'site_golden'
-- p1 = datetime.date(2026, 11, 2)
-- p2 = datetime.date(2026, 11, 8)
-- p3 = 'https://example.com/blog'
-- p4 = 'https://example.com/blog/'
-- p5 = 25

SELECT site_id, name, domains, plan, time_zone, retention_days, test_account_rules, replay_url_template, created_at, updated_at,
  site_id IN (SELECT site_id FROM element_marks FINAL WHERE is_fixed IS NOT NULL) AS has_fixed_marks,
  (SELECT groupUniqArrayMap(map(toString(stale_days.site_id), day)) FROM stale_days)[site_id] AS stale_days
FROM sites FINAL
WHERE site_id IN {p0:Array(String)}
ORDER BY site_id
-- p0 = ['site_golden']
