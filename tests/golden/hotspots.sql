SELECT page, count, clicks, max_clicks, total_count, total, selector, spot_fixed, spot_row, spot_column,
  page AS page_key, 1 AS page_count,
  cityHash64(selector, spot_fixed, spot_row, spot_column) AS spot_id, relative_x, y, fixed, top.1 AS tag, top.2 AS text, if(tag != '' AND match(selector, '^[#.\\[][^ >+~]*$'), concat(tag, selector), selector) AS label
FROM (
  SELECT page, toString(selector) AS selector, spot_fixed, spot_row, spot_column, count() OVER (PARTITION BY page) AS total_count,
    sum(sum(alike)) OVER (PARTITION BY page) AS total,
    sum(alike) AS count, sum(clicks) AS clicks, max(max_clicks) AS max_clicks,
    ifNotFinite(quantileExactInclusiveMerge(0.5)(placed_x), 0) AS relative_x,
    ifNotFinite(quantileExactInclusiveMerge(0.5)(placed_y), 0) AS y,
    2 * sum(on_fixed) > sum(alike) AS fixed,
    argMin((toString(tag), toString(text)), (-toInt64(alike), toString(tag), toString(text))) AS top
  FROM (
    SELECT {p11:String} AS page, selector, tag, text,
      count() AS alike, countIf(fixed) AS on_fixed, sum(clicks) AS clicks, max(clicks) AS max_clicks,
      quantileExactInclusiveStateIf(0.5)(x / viewport_width, (x != 0 OR y != 0)) AS placed_x,
      quantileExactInclusiveStateIf(0.5)(y, (x != 0 OR y != 0)) AS placed_y,
      selector = '' AS by_cell,
      toUInt8(by_cell AND fixed) AS spot_fixed,
      if(by_cell, toUInt32(floor(y / {p12:UInt32})), 0) AS spot_row,
      if(by_cell, toUInt32(least({p14:UInt32}, floor(x * {p13:Float64} / viewport_width))), 0) AS spot_column
    FROM (
      SELECT page_key, 'rage' AS kind, clicks, selector, tag, text, x, y, fixed, viewport_width, session_id, timestamp
      FROM (
        SELECT session_id, page_key, fixed, timestamp, x, y, clicks, commonest.1 AS selector, commonest.2 AS tag, commonest.3 AS text, payload.1 AS viewport_width, payload.2 AS in_lens
        FROM (
          SELECT session_id, page_key, fixed, min(spot.timestamp) AS timestamp, toUInt32(sum(spot.clicks)) AS clicks,
            sum(spot.x * spot.clicks) / clicks AS x, sum(spot.y * spot.clicks) / clicks AS y, argMin(spot.payload, spot.place) AS payload,
            arraySort(groupArrayArray(spot.elements)) AS elements,
            arraySort(run -> (-toInt64(length(run)), run[1]), arraySplit((element, before) -> element.1 != before.1, elements, arrayPushFront(arrayPopBack(elements), elements[1])))[1] AS alike,
            arraySort(run -> (-toInt64(length(run)), run[1]), arraySplit((element, before) -> element != before, alike, arrayPushFront(arrayPopBack(alike), alike[1])))[1][1] AS commonest
          FROM (
            SELECT session_id, page_key, fixed, spot, burst
            FROM (
              SELECT session_id, page_key, fixed, every, arraySort(arrayConcat(taken, arrayMap(spot -> (spot.place, 0), every))) AS told,
                arrayFilter((one, next) -> one.1 != next.1, told, arrayPushBack(arrayPopFront(told), (0, 0))).2 AS burst_of
              FROM (
                SELECT session_id, page_key, fixed, every,
                  arrayFold((state, ahead) -> if(has(state.2, ahead[1].place), state,
                    arrayMap(used -> arrayMap(joined -> if(arraySum(joined.clicks) >= {p8:UInt32}, (arrayConcat(state.1, arrayZip(joined.place, arrayWithConstant(length(joined), joined[1].place))), arrayConcat(arrayFilter(place -> place > ahead[1].place, used), joined.place)), (state.1, used)), [arrayFold((joined, spot) -> if(has(used, spot.place) OR arrayExists(other -> pow(other.x - spot.x, 2) + pow(other.y - spot.y, 2) > pow({p10:Float64}, 2), joined), joined, arrayPushBack(joined, spot)), arraySlice(ahead, 2), arraySlice(ahead, 1, 1))])[1], [state.2])[1]),
                    starts, (CAST([], 'Array(Tuple(UInt64, UInt64))'), CAST([], 'Array(UInt64)'))).1 AS taken
                FROM (
                  SELECT session_id, page_key, fixed, arraySort(groupArrayIf(ahead, arraySum(ahead.clicks) >= {p8:UInt32})) AS starts,
                    arraySort(spot -> spot.place, groupArray(spot)) AS every
                  FROM (
                    SELECT session_id, page_key, fixed, spot,
                      arrayFilter(spot -> spot.place >= place AND pow(x - spot.x, 2) + pow(y - spot.y, 2) <= pow({p10:Float64}, 2),
                        arraySort(groupArray(CAST((place, x, y, clicks), 'Tuple(place UInt64, x Float64, y Float64, clicks UInt64)')) OVER within)) AS ahead
                    FROM (
                      SELECT *, toUnixTimestamp64Milli(timestamp) AS at_ms, row_number() OVER (PARTITION BY session_id, page_key, fixed ORDER BY timestamp, x, y) AS place,
                        CAST((place, timestamp, x, y, clicks, elements, payload), concat('Tuple(place UInt64, timestamp DateTime64(3, \'UTC\'), x Float64, y Float64, clicks UInt64, elements ', toTypeName(elements), ', payload ', toTypeName(payload), ')')) AS spot
                      FROM (
                        SELECT session_id, page_key, fixed, timestamp, x, y, count() AS clicks, groupArray(element) AS elements,
                          argMin(payload, (element, viewport_width, url_rest, visitor_id, device, breakpoint, country, region, browser, traffic_source, campaign, variant, is_test, payload)) AS payload
                        FROM (
                          SELECT session_id, page_key, fixed, timestamp, x, y, viewport_width, url_rest, visitor_id, device, breakpoint, country, region, browser, traffic_source, campaign, variant, is_test, (selector, tag, text) AS element, (viewport_width, in_lens, 0) AS payload
                          FROM (
                            SELECT page_key, kind, clicks, selector, tag, text, x, y, fixed, viewport_width, session_id, timestamp, url_rest, visitor_id, device, breakpoint, country, region, browser, traffic_source, campaign, variant, is_test, (site_id = {p0:String} AND page_key IN {p1:Array(String)} AND day BETWEEN {p2:Date} AND {p3:Date} AND timestamp >= {p4:DateTime64(3, 'UTC')} AND timestamp < {p5:DateTime64(3, 'UTC')}) AS in_lens
                            FROM interactions
                            WHERE site_id = {p0:String}
                              AND page_key IN {p1:Array(String)}
                              AND day BETWEEN {p2:Date} AND {p3:Date}
                              AND timestamp >= {p6:DateTime64(3, 'UTC')}
                              AND timestamp < {p7:DateTime64(3, 'UTC')}
                              AND kind IN ('click', 'dead')
                          )
                          WHERE (session_id, page_key, fixed) IN (
                            SELECT session_id, page_key, fixed
                            FROM (
                              SELECT page_key, kind, clicks, selector, tag, text, x, y, fixed, viewport_width, session_id, timestamp, url_rest, visitor_id, device, breakpoint, country, region, browser, traffic_source, campaign, variant, is_test, (site_id = {p0:String} AND page_key IN {p1:Array(String)} AND day BETWEEN {p2:Date} AND {p3:Date} AND timestamp >= {p4:DateTime64(3, 'UTC')} AND timestamp < {p5:DateTime64(3, 'UTC')}) AS in_lens
                              FROM interactions
                              WHERE site_id = {p0:String}
                                AND page_key IN {p1:Array(String)}
                                AND day BETWEEN {p2:Date} AND {p3:Date}
                                AND timestamp >= {p6:DateTime64(3, 'UTC')}
                                AND timestamp < {p7:DateTime64(3, 'UTC')}
                                AND kind IN ('click', 'dead')
                            )
                            WHERE (session_id, page_key) NOT IN (SELECT session_id, page_key FROM interactions WHERE site_id = {p0:String} AND page_key IN {p1:Array(String)} AND kind = 'rage' AND labelled)
                            GROUP BY session_id, page_key, fixed
                            HAVING count() >= {p8:UInt32}
                              AND arrayExists((start, end) -> end - start <= {p9:UInt32},
                                arraySlice(arraySort(groupArray(toUnixTimestamp64Milli(timestamp))) AS times, 1, length(times) - {p8:UInt32} + 1),
                                arraySlice(times, {p8:UInt32}))
                          )
                        )
                        GROUP BY session_id, page_key, fixed, timestamp, x, y
                        ORDER BY timestamp, x, y
                        LIMIT 100 BY session_id, page_key, fixed, toStartOfSecond(timestamp)
                      )
                    )
                    WINDOW within AS (PARTITION BY session_id, page_key, fixed ORDER BY at_ms RANGE BETWEEN CURRENT ROW AND 2000 FOLLOWING)
                  )
                  GROUP BY session_id, page_key, fixed
                )
              )
            )
            ARRAY JOIN every AS spot, burst_of AS burst
            WHERE burst != 0
          )
          GROUP BY session_id, page_key, fixed, burst
        )
      )
      WHERE in_lens
      UNION ALL
      SELECT page_key, toString(kind) AS kind, clicks, selector, tag, text, x, y, fixed, viewport_width, session_id, timestamp
      FROM interactions
      WHERE site_id = {p0:String}
        AND page_key IN {p1:Array(String)}
        AND day BETWEEN {p2:Date} AND {p3:Date}
        AND timestamp >= {p4:DateTime64(3, 'UTC')}
        AND timestamp < {p5:DateTime64(3, 'UTC')}
        AND kind = 'rage'
        AND labelled
    )
    GROUP BY page, selector, tag, text, spot_fixed, spot_row, spot_column
  )
  GROUP BY page, selector, spot_fixed, spot_row, spot_column
)
ORDER BY page, count DESC, clicks DESC, selector, spot_fixed, spot_row, spot_column
LIMIT {p15:UInt32} BY page
-- p0 = 'site_golden'
-- p1 = ['https://example.com/pricing']
-- p10 = 20.0
-- p11 = 'https://example.com/pricing'
-- p12 = 16
-- p13 = 100.0
-- p14 = 99
-- p15 = 51
-- p2 = datetime.date(2026, 11, 14)
-- p3 = datetime.date(2026, 11, 21)
-- p4 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p5 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p6 = datetime.datetime(2026, 11, 14, 11, 59, tzinfo=datetime.timezone.utc)
-- p7 = datetime.datetime(2026, 11, 21, 12, 1, tzinfo=datetime.timezone.utc)
-- p8 = 4
-- p9 = 2000

