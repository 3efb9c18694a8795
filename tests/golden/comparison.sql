SELECT 0 AS question, *
FROM (
SELECT {q0_p0:String} AS page,
  uniqExactIf(session_id, session_pageviews = 1) AS bounced_sessions,
  countIf(kind IN ('click', 'dead')) AS clicks,
  countIf(kind = 'dead') AS dead_clicks,
  uniqExactIf(session_id, kind = 'dead') AS dead_sessions,
  countIf(kind IN ('click', 'dead') AND breakpoint = 'DESKTOP') AS desktop_clicks,
  countIf(kind IN ('click', 'dead') AND breakpoint = 'MOBILE') AS mobile_clicks,
  sum(on_page_ms) AS on_page_ms,
  uniqExact(row_page) AS pages,
  countIf(kind = 'pageview') AS pageviews,
  countIf(kind = 'rage') AS rage_clicks,
  uniqExactIf(session_id, kind = 'rage') AS rage_sessions,
  toFloat64(toString(min(sample_rate))) AS sample_rate,
  uniqExact(session_id) AS sessions,
  countIf(kind IN ('click', 'dead') AND breakpoint = 'TABLET') AS tablet_clicks,
  countIf(on_page_ms > 0) AS timed_pageviews,
  uniqExact(visitor_id) AS visitors
FROM (
  SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, kind::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms
  FROM interactions
  WHERE site_id = {q0_p1:String}
    AND page_key IN {q0_p2:Array(String)}
    AND day BETWEEN {q0_p3:Date} AND {q0_p4:Date}
    AND breakpoint IN {q0_p5:Array(String)}
  UNION ALL
  SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, 'pageview'::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, session_pageviews, on_page_ms
  FROM pageviews
  WHERE site_id = {q0_p1:String}
    AND page_key IN {q0_p2:Array(String)}
    AND day BETWEEN {q0_p3:Date} AND {q0_p4:Date}
    AND breakpoint IN {q0_p5:Array(String)}
)
HAVING count() > 0
)
UNION ALL
SELECT 1 AS question, *
FROM (
SELECT {q1_p0:String} AS page,
  uniqExactIf(session_id, session_pageviews = 1) AS bounced_sessions,
  countIf(kind IN ('click', 'dead')) AS clicks,
  countIf(kind = 'dead') AS dead_clicks,
  uniqExactIf(session_id, kind = 'dead') AS dead_sessions,
  countIf(kind IN ('click', 'dead') AND breakpoint = 'DESKTOP') AS desktop_clicks,
  countIf(kind IN ('click', 'dead') AND breakpoint = 'MOBILE') AS mobile_clicks,
  sum(on_page_ms) AS on_page_ms,
  uniqExact(row_page) AS pages,
  countIf(kind = 'pageview') AS pageviews,
  countIf(kind = 'rage') AS rage_clicks,
  uniqExactIf(session_id, kind = 'rage') AS rage_sessions,
  toFloat64(toString(min(sample_rate))) AS sample_rate,
  uniqExact(session_id) AS sessions,
  countIf(kind IN ('click', 'dead') AND breakpoint = 'TABLET') AS tablet_clicks,
  countIf(on_page_ms > 0) AS timed_pageviews,
  uniqExact(visitor_id) AS visitors
FROM (
  SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, kind::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms
  FROM interactions
  WHERE site_id = {q1_p1:String}
    AND page_key IN {q1_p2:Array(String)}
    AND day BETWEEN {q1_p3:Date} AND {q1_p4:Date}
    AND breakpoint IN {q1_p5:Array(String)}
  UNION ALL
  SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, 'pageview'::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, session_pageviews, on_page_ms
  FROM pageviews
  WHERE site_id = {q1_p1:String}
    AND page_key IN {q1_p2:Array(String)}
    AND day BETWEEN {q1_p3:Date} AND {q1_p4:Date}
    AND breakpoint IN {q1_p5:Array(String)}
)
HAVING count() > 0
)
-- q0_p0 = 'https://example.com/pricing'
-- q0_p1 = 'site_golden'
-- q0_p2 = ['https://example.com/pricing']
-- q0_p3 = datetime.date(2026, 11, 2)
-- q0_p4 = datetime.date(2026, 11, 8)
-- q0_p5 = ['DESKTOP']
-- q1_p0 = 'https://example.com/pricing'
-- q1_p1 = 'site_golden'
-- q1_p2 = ['https://example.com/pricing']
-- q1_p3 = datetime.date(2026, 11, 9)
-- q1_p4 = datetime.date(2026, 11, 15)
-- q1_p5 = ['DESKTOP']

