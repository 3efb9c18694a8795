SELECT page, arrayMap(place -> toFloat64(sorted[place]), [greatest(1, toUInt64(ceil(length(sorted) * {p0:Float64} - 1e-9)))]) AS depths
FROM (
  SELECT page, arrayReverseSort(groupArray(deepest)) AS sorted
  FROM (
    SELECT {p7:String} AS page, max(reached_px) AS deepest, count() AS views
    FROM pageviews
    WHERE site_id = {p1:String}
      AND page_key IN {p2:Array(String)}
      AND day BETWEEN {p3:Date} AND {p4:Date}
      AND timestamp >= {p5:DateTime64(3, 'UTC')}
      AND timestamp < {p6:DateTime64(3, 'UTC')}
    GROUP BY page, visitor_id
  )
  GROUP BY page
)
-- p0 = 0.7
-- p1 = 'site_golden'
-- p2 = ['https://example.com/']
-- p3 = datetime.date(2026, 11, 14)
-- p4 = datetime.date(2026, 11, 21)
-- p5 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p6 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p7 = 'https://example.com/'

SELECT page, pageviews, population AS visitors, 0 AS fold_height, average_depth, median_depth,
  toJSONString(arrayMap((depth, reached, ended) -> CAST(tuple(depth, reached, CAST(tuple(if(population = 0, NULL, reached / population), if(population = 0, NULL, greatest(0., ((reached / population) + 1.959963984540054 * 1.959963984540054 / (2 * population) - 1.959963984540054 * sqrt((reached / population) * (1 - (reached / population)) / population + 1.959963984540054 * 1.959963984540054 / (4 * population * population))) / (1 + 1.959963984540054 * 1.959963984540054 / population))), if(population = 0, NULL, least(1., ((reached / population) + 1.959963984540054 * 1.959963984540054 / (2 * population) + 1.959963984540054 * sqrt((reached / population) * (1 - (reached / population)) / population + 1.959963984540054 * 1.959963984540054 / (4 * population * population))) / (1 + 1.959963984540054 * 1.959963984540054 / population)))), 'Tuple(`value` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64))')), 'Tuple(`depth` UInt32, `visitors` UInt64, `reach` Tuple(`value` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64)))'), depths, reached_by_depth, ended_by_depth)) AS `buckets_buckets`
FROM (
  SELECT page, population, pageviews, average_depth, (ladder.1[arrayFirstIndex(passed -> passed > intDiv(population - 1, 2), arrayCumSum(ladder.2))] + ladder.1[arrayFirstIndex(passed -> passed > intDiv(population, 2), arrayCumSum(ladder.2))]) / 2 AS median_depth,
    arrayMap(bucket -> toUInt32(bucket * {p8:UInt32}), range(last_bucket + 1)) AS depths,
    arrayMap(bucket -> ended_in[toUInt32(bucket)], range(last_bucket + 1)) AS ended_by_depth,
    arrayReverse(arrayCumSum(arrayReverse(ended_by_depth))) AS reached_by_depth
  FROM (
    SELECT page, sum(ended) AS population, sum(pageviews) AS pageviews,
      sum(deepest_sum) / population AS average_depth,
      arraySort(arrayFlatten(groupArray(ladder))) AS ladder,
      toUInt32(max(bucket)) AS last_bucket,
      sumMap(map(bucket, ended)) AS ended_in
    FROM (
      SELECT page, toUInt32(least(intDiv(deepest, {p7:UInt64}), 1999)) AS bucket, sum(ended) AS ended, sum(pageviews) AS pageviews,
        sum(toUInt128(deepest) * ended) AS deepest_sum, groupArray((deepest, ended)) AS ladder
      FROM (
        SELECT page, deepest, count() AS ended, sum(views) AS pageviews
        FROM (
          SELECT {p0:String} AS page, max(reached_px) AS deepest, count() AS views
          FROM pageviews
          WHERE site_id = {p1:String}
            AND page_key IN {p2:Array(String)}
            AND day BETWEEN {p3:Date} AND {p4:Date}
            AND timestamp >= {p5:DateTime64(3, 'UTC')}
            AND timestamp < {p6:DateTime64(3, 'UTC')}
          GROUP BY page, visitor_id
        )
        GROUP BY page, deepest
      )
      GROUP BY page, bucket
    )
    GROUP BY page
  )
)
-- p0 = 'https://example.com/'
-- p1 = 'site_golden'
-- p2 = ['https://example.com/']
-- p3 = datetime.date(2026, 11, 14)
-- p4 = datetime.date(2026, 11, 21)
-- p5 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p6 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p7 = 200
-- p8 = 200

