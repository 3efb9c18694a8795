"""Which fields a site can answer, and what is missing for the others."""

from __future__ import annotations

from dataclasses import dataclass

from clickhouse.breakdown import DIMENSIONS
from clickhouse.capabilities import compile_received_kinds
from clickhouse.sites import PLANS, Site
from resolvers.context import Context

NEEDS = {
    "totals": (("sessions",), "No rows were received; load some, or install the tracker."),
    "heatmap": (("clicks",), "No `click` rows were received."),
    "heatmap(kind: MOVE)": (("moves",), "No `move` rows were received; the tracker may not record the mouse."),
    "rageClicks": (("clicks",), "No `click` rows were received, which bursts are found in."),
    "deadClicks": (("dead_clicks",), "No `dead` rows were received; the tracker may not tell dead clicks from others."),
    "scroll": (("scrolls",), "No `scroll` rows were received; every pageview counts as far as its own viewport."),
    "attention": (("attention",), "No `attention` rows were received."),
    "elements": (("selectors", "positions"), "No click has a `selector`, and no `element` rows were received."),
    "elements { element { top } }": (("positions",), "No `element` rows were received; positions are medians of clicks."),
    "elements { conversions }": (("conversions",), "No `event` row has `conversion: true` or a `value`; name an event of yours."),
    "elements { conversions(event:) }": (("events",), "No `event` rows were received."),
    "conversionsByDepth": (("conversions",), "No `event` row has `conversion: true` or a `value`; name an event of yours."),
    "replays": (("sessions",), "No rows were received; load some, or install the tracker."),
} | {
    f"breakdown(by: {dimension})": ((column,), f"No row names this dimension, {dimension.lower().replace('_', ' ')}.")
    for dimension, column in DIMENSIONS.items()
    if column not in ("device", "breakpoint")
}
"""Field of Insights to the rows it needs, of which one kind is enough, and what to say without them."""


@dataclass(frozen=True, slots=True)
class FieldCapability:
    """`reason` is None when the field can be answered."""

    field: str
    reason: str | None


async def load_fields(context: Context, site: Site) -> list[FieldCapability]:
    """For this key: what its scopes and the site's plan do not allow is not answered either."""
    forbidden = _forbidden(context, site)
    source = context.sources.of(site.site_id)
    needed = sorted({kind for field, (kinds, _) in NEEDS.items() if field not in source.reasons for kind in kinds})
    row = (await source.client.query(compile_received_kinds(site.site_id, needed)))[0]
    fields = [
        FieldCapability(field, forbidden or source.reasons.get(field) or (None if any(row[kind] for kind in kinds) else reason))
        for field, (kinds, reason) in NEEDS.items()
    ]
    fields += [FieldCapability(field, forbidden or reason) for field, reason in source.reasons.items() if field not in NEEDS]
    replays = None if context.key.may("replay:read") else "This key lacks the scope replay:read; numbers of replays stay visible."
    url = None if site.replay_url_template else "The site has no URL template: python -m gateway sites set … --replay-url-template URL"
    return [
        *(FieldCapability(one.field, one.reason or replays) if one.field == "replays" else one for one in fields),
        *([] if "replays { url }" in source.reasons else [FieldCapability("replays { url }", forbidden or replays or url)]),
    ]


def _forbidden(context: Context, site: Site) -> str | None:
    if PLANS[site.plan].max_pages == 0:
        return "Heatmaps require the PRO plan or higher."
    return None if context.key.may("heatmap:read") else "This key lacks the scope heatmap:read."