SELECT 0 AS question, *
FROM (
SELECT {q0_p5:String} AS page,
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
)
HAVING count() > 0
)
UNION ALL
SELECT 1 AS question, *
FROM (
SELECT {q1_p5:String} AS page,
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
)
HAVING count() > 0
)
-- q0_p0 = 'site_golden'
-- q0_p1 = ['https://example.com/pricing']
-- q0_p2 = datetime.date(2026, 11, 2)
-- q0_p3 = datetime.date(2026, 11, 8)
-- q0_p4 = ['DESKTOP']
-- q0_p5 = 'https://example.com/pricing'
-- q1_p0 = 'site_golden'
-- q1_p1 = ['https://example.com/pricing']
-- q1_p2 = datetime.date(2026, 11, 9)
-- q1_p3 = datetime.date(2026, 11, 15)
-- q1_p4 = ['DESKTOP']
-- q1_p5 = 'https://example.com/pricing'

SELECT page,
  max(baseline_population) AS baseline_population,
  max(baseline_average_depth) AS baseline_average_depth,
  max(baseline_median_depth) AS baseline_median_depth,
  max(candidate_population) AS candidate_population,
  max(candidate_average_depth) AS candidate_average_depth,
  max(candidate_median_depth) AS candidate_median_depth,
  toJSONString(arrayMap(row -> row.2, arraySort(row -> row.1, groupArray((place, CAST(tuple(depth, CAST(tuple(reach_delta, reach_low, reach_high, reach_low > 0 OR reach_high < 0), 'Tuple(`delta` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64), `significant` Nullable(Bool))')), 'Tuple(`depth` UInt32, `reach` Tuple(`delta` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64), `significant` Nullable(Bool)))')))))) AS `buckets_buckets`
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
          sum(depth_sum) / population / 10000000000 AS average_depth,
          quantileExactWeightedInterpolatedMerge(0.5)(median_state) / 10000000000 AS median_depth,
          groupArrayInsertAt(0, {p2:UInt64})(ended, bucket) AS ended_by_depth,
          arrayReverse(arrayCumSum(arrayReverse(ended_by_depth))) AS reached_by_depth,
          range(0, toUInt32(length(ended_by_depth) * {p1:UInt32}), {p1:UInt32}) AS depths
        FROM (
          SELECT page, toUInt32(least(intDiv(deepest, {p0:UInt64}), 1999)) AS bucket,
            sum(toUInt128(deepest) * 1) AS depth_sum,
            quantileExactWeightedInterpolatedState(0.5)(deepest, 1) AS median_state,
            sum(1) AS ended, sum(views) AS pageviews
          FROM (
            SELECT {p8:String} AS page, max(reached_ppt) AS deepest, count() AS views
            FROM pageviews
            WHERE site_id = {p3:String}
              AND page_key IN {p4:Array(String)}
              AND day BETWEEN {p5:Date} AND {p6:Date}
              AND breakpoint IN {p7:Array(String)}
            GROUP BY page, visitor_id
          )
          GROUP BY page, bucket
        )
        GROUP BY page
      )
      ARRAY JOIN depths AS depth, reached_by_depth AS reached
      UNION ALL
      SELECT page, true AS candidate, population, average_depth, median_depth, depth, reached
      FROM (
        SELECT page, sum(ended) AS population, sum(pageviews) AS pageviews,
          sum(depth_sum) / population / 10000000000 AS average_depth,
          quantileExactWeightedInterpolatedMerge(0.5)(median_state) / 10000000000 AS median_depth,
          groupArrayInsertAt(0, {p2:UInt64})(ended, bucket) AS ended_by_depth,
          arrayReverse(arrayCumSum(arrayReverse(ended_by_depth))) AS reached_by_depth,
          range(0, toUInt32(length(ended_by_depth) * {p1:UInt32}), {p1:UInt32}) AS depths
        FROM (
          SELECT page, toUInt32(least(intDiv(deepest, {p0:UInt64}), 1999)) AS bucket,
            sum(toUInt128(deepest) * 1) AS depth_sum,
            quantileExactWeightedInterpolatedState(0.5)(deepest, 1) AS median_state,
            sum(1) AS ended, sum(views) AS pageviews
          FROM (
            SELECT {p8:String} AS page, max(reached_ppt) AS deepest, count() AS views
            FROM pageviews
            WHERE site_id = {p3:String}
              AND page_key IN {p4:Array(String)}
              AND day BETWEEN {p9:Date} AND {p10:Date}
              AND breakpoint IN {p7:Array(String)}
            GROUP BY page, visitor_id
          )
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
-- p0 = 250000000000
-- p1 = 25
-- p10 = datetime.date(2026, 11, 15)
-- p2 = 5
-- p3 = 'site_golden'
-- p4 = ['https://example.com/pricing']
-- p5 = datetime.date(2026, 11, 2)
-- p6 = datetime.date(2026, 11, 8)
-- p7 = ['DESKTOP']
-- p8 = 'https://example.com/pricing'
-- p9 = datetime.date(2026, 11, 9)

SELECT page, toJSONString(arrayMap(row -> row.2, arraySort(row -> row.1, groupArray((place, CAST(tuple(CAST(tuple(selector, if(tag != '' AND match(selector, '^[#.\\[][^ >+~]*$'), concat(tag, selector), selector), nullIf(text, '')), 'Tuple(`selector` String, `label` String, `text` Nullable(String))'), CAST(tuple(baseline_clicks, candidate_clicks), 'Tuple(`baseline` UInt64, `candidate` UInt64)'), CAST(tuple(CAST(tuple(click_rate_baseline, click_rate_baseline_low, click_rate_baseline_high), 'Tuple(`value` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64))'), CAST(tuple(click_rate_candidate, click_rate_candidate_low, click_rate_candidate_high), 'Tuple(`value` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64))'), click_rate_delta, click_rate_low, click_rate_high, click_rate_low > 0 OR click_rate_high < 0), 'Tuple(`baseline` Tuple(`value` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64)), `candidate` Tuple(`value` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64)), `delta` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64), `significant` Nullable(Bool))'), CAST(tuple(click_share_delta, click_share_delta / nullIf(click_share_baseline, 0)), 'Tuple(`delta` Nullable(Float64), `relativeDelta` Nullable(Float64))')), 'Tuple(`element` Tuple(`selector` String, `label` String, `text` Nullable(String)), `clicks` Tuple(`baseline` UInt64, `candidate` UInt64), `clickRate` Tuple(`baseline` Tuple(`value` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64)), `candidate` Tuple(`value` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64)), `delta` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64), `significant` Nullable(Bool)), `clickShare` Tuple(`delta` Nullable(Float64), `relativeDelta` Nullable(Float64)))')))))) AS rows
FROM (
  SELECT *
  FROM (
    SELECT *, row_number() OVER (PARTITION BY page ORDER BY abs(toInt64(candidate_clicks) - toInt64(baseline_clicks)) DESC, greatest(baseline_clicks, candidate_clicks) DESC, selector) AS place
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
            SELECT {p1:String} AS page, false AS candidate, if((page_key, selector) IN (SELECT page_key, selector FROM element_marks FINAL WHERE site_id = {p0:String} AND deleted), '', toString(selector)) AS selector, toString(tag) AS tag, toString(text) AS text, session_id, timestamp, row_id
            FROM interactions
            WHERE site_id = {p0:String}
              AND page_key IN {p2:Array(String)}
              AND day BETWEEN {p3:Date} AND {p4:Date}
              AND breakpoint IN {p5:Array(String)}
              AND kind IN ('click', 'dead')
            UNION ALL
            SELECT {p1:String} AS page, true AS candidate, if((page_key, selector) IN (SELECT page_key, selector FROM element_marks FINAL WHERE site_id = {p0:String} AND deleted), '', toString(selector)) AS selector, toString(tag) AS tag, toString(text) AS text, session_id, timestamp, row_id
            FROM interactions
            WHERE site_id = {p0:String}
              AND page_key IN {p2:Array(String)}
              AND day BETWEEN {p6:Date} AND {p7:Date}
              AND breakpoint IN {p5:Array(String)}
              AND kind IN ('click', 'dead')
          )
          GROUP BY page, selector
        ) AS clicks
        INNER JOIN (
          SELECT page,
            uniqExactIf(session_id, NOT candidate) AS baseline_all_sessions,
            uniqExactIf(session_id, candidate) AS candidate_all_sessions
          FROM (
            SELECT row_page AS page, false AS candidate, session_id
            FROM (
              SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, kind::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms
              FROM interactions
              WHERE site_id = {p0:String}
                AND page_key IN {p2:Array(String)}
                AND day BETWEEN {p3:Date} AND {p4:Date}
                AND breakpoint IN {p5:Array(String)}
              UNION ALL
              SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, 'pageview'::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, session_pageviews, on_page_ms
              FROM pageviews
              WHERE site_id = {p0:String}
                AND page_key IN {p2:Array(String)}
                AND day BETWEEN {p3:Date} AND {p4:Date}
                AND breakpoint IN {p5:Array(String)}
            )
            UNION ALL
            SELECT row_page AS page, true AS candidate, session_id
            FROM (
              SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, kind::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms
              FROM interactions
              WHERE site_id = {p0:String}
                AND page_key IN {p2:Array(String)}
                AND day BETWEEN {p6:Date} AND {p7:Date}
                AND breakpoint IN {p5:Array(String)}
              UNION ALL
              SELECT page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, 'pageview'::Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5) AS kind, session_pageviews, on_page_ms
              FROM pageviews
              WHERE site_id = {p0:String}
                AND page_key IN {p2:Array(String)}
                AND day BETWEEN {p6:Date} AND {p7:Date}
                AND breakpoint IN {p5:Array(String)}
            )
          )
          GROUP BY page
        ) AS populations USING (page)
      )
      WHERE selector != ''
    )
  )
  WHERE place <= {p8:UInt32}
)
GROUP BY page
-- p0 = 'site_golden'
-- p1 = 'https://example.com/pricing'
-- p2 = ['https://example.com/pricing']
-- p3 = datetime.date(2026, 11, 2)
-- p4 = datetime.date(2026, 11, 8)
-- p5 = ['DESKTOP']
-- p6 = datetime.date(2026, 11, 9)
-- p7 = datetime.date(2026, 11, 15)
-- p8 = 10

