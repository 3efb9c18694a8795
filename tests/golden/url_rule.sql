SELECT page, total, max_count, remaining > {p0:UInt32} AS has_next,
  length(ranks) AS shown, ranks[-1] AS last_rank,
  toJSONString(arrayMap((count, fixed, cell) -> CAST(tuple(bitAnd(cell, 2047) * standard_width_px / cell_columns, bitShiftRight(cell, 11) * cell_height_px, count, count / population), 'Tuple(`x` Float64, `y` UInt64, `count` UInt64, `share` Float64)'), arrayMap(rank -> bitNot(toUInt64(bitShiftRight(rank, 64))), ranks), arrayMap(rank -> bitTest(toUInt64(rank), 63), ranks), arrayMap(rank -> bitAnd(toUInt64(rank), 9223372036854775807), ranks))) AS `points_points`
FROM (
  SELECT '' AS page,
    sum(count) AS total,
    max(count) AS max_count,
    total AS population,
    {p1:UInt32} AS standard_width_px,
    {p2:UInt32} AS cell_height_px,
    {p3:Float64} AS cell_columns,
    count() AS remaining,
    groupArraySorted({p0:UInt32})(bitOr(bitShiftLeft(toUInt128(bitNot(toUInt64(count))), 64), bitOr(bitShiftLeft(toUInt64(fixed), 63), toUInt64(cell)))) AS ranks
  FROM (
    SELECT fixed, bitOr(bitShiftLeft(toUInt64(toUInt32(floor(y / {p2:UInt32}))), 11), toUInt32(least({p17:UInt32}, floor(x * {p3:Float64} / viewport_width)))) AS cell,
      count() AS count
    FROM interactions
    WHERE site_id = {p4:String}
      AND day BETWEEN {p5:Date} AND {p6:Date}
      AND timestamp >= {p7:DateTime64(3, 'UTC')}
      AND timestamp < {p8:DateTime64(3, 'UTC')}
      AND match(url, {p9:String})
      AND device IN {p10:Array(String)}
      AND country IN {p11:Array(String)}
      AND viewport_width >= {p12:Int64}
      AND viewport_width <= {p13:Int64}
      AND path(entry_page) = {p14:String}
      AND session_id IN (SELECT session_id FROM events WHERE site_id = {p4:String} AND name = {p15:String} GROUP BY session_id HAVING count() >= {p16:UInt32})
      AND kind IN ('move')
      AND NOT (default_cell = 2047)
    GROUP BY fixed, cell
  )
  HAVING count() > 0
)
-- p0 = 500
-- p1 = 375
-- p10 = ['MOBILE']
-- p11 = ['AT', 'DE']
-- p12 = 320
-- p13 = 480
-- p14 = '/'
-- p15 = 'signup'
-- p16 = 1
-- p17 = 18
-- p2 = 20
-- p3 = 18.75
-- p4 = 'site_golden'
-- p5 = datetime.date(2026, 9, 30)
-- p6 = datetime.date(2026, 10, 31)
-- p7 = datetime.datetime(2026, 9, 30, 22, 0, tzinfo=datetime.timezone.utc)
-- p8 = datetime.datetime(2026, 10, 31, 23, 0, tzinfo=datetime.timezone.utc)
-- p9 = '(?s)^https://.+\\.com/.+$'

SELECT site_id, name, domains, plan, time_zone, retention_days, test_account_rules, replay_url_template, created_at, updated_at,
  site_id IN (SELECT site_id FROM element_marks FINAL WHERE is_fixed IS NOT NULL) AS has_fixed_marks,
  (SELECT groupUniqArrayMap(map(toString(stale_days.site_id), day)) FROM stale_days)[site_id] AS stale_days
FROM sites FINAL
WHERE site_id IN {p0:Array(String)}
ORDER BY site_id
-- p0 = ['site_golden']
