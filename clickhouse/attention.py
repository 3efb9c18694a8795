"""Which bands of a page are looked at: seconds in view, shared by how much of the band is visible."""

from __future__ import annotations

from dataclasses import dataclass

from clickhouse.conditions import page_column, pages_apart
from clickhouse.lens import Lens
from clickhouse.numbers import rate_shape
from clickhouse.planner import planned
from clickhouse.selection import Leaf, Selection, Shape, compile_json
from clickhouse.statement import Params, Statement

MAX_BANDS = 2000
SUMMED_BAND_PX = 100
"""The height of the bands that are summed up by day; bands that are put together from whole ones are answered from these."""
EDGES = {
    "band_px": "edge_px",
    "ended": "number = 1",
    "in_view_ms": "toUInt64(greatest(edge_ms, 0))",
    "edge_ms": "edge_ms",
    "edge_ms_px": "toInt64(0)",
}
"""The columns of a rollup that it takes, and what each is where the edges of every pageview are looked at: a band of its own."""

OF_EACH_EDGE = [
    "ARRAY JOIN arrayConcat([reached_px], seen_y_px, arrayMap((y, view_height) -> toUInt32(y + view_height), seen_y_px, seen_height_px)) AS edge_px,",
    "  arrayConcat([toInt64(0)], seen_ms, arrayMap(ms -> -toInt64(ms), seen_ms)) AS edge_ms,",
    "  arrayEnumerate(arrayConcat([0], seen_ms, seen_ms)) AS number",
]

ATTENTION_BAND = Shape(
    "AttentionBand",
    {
        "y": Leaf("band_top", "UInt32"),
        "height": Leaf("band_height_px", "UInt32"),
        "attention": Leaf("if(most_ms_px = 0, 0, 1000 * ms_px / most_ms_px)", "Float64"),
        "averageSeconds": Leaf("ms_px / (1000 * band_height_px * reached)", "Float64"),
        "reach": rate_shape("reached", "pageviews", "PAGEVIEWS", subset=True),
    },
)


@dataclass(frozen=True, slots=True)
class AttentionQuestion:
    """Bands of `band_height_px` from `top_px` down; `bands` are the selections by the key each answers under."""

    band_height_px: int
    top_px: int
    bands: tuple[tuple[str, Selection], ...] = ()


def compile_attention(lens: Lens, page_keys: tuple[str, ...], question: AttentionQuestion) -> Statement:
    """One row a page: pageviews, seconds (in view, all bands or none) and `bands_KEY`, JSON, for each selection.

    A band's time is kept as ms × px in view, an integer, and divided once; only bands somebody reached are given.
    attention = averageSeconds × reach scaled to 1000, in which the reached pageviews cancel out.
    """
    params = Params()
    lists = []
    for key, selection in question.bands:
        band = compile_json(selection, ATTENTION_BAND)
        rows = f"arrayMap((band_top, ms_px, reached) -> {band}, tops, ms_px_by_band, reached_by_band)"
        lists.append(f",\n  toJSONString({rows}) AS `bands_{key}`")
    return Statement.of(
        [
            "SELECT page, pageviews, seen_ms / 1000 AS seconds" + "".join(lists),
            "FROM (",
            *band_counts(lens, page_keys, question, params),
            ")",
        ],
        params,
    )


def band_counts(lens: Lens, page_keys: tuple[str, ...], question: AttentionQuestion, params: Params) -> list[str]:
    """One row a page: pageviews, seen_ms, band_height_px, most_ms_px and arrays from the top down: tops, ms_px_by_band, reached_by_band.

    A look's time in view is that of a page seen from its upper edge down, less that of a page seen from its lower edge down. So a band
    has the ms of every edge above its own bottom, for its whole height but for the px above the edge.
    """
    height = params.bind(question.band_height_px, "UInt32")
    top = params.bind(question.top_px, "UInt32")
    apart = pages_apart(lens, page_keys)
    return [
        f"SELECT *, toUInt32({height}) AS band_height_px,",
        f"  arrayMap(band -> toUInt32({top} + band * {height}), range(bands)) AS tops,",
        "  arraySlice(arrayReverse(arrayCumSum(arrayReverse(ended_in))), 2, bands) AS reached_by_band,",
        f"  arraySlice(arrayMap((ms, ms_px) -> ms * {height} - ms_px, arrayCumSum(ms_in), ms_px_above_in), 2, bands) AS ms_px_by_band,",
        "  arrayMax(ms_px_by_band) AS most_ms_px",
        "FROM (",
        "SELECT page," if apart else f"SELECT {page_column(lens, page_keys, params)},",
        f"  sum(ended) AS pageviews, sum(in_view_ms) AS seen_ms, least(maxIf(band, ended > 0), {MAX_BANDS}) AS bands,",
        "  groupArrayInsertAt(0)(ended, band) AS ended_in,",
        "  groupArrayInsertAt(0)(ms, band) AS ms_in,",
        "  groupArrayInsertAt(0)(ms_px_above, band) AS ms_px_above_in",
        "FROM (",
        *_bands(lens, page_keys, question, params),
        ")",
        "GROUP BY page" if apart else "HAVING count() > 0",
        ")",
    ]


def _bands(lens: Lens, page_keys: tuple[str, ...], question: AttentionQuestion, params: Params) -> list[str]:
    """One row a band, 0 for all above `top_px`: pageviews that ended in it, their ms in view, and of the edges of looks in it ms, upper ones
    less lower ones, and ms × px of the band above the edge."""
    height = params.bind(question.band_height_px, "UInt32")
    top = params.bind(question.top_px, "UInt32")
    apart = pages_apart(lens, page_keys)
    is_summed = question.band_height_px % SUMMED_BAND_PX == question.top_px % SUMMED_BAND_PX == 0
    edge, lines = planned(lens, page_keys, EDGES, "pageviews", params, OF_EACH_EDGE, sums=is_summed)
    return [
        f"SELECT {'page_key AS page, ' if apart else ''}sum({edge['ended']}) AS ended, sum({edge['in_view_ms']}) AS in_view_ms,",
        f"  toUInt16(least(({edge['band_px']} >= {top})"
        f" + intDiv(toUInt32(greatest({edge['band_px']}, {top}) - {top}) AS px_below_top, {height}), {MAX_BANDS + 1})) AS band,",
        f"  sum(edge_ms) AS ms, sum({edge['edge_ms_px']} + edge_ms * (px_below_top % {height})) AS ms_px_above",
        *lines,
        f"GROUP BY {'page, ' if apart else ''}band",
    ]
