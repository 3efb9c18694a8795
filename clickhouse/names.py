"""What people call cohorts, keys and sites: one line that a list can show.

checked_name(" Big spenders ")     -> "Big spenders"
"""

from __future__ import annotations

from clickhouse.errors import BadUserInputError

MAX_NAME_CHARACTERS = 200
MAX_VISITOR_ID_CHARACTERS = 1000


def checked_name(given: str, argument: str = "name", most: int = MAX_NAME_CHARACTERS) -> str:
    """Without the spaces around it; raises BadUserInputError that names the argument."""
    name = given.strip()
    if not 1 <= len(name) <= most or not name.isprintable():
        raise BadUserInputError(f"{argument}: 1 to {most} printable characters.", argument=argument)
    return name