SELECT page, pageviews, seen_ms / 1000 AS seconds,
  toJSONString(arrayMap((band_top, ms_px, reached) -> CAST(tuple(band_top, if(most_ms_px = 0, 0, 1000 * ms_px / most_ms_px), ms_px / (1000 * band_height_px * reached), CAST(tuple(if(pageviews = 0, NULL, reached / pageviews)), 'Tuple(`value` Nullable(Float64))')), 'Tuple(`y` UInt32, `attention` Float64, `averageSeconds` Float64, `reach` Tuple(`value` Nullable(Float64)))'), tops, ms_px_by_band, reached_by_band)) AS `bands_bands`
FROM (
  SELECT *, toUInt32({p0:UInt32}) AS band_height_px,
    arrayMap(band -> toUInt32({p1:UInt32} + band * {p0:UInt32}), range(bands)) AS tops,
    arrayReverse(arrayCumSum(arrayReverse(arrayMap(band -> ended_in[toUInt32(band)], range(bands))))) AS reached_by_band,
    arrayMap(band -> in_view[toUInt32(band)], range(bands)) AS ms_px_by_band,
    arrayMax(ms_px_by_band) AS most_ms_px
  FROM (
    SELECT page, count() AS pageviews, sum(arraySum(seen_ms)) AS seen_ms,
      if(max(reached_px) < {p1:UInt32}, 0, least(intDiv(max(reached_px) - {p1:UInt32}, {p0:UInt32}) + 1, 2000)) AS bands,
      sumMapIf(map(toUInt32(least(intDiv(reached_px - {p1:UInt32}, {p0:UInt32}), 1999)), toUInt64(1)), reached_px >= {p1:UInt32}) AS ended_in,
      sumMap(view_by_band) AS in_view
    FROM (
      SELECT {p2:String} AS page, reached_px, seen_ms,
        toInt64(arrayMax((y, view_height) -> y + view_height, seen_y_px, seen_height_px)) AS lowest_seen_px,
        mapFromArrays(
            arrayMap(band -> toUInt32(band), range(toUInt32(greatest(0, intDiv(lowest_seen_px - {p1:UInt32}, toInt64({p0:UInt32})) + 1)))) AS own_bands,
            arrayMap(band -> arraySum((y, view_height, ms) ->
              toUInt64(ms) * greatest(0, least(toInt64(y) + view_height, {p1:UInt32} + (band + 1) * toInt64({p0:UInt32})) - greatest(toInt64(y), {p1:UInt32} + band * toInt64({p0:UInt32}))),
              seen_y_px, seen_height_px, seen_ms), own_bands)
        ) AS view_by_band
      FROM pageviews
      WHERE site_id = {p3:String}
        AND page_key IN {p4:Array(String)}
        AND day BETWEEN {p5:Date} AND {p6:Date}
        AND timestamp >= {p7:DateTime64(3, 'UTC')}
        AND timestamp < {p8:DateTime64(3, 'UTC')}
    )
    GROUP BY page
  )
)
-- p0 = 400
-- p1 = 200
-- p2 = 'https://example.com/'
-- p3 = 'site_golden'
-- p4 = ['https://example.com/']
-- p5 = datetime.date(2026, 11, 14)
-- p6 = datetime.date(2026, 11, 21)
-- p7 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p8 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)

SELECT page_key, max(has_heat) AS has_heat
FROM pages
WHERE site_id = {p0:String}
  AND page_key IN {p1:Array(String)}
GROUP BY page_key
-- p0 = 'site_golden'
-- p1 = ['https://example.com/']

SELECT site_id, name, domains, plan, time_zone, retention_days, test_account_rules, replay_url_template, created_at,
  site_id IN (SELECT site_id FROM element_marks FINAL WHERE is_fixed IS NOT NULL AND NOT deleted) AS has_fixed_marks,
  arraySort(arrayMap(noted -> noted.2, arrayFilter(noted -> noted.1 = site_id,
    (SELECT groupUniqArray((toString(stale_days.site_id), day)) FROM stale_days)))) AS stale_days
FROM sites FINAL
WHERE site_id IN {p0:Array(String)}
ORDER BY site_id
-- p0 = ['site_golden']
