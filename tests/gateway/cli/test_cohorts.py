"""`python -m gateway cohorts …`."""

from __future__ import annotations

from pathlib import Path

import pytest

from clickhouse.cohorts import cohort_id_of
from tests.gateway.cli.running import lines, refusal, run


def test_loading_a_cohort_again_changes_nothing_and_adds_what_is_new(shop: str, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes("\ufeffann\r\nbob\n\n ann \nzoë\u2028x\n".encode())
    (tmp_path / "two").write_text("bob\ncid")
    load = ("cohorts", "load", "--site", shop, "--name", "Big spenders")
    cohort_id = cohort_id_of(shop, "Big spenders")
    assert run(*load, tmp_path / "one").stdout == f"Cohort {cohort_id} (Big spenders) of site shop has 3 visitors.\n"
    assert "has 3 visitors" in run(*load, tmp_path / "one").stdout
    assert "has 4 visitors" in run(*load, tmp_path / "two").stdout
    assert [cohort_id, "Big", "spenders", "4"] in lines(run("cohorts", "list", "--site", shop))


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\nb"])
def test_a_cohort_is_named_as_over_the_api(shop: str, tmp_path: Path, name: str) -> None:
    (tmp_path / "ids").write_text("v1\n")
    assert refusal("cohorts", "load", "--site", shop, "--name", name, tmp_path / "ids") == "--name: 1 to 200 printable characters."


def test_spaces_around_a_name_make_no_second_cohort(shop: str, tmp_path: Path) -> None:
    (tmp_path / "ids").write_text("v1\n")
    run("cohorts", "load", "--site", shop, "--name", "padded", tmp_path / "ids")
    again = run("cohorts", "load", "--site", shop, "--name", " padded ", tmp_path / "ids")
    assert again.stdout == f"Cohort {cohort_id_of(shop, 'padded')} (padded) of site shop has 1 visitors.\n"


def test_a_deleted_cohort_leaves_nothing(shop: str, tmp_path: Path) -> None:
    (tmp_path / "ids").write_text("v1\nv2\n")
    named = ("--site", shop, "--name", "brief")
    run("cohorts", "load", *named, tmp_path / "ids")
    deleted = cohort_id_of(shop, "brief")
    assert run("cohorts", "delete", *named).stdout == f"Cohort {deleted} (brief) of site shop deleted.\n"
    assert "no cohort 'brief'" in refusal("cohorts", "delete", *named)
    (tmp_path / "ids").write_text("v3\n")
    assert "has 1 visitors" in run("cohorts", "load", *named, tmp_path / "ids").stdout
    assert deleted not in run("cohorts", "list", "--site", shop).stdout


def test_a_cohort_of_many(shop: str, tmp_path: Path) -> None:
    (tmp_path / "many").write_text("\n".join(f"visitor-{number}" for number in range(5001)))
    assert "has 5001 visitors" in run("cohorts", "load", "--site", shop, "--name", "many", tmp_path / "many").stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"ann\nb\x00b\n", "Line 2"),
        (b"x" * 1001, "Line 1"),
        (b"PAR1\xff\xfe", "UTF-8"),
    ],
)
def test_files_that_are_no_cohort(shop: str, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "file").write_bytes(content)
    assert said in refusal("cohorts", "load", "--site", shop, "--name", "n", tmp_path / "file")
    assert "does not exist" in refusal("cohorts", "load", "--site", shop, "--name", "n", tmp_path / "nowhere")
