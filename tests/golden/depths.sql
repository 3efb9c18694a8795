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

SELECT page, pageviews, population AS visitors, average_depth,
  toJSONString(arrayMap((depth, reached, ended) -> CAST(tuple(depth, reached, CAST(tuple(if(population = 0, NULL, reached / population), if(population = 0, NULL, least((reached / population), greatest(0., ((reached / population) + 1.959963984540054 * 1.959963984540054 / (2 * population) - 1.959963984540054 * sqrt((reached / population) * (1 - (reached / population)) / population + 1.959963984540054 * 1.959963984540054 / (4 * population * population))) / (1 + 1.959963984540054 * 1.959963984540054 / population)))), if(population = 0, NULL, greatest((reached / population), least(1., ((reached / population) + 1.959963984540054 * 1.959963984540054 / (2 * population) + 1.959963984540054 * sqrt((reached / population) * (1 - (reached / population)) / population + 1.959963984540054 * 1.959963984540054 / (4 * population * population))) / (1 + 1.959963984540054 * 1.959963984540054 / population))))), 'Tuple(`value` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64))')), 'Tuple(`depth` UInt32, `visitors` UInt64, `reach` Tuple(`value` Nullable(Float64), `low` Nullable(Float64), `high` Nullable(Float64)))'), depths, reached_by_depth, ended_by_depth)) AS `buckets_buckets`
FROM (
  SELECT page, sum(ended) AS population, sum(pageviews) AS pageviews,
    sum(depth_sum) / population AS average_depth,
    groupArrayInsertAt(0)(ended, bucket) AS ended_by_depth,
    arrayReverse(arrayCumSum(arrayReverse(ended_by_depth))) AS reached_by_depth,
    range(0, toUInt32(length(ended_by_depth) * {p8:UInt32}), {p8:UInt32}) AS depths
  FROM (
    SELECT page, toUInt32(least(intDiv(deepest, {p7:UInt64}), 1999)) AS bucket,
      sum(toUInt128(deepest) * 1) AS depth_sum,
      sum(1) AS ended, sum(views) AS pageviews
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
    GROUP BY page, bucket
  )
  GROUP BY page
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
    arraySlice(arrayReverse(arrayCumSum(arrayReverse(ended_in))), 2, bands) AS reached_by_band,
    arraySlice(arrayMap((ms, ms_px) -> ms * {p0:UInt32} - ms_px, arrayCumSum(ms_in), ms_px_above_in), 2, bands) AS ms_px_by_band,
    arrayMax(ms_px_by_band) AS most_ms_px
  FROM (
    SELECT {p2:String} AS page,
      sum(ended) AS pageviews, sum(in_view_ms) AS seen_ms, least(maxIf(band, ended > 0), 2000) AS bands,
      groupArrayInsertAt(0)(ended, band) AS ended_in,
      groupArrayInsertAt(0)(ms, band) AS ms_in,
      groupArrayInsertAt(0)(ms_px_above, band) AS ms_px_above_in
    FROM (
      SELECT sum(ended) AS ended, sum(in_view_ms) AS in_view_ms,
        toUInt16(least((band_px >= {p1:UInt32}) + intDiv(toUInt32(greatest(band_px, {p1:UInt32}) - {p1:UInt32}) AS px_below_top, {p0:UInt32}), 2001)) AS band,
        sum(edge_ms) AS ms, sum(edge_ms_px + edge_ms * (px_below_top % {p0:UInt32})) AS ms_px_above
      FROM (
        SELECT page_key, band_px, ended, in_view_ms, edge_ms, edge_ms_px
        FROM attention_daily
        WHERE site_id = {p3:String}
          AND page_key IN {p4:Array(String)}
          AND day BETWEEN {p5:Date} AND {p6:Date}
        UNION ALL
        SELECT page_key, edge_px AS band_px, number = 1 AS ended, toUInt64(greatest(edge_ms, 0)) AS in_view_ms, edge_ms, toInt64(0) AS edge_ms_px
        FROM pageviews
        ARRAY JOIN arrayConcat([reached_px], seen_y_px, arrayMap((y, view_height) -> toUInt32(y + view_height), seen_y_px, seen_height_px)) AS edge_px,
          arrayConcat([toInt64(0)], seen_ms, arrayMap(ms -> -toInt64(ms), seen_ms)) AS edge_ms,
          arrayEnumerate(arrayConcat([0], seen_ms, seen_ms)) AS number
        WHERE site_id = {p3:String}
          AND page_key IN {p4:Array(String)}
          AND day BETWEEN {p7:Date} AND {p8:Date}
          AND timestamp >= {p9:DateTime64(3, 'UTC')}
          AND timestamp < {p10:DateTime64(3, 'UTC')}
          AND day IN {p11:Array(Date)}
      )
      GROUP BY band
    )
    HAVING count() > 0
  )
)
-- p0 = 400
-- p1 = 200
-- p10 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p11 = [datetime.date(2026, 11, 14), datetime.date(2026, 11, 21)]
-- p2 = 'https://example.com/'
-- p3 = 'site_golden'
-- p4 = ['https://example.com/']
-- p5 = datetime.date(2026, 11, 15)
-- p6 = datetime.date(2026, 11, 20)
-- p7 = datetime.date(2026, 11, 14)
-- p8 = datetime.date(2026, 11, 21)
-- p9 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)

SELECT page_key, max(has_heat) AS has_heat
FROM pages
WHERE site_id = {p0:String}
  AND page_key IN {p1:Array(String)}
GROUP BY page_key
-- p0 = 'site_golden'
-- p1 = ['https://example.com/']

SELECT site_id, name, domains, plan, time_zone, retention_days, test_account_rules, replay_url_template, created_at, updated_at,
  site_id IN (SELECT site_id FROM element_marks FINAL WHERE is_fixed IS NOT NULL) AS has_fixed_marks,
  (SELECT groupUniqArrayMap(map(toString(stale_days.site_id), day)) FROM stale_days)[site_id] AS stale_days
FROM sites FINAL
WHERE site_id IN {p0:Array(String)}
ORDER BY site_id
-- p0 = ['site_golden']
