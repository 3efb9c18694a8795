"""Golden triples: a query, the SQL it becomes, and the values bound in it.

Each `NAME.graphql` here is asked of an empty site, so the SQL also runs. After a deliberate change refresh the files with
`GOLDEN=write make test` and read the difference.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.sites import Site
from clickhouse.statement import Statement
from tests.asking import ask, create_site

FOLDER = Path(__file__).parent
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SITE = Site("site_golden", "Golden", time_zone="Europe/Berlin", test_account_rules=("qa-*",))


@pytest.fixture(scope="module", autouse=True)
def site(database: SyncClient) -> None:
    create_site(database, SITE)
    for path in ("", "pricing"):
        database.insert(
            "pages",
            [[SITE.site_id, f"https://example.com/{path}", NOW, NOW, 1]],
            column_names=["site_id", "page_key", "first_seen", "last_seen", "has_heat"],
        )


def printed(statements: list[Statement]) -> str:
    """In an order that does not depend on which ran first."""
    texts = [
        statement.sql + "".join(f"\n-- {name} = {value!r}" for name, value in sorted(statement.params.items())) for statement in statements
    ]
    return "\n\n".join(sorted(texts)) + "\n"


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.graphql")))
async def test_golden(client: Client, statements: list[Statement], name: str) -> None:
    await ask(client, (FOLDER / f"{name}.graphql").read_text(), now=NOW)
    expected = FOLDER / f"{name}.sql"
    if os.environ.get("GOLDEN") == "write":
        expected.write_text(printed(statements))
    assert printed(statements) == expected.read_text()
