"""CSV as chunks of columns of text, or of lines of JSON when the rows are not all alike."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from io import BufferedReader

from clickhouse.errors import BadUserInputError
from clickhouse.received import MAX_LINE_BYTES
from gateway.row_chunks import WIDE_BYTES, Chunk, json_line
from gateway.row_columns import Columns, check_columns, columns_of

CHUNK_ROWS = 250_000  # their cells are objects
BLOCK_ROWS = 30_000  # of columns, the unit that threads share


def csv_chunks(blocks: Iterator[bytes], file: BufferedReader, name: str) -> Iterator[Chunk]:
    """Cells become texts under the header's names. `blocks` are the content of the file; `file` says how far it is read.

    Raises BadUserInputError for a header that lacks a column or has one twice, UnicodeError for one that is no UTF-8.
    """
    read_bytes = 0

    def counted() -> Iterator[bytes]:
        nonlocal read_bytes
        for block in blocks:
            read_bytes += len(block)
            yield block

    rows = _rows(_text_lines(counted()))
    first_line, names = next(((line, cells) for line, cells in enumerate(rows, 2) if cells not in ([], [""])), (2, []))
    header = [names] if isinstance(names, str) else names
    if header:
        check_columns(header, name, "CSV needs a first line with the names of the columns, separated by commas")
    held: list[list[str] | str] = []

    def take() -> Chunk:
        columns = _columns_of_cells(header, held)
        lines = [] if columns else [b"".join(_line(header, cells) for cells in held)]
        return Chunk(lines, first_line, file.tell(), columns)

    try:
        for cells in rows:
            held.append(cells)
            if len(held) == CHUNK_ROWS or read_bytes >= WIDE_BYTES:
                yield take()
                first_line += len(held)
                held.clear()
                read_bytes = 0
    except BadUserInputError:
        if held:
            yield take()
        raise
    if held:
        yield take()


def _rows(lines: Iterator[str]) -> Iterator[list[str] | str]:
    """The cells of each row. A line that is no CSV comes as it stands and reading goes on behind it: its open quote would swallow the rest."""
    csv.field_size_limit(MAX_LINE_BYTES)  # a longer cell is refused anyway, so no more need be read to find a quote not closed
    taken, again = deque[str](), deque[str]()  # lines of the row that is being read; lines to be read once more

    def noted() -> Iterator[str]:
        while line := again.popleft() if again else next(lines, ""):
            taken.append(line)
            yield line

    while True:
        try:
            for cells in csv.reader(noted(), strict=True, skipinitialspace=True):
                taken.clear()
                yield cells
            return
        except csv.Error:
            bad = taken.popleft()
            again.extendleft(reversed(taken))
            taken.clear()
            yield bad.rstrip("\r\n")


def _columns_of_cells(header: list[str], rows: list[list[str] | str]) -> Columns | None:
    """None when a row is no CSV, has more or fewer cells than the header, or bytes that are no UTF-8."""
    import pyarrow

    if any(isinstance(cells, str) or len(cells) != len(header) for cells in rows):
        return None
    try:
        arrays = [pyarrow.array(column, pyarrow.string()) for column in zip(*rows, strict=True)]
    except UnicodeEncodeError:
        return None
    batch = pyarrow.RecordBatch.from_arrays(arrays, names=header)
    return columns_of([batch.slice(start, BLOCK_ROWS) for start in range(0, len(rows), BLOCK_ROWS)])


def _line(header: list[str], cells: list[str] | str) -> bytes:
    """Too many cells become a list and no CSV a text, which are refused as no object."""
    row = cells if len(cells) > len(header) or isinstance(cells, str) else dict(zip(header, cells, strict=False))
    return json_line(row) if cells else b"\n"


def _text_lines(blocks: Iterator[bytes]) -> Iterator[str]:
    """Lines with their ends; bytes that are no UTF-8 survive as surrogates, to be refused with their row."""
    held = b""
    for block in blocks:
        *lines, held = (held + block).split(b"\n")
        for line in lines:
            yield line.decode(errors="surrogateescape") + "\n"
    if held:
        yield held.decode(errors="surrogateescape")
