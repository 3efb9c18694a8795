"""What was measured, as tables people read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from clickhouse.rollups import ROLLUPS
from tests.benchmarks.questions import Question
from tests.benchmarks.side_by_side import WINDOWS, Measured

PEER_TABLES = {"heatmaps", "heatmap_cohort"}
OF_INTERACTIONS = {"interactions", *ROLLUPS}
Results = Mapping[tuple[str, int], Measured]
"""By question and days."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def millions(interactions: int) -> str:
    return f"{interactions / 1e6:g} M"


def _cell(measured: Measured) -> str:
    return f"{measured.peer_ms:.1f} → {measured.ours_ms:.1f} ({measured.ratio:.1f}×)"


def _target(question: Question, interactions: int) -> str:
    if interactions < 30_000_000 or not question.targets:
        return ""
    at = int(interactions >= 100_000_000)
    of_90_days = f", 90 days {question.targets_90[at]:g}×" if question.targets_90 else ""
    return f"{question.targets[at]:g}×{of_90_days}"


def ratios(questions: Sequence[Question], results: Results, interactions: int) -> str:
    """One row a question: the peer's ms → ours, and how many times faster; lookups of site and page are in the last column only."""
    rows = []
    for question in questions:
        of_30_days = results[question.name, 30]
        rows.append(
            [
                question.name,
                *(_cell(results[question.name, days]) for days in WINDOWS),
                f"{of_30_days.peer_rows / max(of_30_days.our_rows, 1):.1f}×",
                f"{of_30_days.lookups_ms:.1f}",
                _target(question, interactions),
            ]
        )
    head = [millions(interactions), *(f"{days} days" for days in WINDOWS), "fewer rows read", "lookups, ms", "target"]
    return table(head, rows)


def condition_cache(questions: Sequence[Question], off: Results, on: Results, interactions: int) -> str:
    """30 days; the peer's ms → ours without the cache and with it, and how much of what it read the peer reads with it."""
    rows = []
    for question in questions:
        without, cached = off[question.name, 30], on[question.name, 30]
        rows.append([question.name, _cell(without), _cell(cached), f"{cached.peer_rows / without.peer_rows:.0%}"])
    return table([millions(interactions), "off", "on", "rows PostHog's layout still reads"], rows)


def growth(questions: Sequence[Question], by_size: Mapping[int, Results]) -> str:
    """Our ms over 30 days at each size."""
    sizes = sorted(by_size)
    rows = [[question.name, *(f"{by_size[size][question.name, 30].ours_ms:.1f}" for size in sizes)] for question in questions]
    return table(["our ms, 30 days", *map(millions, sizes)], rows)


def disk(by_size: Mapping[int, Mapping[str, int]]) -> str:
    """Bytes an interaction of each table that is large enough to matter, and in all."""
    sizes = sorted(by_size)
    ours = [name for name in by_size[sizes[-1]] if name not in PEER_TABLES]

    def row(title: str, names: Collection[str]) -> list[str]:
        return [title, *(f"{sum(by_size[size].get(name, 0) for name in names) / size:.1f}" for size in sizes)]

    rows = [row(f"`{name}`", {name}) for name in ours if by_size[sizes[-1]][name] / sizes[-1] >= 0.05]
    rows += [
        row("interactions with all dimensions, and all sums by day", OF_INTERACTIONS),
        row("all of ours", ours),
        row("PostHog's layout", PEER_TABLES),
    ]
    return table(["bytes an interaction", *map(millions, sizes)], rows)
