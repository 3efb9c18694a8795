"""Rage bursts: many clicks of one session, close together in time and place.

Clicks of a session on a page, fixed and others apart, in order of (timestamp, x, y): from the earliest unused one, each
following unused click within the window joins when it lies within the radius of all that joined before. Enough of them
are a burst and used up; else only the first is set aside. Derivation and questions with a rule of their own share this SQL.

    bursts(["SELECT …", "FROM interactions", …], DEFAULT_RULE, ("viewport_width",), params)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clickhouse.statement import Params


@dataclass(frozen=True, slots=True)
class RageRule:
    """At least `min_clicks` (2 or more) within `window_ms` of the first and `radius_px` of each other, both inclusive."""

    min_clicks: int = 5
    window_ms: int = 1000
    radius_px: float = 30


DEFAULT_RULE = RageRule()
_PLACE = ("session_id", "page_key", "fixed")


def bursts(
    clicks: Sequence[str], rule: RageRule, payload: Sequence[str], params: Params, where: Sequence[str] = (), ties: Sequence[str] = ()
) -> list[str]:
    """Lines of a SELECT, one row a burst: session_id, page_key, fixed, timestamp of its first click, x, y (its centre), clicks,
    selector, tag, text (the most frequent selector of its clicks, with its most frequent tag and text), and the columns `payload` of its first click.

    `clicks` are the lines of a SELECT with all of these but `clicks`, and with the columns `ties`, by which alike clicks of one moment are
    put in order before `payload`; it is read twice, first to find who can have a burst at all.
    `where` are conditions on session_id and page_key alone, so that they need to be looked at the first time only.
    """
    place = ", ".join(_PLACE)
    min_clicks = params.bind(rule.min_clicks, "UInt32")
    window_ms = params.bind(rule.window_ms, "UInt32")
    radius_px = params.bind(float(rule.radius_px), "Float64")
    first = ", ".join(f"burst[1].payload.{number} AS {column}" for number, column in enumerate(payload, 1))
    # Of every start all spots ahead and within its radius are looked at, so a spot holds numbers only, and so does the fold's state, which
    # is copied at every step: for each start the clicks of its burst or none, and the used clicks that are still ahead.
    joined = (
        "arrayFold((joined, spot) -> if(has(used, spot.place) OR arrayExists("
        f"other -> pow(other.x - spot.x, 2) + pow(other.y - spot.y, 2) > pow({radius_px}, 2), joined),"
        " joined, arrayPushBack(joined, spot)), arraySlice(ahead, 2), arraySlice(ahead, 1, 1)).place"
    )
    step = (
        f"arrayMap(used -> arrayMap(places -> if(length(places) >= {min_clicks},"
        " (arrayPushBack(state.1, places), arrayConcat(arrayFilter(place -> place > ahead[1].place, used), places)),"
        f" (arrayPushBack(state.1, []), used)), [{joined}])[1], [state.2])[1]"
    )
    return [
        f"SELECT {place}, burst[1].timestamp AS timestamp, arrayAvg(burst.x) AS x, arrayAvg(burst.y) AS y,",
        "  toUInt32(length(burst)) AS clicks,",
        "  arraySort(element -> (-toInt64(countEqual(burst.element.1, element.1)), element.1,",
        "    -toInt64(countEqual(burst.element, element)), element), arrayDistinct(burst.element))[1] AS element,",
        f"  element.1 AS selector, element.2 AS tag, element.3 AS text{', ' + first if first else ''}",
        "FROM (",
        f"SELECT {place}, arrayFilter(click -> has(places, click.place), every) AS burst",
        "FROM (",
        f"SELECT {place}, every,",
        "  arrayFold((state, ahead) -> if(has(state.2, ahead[1].place), (arrayPushBack(state.1, []), state.2),",
        f"    {step}),",
        "    starts, (CAST([], 'Array(Array(UInt64))'), CAST([], 'Array(UInt64)'))).1 AS taken",
        "FROM (",
        f"SELECT {place}, arraySort(groupArrayIf(ahead, length(ahead) >= {min_clicks})) AS starts,",
        "  arraySort(click -> click.place, groupArray(click)) AS every",
        "FROM (",
        f"SELECT {place}, click,",
        f"  arrayFilter(spot -> spot.place >= place AND pow(x - spot.x, 2) + pow(y - spot.y, 2) <= pow({radius_px}, 2),",
        "    arraySort(groupArray(CAST((place, x, y), 'Tuple(place UInt64, x Float64, y Float64)')) OVER within)) AS ahead",
        "FROM (",
        f"SELECT {place}, toUnixTimestamp64Milli(timestamp) AS at_ms, x, y, (selector, tag, text) AS element,",
        f"  ({', '.join((*payload, '0'))}) AS payload,",
        f"  row_number() OVER (PARTITION BY {place} ORDER BY {', '.join(('timestamp', 'x', 'y', 'element', *ties, 'payload'))}) AS place,",
        "  CAST((place, timestamp, x, y, element, payload), "
        "concat('Tuple(place UInt64, timestamp DateTime64(3, \\'UTC\\'), x Float64, y Float64,"
        " element ', toTypeName(element), ', payload ', toTypeName(payload), ')')) AS click",
        "FROM (",
        *clicks,
        ")",
        f"WHERE ({place}) IN (",
        f"SELECT {place}",
        "FROM (",
        *clicks,
        ")",
        *(["WHERE " + "\n  AND ".join(where)] if where else []),
        f"GROUP BY {place}",
        f"HAVING count() >= {min_clicks}",
        f"  AND arrayExists((start, end) -> end - start <= {window_ms},",
        f"    arraySlice(arraySort(groupArray(toUnixTimestamp64Milli(timestamp))) AS times, 1, length(times) - {min_clicks} + 1),",
        f"    arraySlice(times, {min_clicks}))",
        ")",
        ")",
        f"WINDOW within AS (PARTITION BY {place} ORDER BY at_ms RANGE BETWEEN CURRENT ROW AND {rule.window_ms} FOLLOWING)",
        ")",
        f"GROUP BY {place}",
        ")",
        ")",
        "ARRAY JOIN arrayFilter(places -> notEmpty(places), taken) AS places",
        ")",
    ]