SELECT page, count, clicks, max_clicks, total_count, total, selector, spot_fixed, spot_row, spot_column,
  page AS page_key, 1 AS page_count,
  cityHash64(selector, spot_fixed, spot_row, spot_column) AS spot_id, relative_x, y, fixed, top.1 AS tag, top.2 AS text, if(tag != '' AND match(selector, '^[#.\\[][^ >+~]*$'), concat(tag, selector), selector) AS label
FROM (
  SELECT page, toString(selector) AS selector, spot_fixed, spot_row, spot_column, count() OVER (PARTITION BY page) AS total_count,
    sum(sum(alike)) OVER (PARTITION BY page) AS total,
    sum(alike) AS count, sum(clicks) AS clicks, max(max_clicks) AS max_clicks,
    ifNotFinite(quantileExactInclusiveMerge(0.5)(placed_x), 0) AS relative_x,
    ifNotFinite(quantileExactInclusiveMerge(0.5)(placed_y), 0) AS y,
    2 * sum(on_fixed) > sum(alike) AS fixed,
    argMin((toString(tag), toString(text)), (-toInt64(alike), toString(tag), toString(text))) AS top
  FROM (
    SELECT {p6:String} AS page, selector, tag, text,
      count() AS alike, countIf(fixed) AS on_fixed, sum(clicks) AS clicks, max(clicks) AS max_clicks,
      quantileExactInclusiveStateIf(0.5)(x / viewport_width, (x != 0 OR y != 0)) AS placed_x,
      quantileExactInclusiveStateIf(0.5)(y, (x != 0 OR y != 0)) AS placed_y,
      selector = '' AS by_cell,
      toUInt8(by_cell AND fixed) AS spot_fixed,
      if(by_cell, toUInt32(floor(y / {p7:UInt32})), 0) AS spot_row,
      if(by_cell, toUInt32(least({p9:UInt32}, floor(x * {p8:Float64} / viewport_width))), 0) AS spot_column
    FROM interactions
    WHERE site_id = {p0:String}
      AND page_key IN {p1:Array(String)}
      AND day BETWEEN {p2:Date} AND {p3:Date}
      AND timestamp >= {p4:DateTime64(3, 'UTC')}
      AND timestamp < {p5:DateTime64(3, 'UTC')}
      AND kind IN ('dead')
    GROUP BY page, selector, tag, text, spot_fixed, spot_row, spot_column
  )
  GROUP BY page, selector, spot_fixed, spot_row, spot_column
)
ORDER BY page, count DESC, clicks DESC, selector, spot_fixed, spot_row, spot_column
LIMIT {p10:UInt32} BY page
-- p0 = 'site_golden'
-- p1 = ['https://example.com/pricing']
-- p10 = 4
-- p2 = datetime.date(2026, 11, 14)
-- p3 = datetime.date(2026, 11, 21)
-- p4 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p5 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p6 = 'https://example.com/pricing'
-- p7 = 16
-- p8 = 100.0
-- p9 = 99

