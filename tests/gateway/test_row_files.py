"""How files become chunks, beside what loads of them show (`test_load.py`, `test_load_damaged.py`)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from time import monotonic

import pyarrow
import pyarrow.parquet
import pytest

from clickhouse.errors import BadUserInputError
from gateway import csv_rows, parquet_rows, row_files
from gateway.row_chunks import Chunk, ahead
from gateway.row_columns import NEEDED
from gateway.row_files import chunks


def test_a_chunk_is_read_while_the_one_before_it_is_stored() -> None:
    first, second, begun = Chunk([b"{}"], 1, 2), Chunk([b"{}"], 2, 4), Event()

    def read() -> Iterator[Chunk]:
        yield first
        begun.set()
        yield second

    chunks = ahead(read())
    assert next(chunks) is first
    assert begun.wait(10)
    assert list(chunks) == [second]


def test_who_stops_does_not_wait_for_a_pipe_that_says_no_more() -> None:
    says_more = Event()

    def read() -> Iterator[Chunk]:
        yield Chunk([b"{}"], 1, 2)
        says_more.wait(20)

    started = monotonic()
    with pytest.raises(KeyboardInterrupt):
        for _ in ahead(read()):
            raise KeyboardInterrupt
    assert monotonic() - started < 10
    says_more.set()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_of_wide_rows_a_chunk_takes_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    """Their number alone would not bound the memory they take."""
    monkeypatch.setattr(row_files, "READ_BYTES", 1000)
    monkeypatch.setattr(parquet_rows, "STEP_ROWS", 2)
    monkeypatch.setattr(csv_rows, "WIDE_BYTES", 5000)
    monkeypatch.setattr(parquet_rows, "WIDE_BYTES", 5000)
    file = tmp_path / f"rows.{suffix}"
    rows = [{name: str(number) for name in NEEDED} | {"dom": "x" * 1000} for number in range(20)]
    if suffix == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    else:
        with file.open("w") as written:
            writer = csv.DictWriter(written, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    found, read = list(chunks(file)), list[str]()
    for chunk in found:
        assert chunk.columns and chunk.first_line == len(read) + (1 if suffix == "parquet" else 2)
        read += pyarrow.ipc.open_stream(b"".join(chunk.columns.stream)).read_all()["c0"].to_pylist()
    assert read == [row["type"] for row in rows]
    assert 3 <= len(found) <= 5


def test_of_damaged_parquet_the_rows_before_the_damage_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One chunk is full by then, the next one is not. Only the checksum of the page tells one letter from another."""
    monkeypatch.setattr(parquet_rows, "STEP_ROWS", 1000)
    monkeypatch.setattr(parquet_rows, "CHUNK_ROWS", 2000)
    file = tmp_path / "rows.parquet"
    table = pyarrow.Table.from_pylist([{name: f"{name} {number}" for name in NEEDED} for number in range(6000)])
    pyarrow.parquet.write_table(table, file, row_group_size=1000, use_dictionary=False, compression="none", write_page_checksum=True)
    file.write_bytes(file.read_bytes().replace(b"url 3500", b"uri 3500"))
    read = list[tuple[int, int]]()
    with pytest.raises(BadUserInputError, match="or is damaged or cut off"):
        for chunk in chunks(file):
            assert chunk.columns
            read.append((chunk.first_line, pyarrow.ipc.open_stream(b"".join(chunk.columns.stream)).read_all().num_rows))
    assert read == [(1, 2000), (2001, 1000)]
