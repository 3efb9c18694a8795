"""Which bands of a page are looked at: seconds in view, shared by how much of the band is visible."""

from __future__ import annotations

from dataclasses import dataclass

from clickhouse.conditions import lens_clauses, page_column
from clickhouse.lens import Lens
from clickhouse.numbers import rate_shape
from clickhouse.selection import Leaf, Selection, Shape, compile_json
from clickhouse.statement import Params, Statement

MAX_BANDS = 2000

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
    """One row a page: pageviews, seen_ms, band_height_px, most_ms_px and arrays from the top down: tops, ms_px_by_band, reached_by_band."""
    height = params.bind(question.band_height_px, "UInt32")
    top = params.bind(question.top_px, "UInt32")
    return [
        f"SELECT *, toUInt32({height}) AS band_height_px,",
        f"  arrayMap(band -> toUInt32({top} + band * {height}), range(bands)) AS tops,",
        "  arrayReverse(arrayCumSum(arrayReverse(arrayMap(band -> ended_in[toUInt32(band)], range(bands))))) AS reached_by_band,",
        "  arrayMap(band -> in_view[toUInt32(band)], range(bands)) AS ms_px_by_band,",
        "  arrayMax(ms_px_by_band) AS most_ms_px",
        "FROM (",
        "SELECT page, count() AS pageviews, sum(arraySum(seen_ms)) AS seen_ms,",
        f"  if(max(reached_px) < {top}, 0, least(intDiv(max(reached_px) - {top}, {height}) + 1, {MAX_BANDS})) AS bands,",
        f"  sumMapIf(map(toUInt32(least(intDiv(reached_px - {top}, {height}), {MAX_BANDS - 1})), toUInt64(1)), reached_px >= {top}) AS ended_in,",
        "  sumMap(view_by_band) AS in_view",
        "FROM (",
        f"SELECT {page_column(lens, page_keys, params)}, reached_px, seen_ms,",
        "  toInt64(arrayMax((y, view_height) -> y + view_height, seen_y_px, seen_height_px)) AS lowest_seen_px,",
        "  mapFromArrays(",
        f"    arrayMap(band -> toUInt32(band), range(toUInt32(greatest(0, intDiv(lowest_seen_px - {top}, toInt64({height})) + 1)))) AS own_bands,",
        "    arrayMap(band -> arraySum((y, view_height, ms) ->",
        f"      toUInt64(ms) * greatest(0, least(toInt64(y) + view_height, {top} + (band + 1) * toInt64({height}))"
        f" - greatest(toInt64(y), {top} + band * toInt64({height}))),",
        "      seen_y_px, seen_height_px, seen_ms), own_bands)",
        "  ) AS view_by_band",
        "FROM pageviews",
        "WHERE " + "\n  AND ".join(lens_clauses(lens, page_keys, params)),
        ")",
        "GROUP BY page",
        ")",
    ]
