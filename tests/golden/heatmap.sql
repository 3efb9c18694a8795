SELECT page, total, max_count, remaining > {p0:UInt32} AS has_next,
  length(ranks) AS shown, ranks[-1] AS last_rank,
  toJSONString(arrayMap((count, fixed, cell, selector, tag, text) -> CAST(tuple(bitAnd(cell, 2047) * standard_width_px / cell_columns, bitShiftRight(cell, 11) * cell_height_px, count, if(selector = '', NULL, CAST(tuple(if(tag != '' AND match(selector, '^[#.\\[][^ >+~]*$'), concat(tag, selector), selector)), 'Nullable(Tuple(`label` String))'))), 'Tuple(`left` Float64, `y` UInt64, `heat` UInt64, `element` Nullable(Tuple(`label` String)))'), arrayMap(rank -> bitNot(toUInt64(bitShiftRight(rank, 64))), ranks), arrayMap(rank -> bitTest(toUInt64(rank), 63), ranks), arrayMap(rank -> bitAnd(toUInt64(rank), 9223372036854775807), ranks), tops.2, tops.3, tops.4)) AS `points_points`
FROM (
  SELECT {p6:String} AS page,
    sum(interactions) AS total,
    max(count) AS max_count,
    {p3:UInt32} AS standard_width_px,
    {p4:UInt32} AS cell_height_px,
    {p5:Float64} AS cell_columns,
    count() AS remaining,
    arraySlice(arrayPartialSort({p0:UInt32}, groupArray((bitOr(bitShiftLeft(toUInt128(bitNot(toUInt64(count))), 64), bitOr(bitShiftLeft(toUInt64(fixed), 63), toUInt64(cell))), elements))), 1, {p0:UInt32}) AS points,
    points.1 AS ranks, arrayMap((elements, top) -> arraySort(arrayFilter(one -> one.2 = top, elements))[1], points.2, arrayMap(elements -> arraySort((selector, clicks) -> (clicks, selector), (arrayReduce('sumMap', arrayMap(one -> [one.2], elements), arrayMap(one -> [one.1], elements)) AS summed).1, summed.2)[1], points.2)) AS tops
  FROM (
    SELECT fixed, cell,
      uniqExactMerge(count) AS count,
      sum(interactions) AS interactions,
      groupArrayIf((-toInt64(clicks_here), toString(selector), toString(tag), toString(text)), selector != '' AND clicks_here > 0) AS elements
    FROM (
      SELECT fixed, default_cell AS cell, cityHash64(cityHash64(selector), cityHash64(tag), cityHash64(text)) AS element_id, any(selector) AS selector, any(tag) AS tag, any(text) AS text,
        uniqExactState(visitor_id) AS count,
        count() AS interactions,
        count() AS clicks_here
      FROM interactions
      WHERE site_id = {p2:String}
        AND page_key IN {p7:Array(String)}
        AND day BETWEEN {p8:Date} AND {p9:Date}
        AND timestamp >= {p10:DateTime64(3, 'UTC')}
        AND timestamp < {p11:DateTime64(3, 'UTC')}
        AND NOT (is_test OR visitor_id IN (SELECT visitor_id FROM visitors WHERE site_id = {p2:String} AND (match(visitor_key, {p1:String}))))
        AND kind IN ('click', 'dead')
        AND NOT (default_cell = 2047)
      GROUP BY fixed, cell, element_id
    )
    GROUP BY fixed, cell
  )
  HAVING count() > 0
)
-- p0 = 10
-- p1 = '(?s)^qa\\-.+$'
-- p10 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p11 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p2 = 'site_golden'
-- p3 = 1280
-- p4 = 16
-- p5 = 100.0
-- p6 = 'https://example.com/pricing'
-- p7 = ['https://example.com/pricing']
-- p8 = datetime.date(2026, 11, 14)
-- p9 = datetime.date(2026, 11, 21)

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
