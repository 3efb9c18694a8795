"""Where people rage and where they click in vain: bursts and dead clicks grouped by element, else by cell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from clickhouse.conditions import lens_clauses, page_column, window_clauses
from clickhouse.element_marks import fixed_clause
from clickhouse.heatmap import Cell
from clickhouse.lens import Lens, Segment, Window
from clickhouse.numbers import IS_PLACED, LABEL, kind_clause
from clickhouse.rage import RageRule, bursts
from clickhouse.statement import Params, Statement, where_all

SpotKey = tuple[int, int, str, bool, int, int]
"""(count, clicks, selector, fixed, cell row, cell column): the sort values of a spot, biggest first."""


TIES = (
    "viewport_width", "url_rest", "visitor_id", "device", "breakpoint", "country", "region", "browser", "traffic_source", "campaign",
    "variant", "is_test",
)  # fmt: skip
"""Which of alike clicks of one moment comes first, under every lens."""

SPOT_ID = "cityHash64(selector, spot_fixed, spot_row, spot_column)"

EDGE = timedelta(minutes=1)
"""A burst that begins inside the window may depend on clicks so long before or after it."""


@dataclass(frozen=True, slots=True)
class SpotQuestion:
    """`rule` None: the bursts as stored; else found anew among the lens's clicks."""

    cell: Cell
    first: int
    after: SpotKey | None = None
    rule: RageRule | None = None


@dataclass(frozen=True, slots=True)
class SpotReplaysQuestion:
    """`kind` is RAGE_CLICK or DEAD_CLICK; cell and rule are those of the spots."""

    kind: str
    cell: Cell
    first: int
    rule: RageRule | None = None


ORDERING = "count DESC, clicks DESC, selector, spot_fixed, spot_row, spot_column"
"""Of the spots of a page: biggest first."""

MAX_NAMED_SPOTS = 5000
"""A server limits the length of a bound value; beyond this the sessions of all spots are read."""


def compile_rage_clicks(lens: Lens, page_keys: tuple[str, ...], question: SpotQuestion) -> Statement:
    """Per page at most first + 1 spots: count (bursts), clicks, max_clicks, the spot's id, place and element.

    Of the pages it is on: page_key, the one with most of its bursts, and page_count. Of all spots: total_count and total (bursts).
    """
    params = Params()
    return Statement.of(rage_spots(lens, page_keys, question, params), params)


def rage_spots(lens: Lens, page_keys: tuple[str, ...], question: SpotQuestion, params: Params) -> list[str]:
    """The rows of `compile_rage_clicks`."""
    return _spots(lens, page_keys, _rage_rows(question.rule, lens, page_keys, params), question, params)


def compile_dead_clicks(lens: Lens, page_keys: tuple[str, ...], question: SpotQuestion) -> Statement:
    """The same of dead clicks: count and clicks are both their number."""
    params = Params()
    return Statement.of(dead_spots(lens, page_keys, question, params), params)


def dead_spots(lens: Lens, page_keys: tuple[str, ...], question: SpotQuestion, params: Params) -> list[str]:
    """The rows of `compile_dead_clicks`."""
    return _spots(lens, page_keys, _stored_rows("DEAD_CLICK", lens, page_keys, params), question, params)


def compile_spot_replays(lens: Lens, page_keys: tuple[str, ...], question: SpotReplaysQuestion, spots: tuple[int, ...]) -> Statement:
    """Per page and spot, by `place` from 1 on, the sessions with the largest burst there, then the newest; each session once."""
    params = Params()
    rows = (
        _rage_rows(question.rule, lens, page_keys, params)
        if question.kind == "RAGE_CLICK"
        else _stored_rows("DEAD_CLICK", lens, page_keys, params)
    )
    wanted = [f"WHERE spot_id IN {params.hashes(spots)}"] if len(spots) <= MAX_NAMED_SPOTS else []
    worst = "clicks DESC, timestamp DESC, session_id"
    return Statement.of(
        [
            "SELECT *",
            "FROM (",
            f"SELECT *, row_number() OVER (PARTITION BY page, spot_id ORDER BY {worst}) AS place",
            "FROM (",
            f"SELECT page, {SPOT_ID} AS spot_id, session_id, timestamp, clicks",
            "FROM (",
            f"SELECT {page_column(lens, page_keys, params)}, session_id, timestamp, clicks, selector,",
            *_spot(question.cell, params),
            *rows,
            ")",
            *wanted,
            f"ORDER BY {worst}",
            "LIMIT 1 BY page, spot_id, session_id",
            ")",
            ")",
            f"WHERE place <= {params.bind(question.first, 'UInt32')}",
        ],
        params,
    )


def _rage_rows(rule: RageRule | None, lens: Lens, page_keys: tuple[str, ...], params: Params) -> list[str]:
    """Where the bursts are: as stored, or found by another rule."""
    return ["FROM (", *_bursts_by(rule, lens, page_keys, params), ")"] if rule else _stored_rows("RAGE_CLICK", lens, page_keys, params)


def _stored_rows(kind: str, lens: Lens, page_keys: tuple[str, ...], params: Params) -> list[str]:
    return ["FROM interactions", where_all([*lens_clauses(lens, page_keys, params), kind_clause(kind)])]


