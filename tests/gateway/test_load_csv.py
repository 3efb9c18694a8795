"""Loading CSV: rows that are not all alike, quotes and blank lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from clickhouse import received
from clickhouse.sites import Site
from gateway import csv_rows
from gateway.database import Database
from gateway.load import load_files
from tests.clickhouse.stored import stored
from tests.gateway.loading import ROWS, START, write_csv


def test_csv_rows(database: Client, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    moment = START.isoformat()
    file.write_bytes(
        "type,timestamp,sessionId,visitorId,url,x,y,text\r\n"
        f'click,{moment},s,v,https://a.de/,1,2,"two\nlines, and a comma"\r\n'
        f"click,{moment},s,v,https://a.de/,1\r\n"
        f"click,{moment},s,v,https://a.de/,1,2,a,b\r\n"
        "\r\n"
        f"click,{moment},s,v,https://a.de/,1,2,é\r\n".encode()
        + f"click,{moment},s,v,https://a.de/,1,2,".encode()
        + b"\xff\r\n"
    )
    summary = load_files(Database(database), site, [file])
    assert sorted(row["text"] for row in stored(database, site.site_id)["received"]) == ["two\nlines, and a comma", "é"]
    assert summary.rejected == {
        "y is missing: click, dead, rage, move rows need it": 1,
        "the row is not a JSON object": 1,
        "the row is not valid UTF-8": 1,
    }


@pytest.mark.parametrize("blank", [b"\n", b"\r\n\r\n", b"\xef\xbb\xbf \n\n"])
def test_blank_lines_before_the_header_of_csv(database: Client, site: Site, tmp_path: Path, blank: bytes) -> None:
    """They count as lines; a file of nothing else has no rows."""
    file, nothing = tmp_path / "rows.csv", tmp_path / "nothing.csv"
    write_csv(file, [*ROWS[:3], {"type": "klick"}])
    file.write_bytes(blank + file.read_bytes())
    nothing.write_bytes(blank)
    summary = load_files(Database(database), site, [nothing, file])
    assert (summary.read_rows, summary.stored_rows, summary.problems) == (4, 3, [])
    assert json.loads(summary.rejects_files[0].read_text())["line"] == blank.count(b"\n") + 5


def test_a_stray_quote_in_csv_costs_its_own_line_only(
    database: Client, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not closed before another quote, within the longest row there may be, and before the end of the file; a text may have line ends."""
    texts = ["a", '"b', *"cdefgh", '"i', "j", '"k"', '"l\nm"', '"n" o', '"p', "q"]
    file = tmp_path / "rows.csv"
    rows = [f"click,{START.isoformat()},s,v,https://a.de/,1,{at},{text}" for at, text in enumerate(texts)]
    file.write_text("type,timestamp,sessionId,visitorId,url,x,y,text\n" + "\n".join(rows))
    for longest in (received.MAX_LINE_BYTES, 100):
        monkeypatch.setattr(csv_rows, "MAX_LINE_BYTES", longest)
        summary = load_files(Database(database), Site(f"{site.site_id}_{longest}", "Test"), [file])
        stored_texts = sorted(row["text"] for row in stored(database, f"{site.site_id}_{longest}")["received"])
        assert stored_texts == [*"acdefghjk", "l\nm", "q"]
        assert summary.rejected == {"the row is a text; in CSV a quote is not closed, or something follows a closed one": 4}
        rejected = [json.loads(line) for line in summary.rejects_files[0].read_text().splitlines()]
        assert [(one["line"], one["row"]) for one in rejected] == [(2 + at, rows[at]) for at in (1, 8, 12, 13)]
        assert summary.problems == []