SELECT page, toJSONString(arrayMap(row -> row.2, arraySort(row -> row.1, groupArray((place, CAST(tuple(bitAnd(cell, 2047) * standard_width_px / cell_columns, bitShiftRight(cell, 11) * cell_height_px, fixed, CAST(tuple(baseline_count, candidate_count, toInt64(candidate_count) - toInt64(baseline_count)), 'Tuple(`baseline` UInt64, `candidate` UInt64, `delta` Int64)'), CAST(tuple(share_delta, share_low, share_high), 'Tuple(`delta` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64))'), if(selector = '', NULL, CAST(tuple(selector), 'Nullable(Tuple(`selector` String))'))), 'Tuple(`x` Float64, `y` UInt64, `fixed` Bool, `count` Tuple(`baseline` UInt64, `candidate` UInt64, `delta` Int64), `share` Tuple(`delta` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64)), `element` Nullable(Tuple(`selector` String)))')))))) AS rows
FROM (
  SELECT *
  FROM (
    SELECT *, row_number() OVER (PARTITION BY page ORDER BY abs(toInt128(candidate_count) * baseline_total - toInt128(baseline_count) * candidate_total) DESC, abs(toInt64(candidate_count) - toInt64(baseline_count)) DESC, greatest(baseline_count, candidate_count) DESC, fixed, cell) AS place
    FROM (
      SELECT *,
        if(baseline_total = 0, NULL, baseline_count / baseline_total) AS share_baseline,
        if(baseline_total = 0, NULL, least((baseline_count / baseline_total), greatest(0., ((baseline_count / baseline_total) + 1.959963984540054 * 1.959963984540054 / (2 * baseline_total) - 1.959963984540054 * sqrt((baseline_count / baseline_total) * (1 - (baseline_count / baseline_total)) / baseline_total + 1.959963984540054 * 1.959963984540054 / (4 * baseline_total * baseline_total))) / (1 + 1.959963984540054 * 1.959963984540054 / baseline_total)))) AS share_baseline_low,
        if(baseline_total = 0, NULL, greatest((baseline_count / baseline_total), least(1., ((baseline_count / baseline_total) + 1.959963984540054 * 1.959963984540054 / (2 * baseline_total) + 1.959963984540054 * sqrt((baseline_count / baseline_total) * (1 - (baseline_count / baseline_total)) / baseline_total + 1.959963984540054 * 1.959963984540054 / (4 * baseline_total * baseline_total))) / (1 + 1.959963984540054 * 1.959963984540054 / baseline_total)))) AS share_baseline_high,
        if(candidate_total = 0, NULL, candidate_count / candidate_total) AS share_candidate,
        if(candidate_total = 0, NULL, least((candidate_count / candidate_total), greatest(0., ((candidate_count / candidate_total) + 1.959963984540054 * 1.959963984540054 / (2 * candidate_total) - 1.959963984540054 * sqrt((candidate_count / candidate_total) * (1 - (candidate_count / candidate_total)) / candidate_total + 1.959963984540054 * 1.959963984540054 / (4 * candidate_total * candidate_total))) / (1 + 1.959963984540054 * 1.959963984540054 / candidate_total)))) AS share_candidate_low,
        if(candidate_total = 0, NULL, greatest((candidate_count / candidate_total), least(1., ((candidate_count / candidate_total) + 1.959963984540054 * 1.959963984540054 / (2 * candidate_total) + 1.959963984540054 * sqrt((candidate_count / candidate_total) * (1 - (candidate_count / candidate_total)) / candidate_total + 1.959963984540054 * 1.959963984540054 / (4 * candidate_total * candidate_total))) / (1 + 1.959963984540054 * 1.959963984540054 / candidate_total)))) AS share_candidate_high,
        share_candidate - share_baseline AS share_delta,
        share_delta - sqrt(pow(share_candidate - share_candidate_low, 2) + pow(share_baseline_high - share_baseline, 2)) AS share_low,
        share_delta + sqrt(pow(share_candidate_high - share_candidate, 2) + pow(share_baseline - share_baseline_low, 2)) AS share_high
      FROM (
        SELECT *,
          sum(baseline_count) OVER (PARTITION BY page) AS baseline_total,
          sum(candidate_count) OVER (PARTITION BY page) AS candidate_total,
          {p8:UInt32} AS standard_width_px,
          100 AS cell_columns, 16 AS cell_height_px
        FROM (
          SELECT page, fixed, cell,
            sum(baseline) AS baseline_count, sum(candidate) AS candidate_count,
            argMinIf((selector, tag, text), (-toInt64(of_selector), selector, -toInt64(hits), tag, text), selector != '') AS top,
            top.1 AS selector, top.2 AS tag, top.3 AS text
          FROM (
            SELECT page, fixed, cell, selector, tag, text,
              countIf(NOT candidate) AS baseline,
              countIf(candidate) AS candidate,
              count() AS hits, sum(hits) OVER (PARTITION BY page, fixed, cell, selector) AS of_selector
            FROM (
              SELECT {p0:String} AS page, false AS candidate, fixed, default_cell AS cell, toString(selector) AS selector, toString(tag) AS tag, toString(text) AS text
              FROM interactions
              WHERE site_id = {p1:String}
                AND page_key IN {p2:Array(String)}
                AND day BETWEEN {p3:Date} AND {p4:Date}
                AND breakpoint IN {p5:Array(String)}
                AND kind IN ('click', 'dead')
                AND NOT (default_cell = 2047)
              UNION ALL
              SELECT {p0:String} AS page, true AS candidate, fixed, default_cell AS cell, toString(selector) AS selector, toString(tag) AS tag, toString(text) AS text
              FROM interactions
              WHERE site_id = {p1:String}
                AND page_key IN {p2:Array(String)}
                AND day BETWEEN {p6:Date} AND {p7:Date}
                AND breakpoint IN {p5:Array(String)}
                AND kind IN ('click', 'dead')
                AND NOT (default_cell = 2047)
            )
            GROUP BY page, fixed, cell, selector, tag, text
          )
          GROUP BY page, fixed, cell
        )
      )
    )
  )
  WHERE place <= {p9:UInt32}
)
GROUP BY page
-- p0 = 'https://example.com/pricing'
-- p1 = 'site_golden'
-- p2 = ['https://example.com/pricing']
-- p3 = datetime.date(2026, 11, 2)
-- p4 = datetime.date(2026, 11, 8)
-- p5 = ['DESKTOP']
-- p6 = datetime.date(2026, 11, 9)
-- p7 = datetime.date(2026, 11, 15)
-- p8 = 1280
-- p9 = 100

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
