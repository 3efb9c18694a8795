"""Results of benchmarks, written where people read them."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def write_between(name: str, text: str) -> None:
    """Replaces what stands between `<!-- name -->` and `<!-- /name -->`; raises ValueError if the README has no such place."""
    before = README.read_text()
    place = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- /{re.escape(name)} -->)", re.DOTALL)
    after, count = place.subn(lambda found: f"{found[1]}{text.strip()}\n{found[2]}", before)
    if count != 1:
        raise ValueError(f"README.md has {count} places for {name}")
    README.write_text(after)