SELECT page, count, clicks, max_clicks, total_count, total, selector, spot_fixed, spot_row, spot_column,
  page AS page_key, 1 AS page_count,
  cityHash64(selector, spot_fixed, spot_row, spot_column) AS spot_id, relative_x, y, fixed, top.1 AS tag, top.2 AS text, if(tag != '' AND match(selector, '^[#.\\[][^ >+~]*$'), concat(tag, selector), selector) AS label
FROM (
  SELECT page, toString(selector) AS selector, spot_fixed, spot_row, spot_column, count() OVER (PARTITION BY page) AS total_count,
    sum(sum(alike)) OVER (PARTITION BY page) AS total,
    sum(alike) AS count, sum(clicks) AS clicks, max(max_clicks) AS max_clicks,
    ifNotFinite(quantileExactInclusiveMerge(0.5)(placed_x), 0) AS relative_x,
    ifNotFinite(quantileExactInclusiveMerge(0.5)(placed_y), 0) AS y,
    2 * sum(on_fixed) > sum(alike) AS fixed,
    argMin((toString(tag), toString(text)), (-toInt64(alike), toString(tag), toString(text))) AS top
  FROM (
    SELECT {p6:String} AS page, selector, tag, text,
      count() AS alike, countIf(fixed) AS on_fixed, sum(clicks) AS clicks, max(clicks) AS max_clicks,
      quantileExactInclusiveStateIf(0.5)(x / viewport_width, (x != 0 OR y != 0)) AS placed_x,
      quantileExactInclusiveStateIf(0.5)(y, (x != 0 OR y != 0)) AS placed_y,
      selector = '' AS by_cell,
      toUInt8(by_cell AND fixed) AS spot_fixed,
      if(by_cell, toUInt32(floor(y / {p7:UInt32})), 0) AS spot_row,
      if(by_cell, toUInt32(least({p9:UInt32}, floor(x * {p8:Float64} / viewport_width))), 0) AS spot_column
    FROM interactions
    WHERE site_id = {p0:String}
      AND page_key IN {p1:Array(String)}
      AND day BETWEEN {p2:Date} AND {p3:Date}
      AND timestamp >= {p4:DateTime64(3, 'UTC')}
      AND timestamp < {p5:DateTime64(3, 'UTC')}
      AND kind IN ('rage')
    GROUP BY page, selector, tag, text, spot_fixed, spot_row, spot_column
  )
  GROUP BY page, selector, spot_fixed, spot_row, spot_column
)
ORDER BY page, count DESC, clicks DESC, selector, spot_fixed, spot_row, spot_column
LIMIT {p10:UInt32} BY page
-- p0 = 'site_golden'
-- p1 = ['https://example.com/pricing']
-- p10 = 4
-- p2 = datetime.date(2026, 11, 14)
-- p3 = datetime.date(2026, 11, 21)
-- p4 = datetime.datetime(2026, 11, 14, 12, 0, tzinfo=datetime.timezone.utc)
-- p5 = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
-- p6 = 'https://example.com/pricing'
-- p7 = 16
-- p8 = 100.0
-- p9 = 99

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