def _bursts_by(rule: RageRule, lens: Lens, page_keys: tuple[str, ...], params: Params) -> list[str]:
    """The lens's bursts by another rule: found among all clicks of its sessions, because a segment must not tear a burst apart;
    where the tracker labelled bursts itself, those."""
    of_lens = lens_clauses(lens, page_keys, params)
    of_pages = [f"site_id = {params.site(lens.site_id)}", *([f"page_key IN {params.texts(page_keys)}"] if page_keys else [])]
    labelled = "SELECT session_id, page_key FROM interactions WHERE " + " AND ".join([*of_pages, "kind = 'rage'", "labelled"])
    around = window_clauses(Window(lens.window.start - EDGE, lens.window.end + EDGE), params)
    clicks = [
        f"SELECT {_columns('kind')}, {', '.join(TIES[1:])}, ({' AND '.join(of_lens)}) AS in_lens",
        "FROM interactions",
        where_all([*of_pages, *around, "kind IN ('click', 'dead')"]),
    ]
    where = [f"(session_id, page_key) NOT IN ({labelled})"]
    if lens.url or lens.segment != Segment():  # else they are all the sessions there are
        sessions = "SELECT session_id FROM interactions WHERE " + " AND ".join([*of_lens, "kind IN ('click', 'dead')"])
        where.append(f"session_id IN ({sessions})")
    return [
        "SELECT " + _columns("'rage' AS kind"),
        "FROM (",
        *bursts(clicks, rule, ("viewport_width", "in_lens"), params, where, TIES),
        ")",
        "WHERE in_lens",  # as the first click is; measured: the clauses themselves, so far outside, take ClickHouse long to analyse
        "UNION ALL",
        "SELECT " + _columns("toString(kind) AS kind"),
        "FROM interactions",
        where_all([*of_lens, "kind = 'rage'", "labelled"]),
    ]


def _columns(kind: str) -> str:
    """What a spot is made of; `kind` is how that column is read."""
    return f"page_key, {kind}, clicks, selector, tag, text, x, y, fixed, viewport_width, session_id, timestamp"


def _spot(cell: Cell, params: Params) -> list[str]:
    """The place that stands for a spot beside its selector: a cell where that is empty."""
    return [
        "  selector = '' AS by_cell,",
        "  toUInt8(by_cell AND fixed) AS spot_fixed,",
        f"  if(by_cell, {cell.row_sql(params)}, 0) AS spot_row,",
        f"  if(by_cell, {cell.column_sql(params)}, 0) AS spot_column",
    ]


def _spots(lens: Lens, page_keys: tuple[str, ...], rows: list[str], question: SpotQuestion, params: Params) -> list[str]:
    """Counted by element and place first, so that the most frequent element of a spot is found among few rows."""
    cell = question.cell
    page, counted, added = "page AS page_key, 1 AS page_count", list[str](), list[str]()
    if lens.url:
        page = "arraySort((key, times) -> (-times, key), mapKeys(on_pages), mapValues(on_pages))[1] AS page_key, length(on_pages) AS page_count"
        counted, added = ["  sumMap(map(toString(page_key), 1)) AS on_pages,"], ["  sumMap(on_pages) AS on_pages,"]
    beyond = []
    if question.after:
        count, clicks, selector, fixed, row, column = question.after
        seen = f"(-toInt64({params.bind(count, 'UInt64')}), -toInt64({params.bind(clicks, 'UInt64')}), {params.text(selector)}, "
        seen += f"{params.bind(int(fixed), 'UInt8')}, {params.bind(row, 'UInt32')}, {params.bind(column, 'UInt32')})"
        beyond = [f"WHERE (-toInt64(count), -toInt64(clicks), selector, spot_fixed, spot_row, spot_column) > {seen}"]
    return [
        "SELECT page, count, clicks, max_clicks, total_count, total, selector, spot_fixed, spot_row, spot_column,",
        f"  {page},",
        f"  {SPOT_ID} AS spot_id, relative_x, y, fixed, top.1 AS tag, top.2 AS text, {LABEL} AS label",
        "FROM (",
        "SELECT page, toString(selector) AS selector, spot_fixed, spot_row, spot_column, count() OVER (PARTITION BY page) AS total_count,",
        "  sum(sum(alike)) OVER (PARTITION BY page) AS total,",
        "  sum(alike) AS count, sum(clicks) AS clicks, max(max_clicks) AS max_clicks,",
        "  ifNotFinite(quantileExactInclusiveMerge(0.5)(placed_x), 0) AS relative_x,",  # NaN: at (0, 0) only
        "  ifNotFinite(quantileExactInclusiveMerge(0.5)(placed_y), 0) AS y,",
        "  2 * sum(on_fixed) > sum(alike) AS fixed,",
        *added,
        "  argMin((toString(tag), toString(text)), (-toInt64(alike), toString(tag), toString(text))) AS top",
        "FROM (",
        f"SELECT {page_column(lens, page_keys, params)}, selector, tag, text,",
        f"  count() AS alike, countIf({fixed_clause(lens, params)}) AS on_fixed, sum(clicks) AS clicks, max(clicks) AS max_clicks,",
        f"  quantileExactInclusiveStateIf(0.5)(x / viewport_width, {IS_PLACED}) AS placed_x,",
        f"  quantileExactInclusiveStateIf(0.5)(y, {IS_PLACED}) AS placed_y,",
        *counted,
        *_spot(cell, params),
        *rows,
        "GROUP BY page, selector, tag, text, spot_fixed, spot_row, spot_column",
        ")",
        "GROUP BY page, selector, spot_fixed, spot_row, spot_column",
        ")",
        *beyond,
        f"ORDER BY page, {ORDERING}",
        f"LIMIT {params.bind(question.first + 1, 'UInt32')} BY page",
    ]
