"""Rage bursts: many clicks of one session, close together in time and place.

Clicks of a session on a page, fixed and others apart, in order of (timestamp, x, y): from the earliest unused one, each
following unused click within the window joins when it lies within the radius of all that joined before. Enough of them
are a burst and used up; else only the first is set aside. Derivation and questions with a rule of their own share this SQL.

Clicks of one moment and place share their fate, so they are one spot; of the spots of a second only the first `SPOTS_A_SECOND` are looked
at, which no human exceeds, and with which the work grows with the clicks and not with their square.

    bursts(["SELECT …", "FROM interactions", …], DEFAULT_RULE, ("viewport_width",), params)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clickhouse.statement import Params, where_all


@dataclass(frozen=True, slots=True)
class RageRule:
    """At least `min_clicks` (2 or more) within `window_ms` of the first and `radius_px` of each other, both inclusive."""

    min_clicks: int = 5
    window_ms: int = 1000
    radius_px: float = 30


DEFAULT_RULE = RageRule()
SPOTS_A_SECOND = 100
_PLACE = "session_id, page_key, fixed"


def bursts(
    clicks: Sequence[str], rule: RageRule, payload: Sequence[str], params: Params, where: Sequence[str] = (), ties: Sequence[str] = ()
) -> list[str]:
    """Lines of a SELECT, one row a burst: session_id, page_key, fixed, timestamp of its first click, x, y (its centre), clicks,
    selector, tag, text (the most frequent selector of its clicks, with its most frequent tag and text), and the columns `payload` of its first click.

    `clicks` are the lines of a SELECT with all of these but `clicks`, and with the columns `ties`, by which alike clicks of one moment are
    put in order before `payload`; it is read twice, first to find who can have a burst at all.
    `where` are conditions on session_id and page_key alone, so that they need to be looked at the first time only.
    """
    min_clicks = params.bind(rule.min_clicks, "UInt32")
    window_ms = params.bind(rule.window_ms, "UInt32")
    radius_px = params.bind(float(rule.radius_px), "Float64")
    first = ", ".join(f"payload.{number} AS {column}" for number, column in enumerate(payload, 1))
    spots = _spots(clicks, _possible(clicks, min_clicks, window_ms, where), payload, ties)
    return [
        f"SELECT {_PLACE}, timestamp, x, y, clicks, commonest.1 AS selector, commonest.2 AS tag, commonest.3 AS text{', ' + first if first else ''}",
        "FROM (",
        f"SELECT {_PLACE}, min(spot.timestamp) AS timestamp, toUInt32(sum(spot.clicks)) AS clicks,",
        "  sum(spot.x * spot.clicks) / clicks AS x, sum(spot.y * spot.clicks) / clicks AS y, argMin(spot.payload, spot.place) AS payload,",
        "  arraySort(groupArrayArray(spot.elements)) AS elements,",
        f"  {_commonest('elements', '.1')} AS alike,",
        f"  {_commonest('alike')}[1] AS commonest",
        "FROM (",
        *_in_bursts(_starts(spots, rule.window_ms, min_clicks, radius_px), min_clicks, radius_px),
        ")",
        f"GROUP BY {_PLACE}, burst",
        ")",
    ]


def _possible(clicks: Sequence[str], min_clicks: str, window_ms: str, where: Sequence[str]) -> list[str]:
    """One row a session, page and fixed that can have a burst, by the times of its clicks alone."""
    return [
        f"SELECT {_PLACE}",
        "FROM (",
        *clicks,
        ")",
        *([where_all(where)] if where else []),
        f"GROUP BY {_PLACE}",
        f"HAVING count() >= {min_clicks}",
        f"  AND arrayExists((start, end) -> end - start <= {window_ms},",
        f"    arraySlice(arraySort(groupArray(toUnixTimestamp64Milli(timestamp))) AS times, 1, length(times) - {min_clicks} + 1),",
        f"    arraySlice(times, {min_clicks}))",
    ]


def _spots(clicks: Sequence[str], possible: list[str], payload: Sequence[str], ties: Sequence[str]) -> list[str]:
    """One row a spot, which is all clicks of a millisecond at one point: its clicks, their elements, and the payload of the first."""
    return [
        f"SELECT {_PLACE}, timestamp, x, y, count() AS clicks, groupArray(element) AS elements,",
        f"  argMin(payload, ({', '.join(('element', *ties, 'payload'))})) AS payload",
        "FROM (",
        f"SELECT {', '.join((_PLACE, 'timestamp', 'x', 'y', *ties))}, (selector, tag, text) AS element, ({', '.join((*payload, '0'))}) AS payload",
        "FROM (",
        *clicks,
        ")",
        f"WHERE ({_PLACE}) IN (",
        *possible,
        ")",
        ")",
        f"GROUP BY {_PLACE}, timestamp, x, y",
        "ORDER BY timestamp, x, y",
        f"LIMIT {SPOTS_A_SECOND} BY {_PLACE}, toStartOfSecond(timestamp)",
    ]


def _starts(spots: list[str], window_ms: int, min_clicks: str, radius_px: str) -> list[str]:
    """One row a session, page and fixed: `every`, its spots in order, and `starts`: of each spot that may begin a burst an array of
    itself and the later ones within window and radius."""
    in_order = f"PARTITION BY {_PLACE} ORDER BY timestamp, x, y"
    return [
        f"SELECT {_PLACE}, arraySort(groupArrayIf(ahead, arraySum(ahead.clicks) >= {min_clicks})) AS starts,",
        "  arraySort(spot -> spot.place, groupArray(spot)) AS every",
        "FROM (",
        f"SELECT {_PLACE}, spot,",
        f"  arrayFilter(spot -> spot.place >= place AND pow(x - spot.x, 2) + pow(y - spot.y, 2) <= pow({radius_px}, 2),",
        "    arraySort(groupArray(CAST((place, x, y, clicks), 'Tuple(place UInt64, x Float64, y Float64, clicks UInt64)')) OVER within)) AS ahead",
        "FROM (",
        f"SELECT *, toUnixTimestamp64Milli(timestamp) AS at_ms, row_number() OVER ({in_order}) AS place,",
        "  CAST((place, timestamp, x, y, clicks, elements, payload), "
        "concat('Tuple(place UInt64, timestamp DateTime64(3, \\'UTC\\'), x Float64, y Float64, clicks UInt64,"
        " elements ', toTypeName(elements), ', payload ', toTypeName(payload), ')')) AS spot",
        "FROM (",
        *spots,
        ")",
        ")",
        f"WINDOW within AS (PARTITION BY {_PLACE} ORDER BY at_ms RANGE BETWEEN CURRENT ROW AND {window_ms} FOLLOWING)",
        ")",
        f"GROUP BY {_PLACE}",
    ]


def _in_bursts(starts: list[str], min_clicks: str, radius_px: str) -> list[str]:
    """One row a spot of a burst: session_id, page_key, fixed, spot, and the place of the burst's first spot as `burst`."""
    # Of every start all spots ahead and within its radius are looked at, so a spot ahead holds numbers only, and so does the fold's state,
    # which is copied at every step: (spot, first spot of its burst), and the used spots that are still ahead. A lambda gets whatever it
    # uses beside its arguments once for each element, so that must be small.
    joined = (
        "arrayFold((joined, spot) -> if(has(used, spot.place) OR arrayExists("
        f"other -> pow(other.x - spot.x, 2) + pow(other.y - spot.y, 2) > pow({radius_px}, 2), joined),"
        " joined, arrayPushBack(joined, spot)), arraySlice(ahead, 2), arraySlice(ahead, 1, 1))"
    )
    step = (
        f"arrayMap(used -> arrayMap(joined -> if(arraySum(joined.clicks) >= {min_clicks},"
        " (arrayConcat(state.1, arrayZip(joined.place, arrayWithConstant(length(joined), joined[1].place))),"
        f" arrayConcat(arrayFilter(place -> place > ahead[1].place, used), joined.place)), (state.1, used)), [{joined}])[1], [state.2])[1]"
    )
    return [
        f"SELECT {_PLACE}, spot, burst",
        "FROM (",
        f"SELECT {_PLACE}, every, arraySort(arrayConcat(taken, arrayMap(spot -> (spot.place, 0), every))) AS told,",
        "  arrayFilter((one, next) -> one.1 != next.1, told, arrayPushBack(arrayPopFront(told), (0, 0))).2 AS burst_of",
        "FROM (",
        f"SELECT {_PLACE}, every,",
        "  arrayFold((state, ahead) -> if(has(state.2, ahead[1].place), state,",
        f"    {step}),",
        "    starts, (CAST([], 'Array(Tuple(UInt64, UInt64))'), CAST([], 'Array(UInt64)'))).1 AS taken",
        "FROM (",
        *starts,
        ")",
        ")",
        ")",
        "ARRAY JOIN every AS spot, burst_of AS burst",
        "WHERE burst != 0",
    ]


def _commonest(elements: str, part: str = "") -> str:
    """The longest run of a sorted array whose elements are equal, or a part of theirs, say `.1`; of equally long ones the smallest."""
    differs = f"(element, before) -> element{part} != before{part}"
    runs = f"arraySplit({differs}, {elements}, arrayPushFront(arrayPopBack({elements}), {elements}[1]))"
    return f"arraySort(run -> (-toInt64(length(run)), run[1]), {runs})[1]"
