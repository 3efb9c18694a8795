"""Parquet as chunks of columns, or of lines of JSON when a column is a list, a struct or the like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from clickhouse.errors import BadUserInputError
from gateway.row_chunks import WIDE_BYTES, Chunk, json_line
from gateway.row_columns import check_columns, columns_of

CHUNK_ROWS = 400_000
STEP_ROWS = 10_000  # read at once


def parquet_chunks(path: Path) -> Iterator[Chunk]:
    """Raises BadUserInputError for what is no Parquet, is damaged, or lacks a column, UnicodeError for a column's name that is no UTF-8."""
    import pyarrow  # slow to import, and few need it
    import pyarrow.parquet

    first_line, size = 1, path.stat().st_size
    held, held_rows, held_bytes = list[Any](), 0, 0

    def take() -> Chunk:
        columns = columns_of(held)
        lines = [] if columns else [b"".join(json_line(row) for row in _rows(batch)) for batch in held]
        return Chunk(lines, first_line, size * (first_line - 1 + held_rows) // rows, columns)

    try:
        with pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) as file:
            check_columns(file.schema_arrow.names, path.name, "name the columns like the keys of an NDJSON row")
            rows = max(file.metadata.num_rows, 1)
            for typed in file.iter_batches(batch_size=STEP_ROWS):
                held.append(pyarrow.RecordBatch.from_arrays([_bytes_of(array) for array in typed.columns], names=typed.schema.names))
                held_rows += typed.num_rows
                held_bytes += held[-1].nbytes
                if held_rows >= CHUNK_ROWS or held_bytes >= WIDE_BYTES:
                    yield take()
                    first_line += held_rows
                    held.clear()
                    held_rows, held_bytes = 0, 0
            if held:
                yield take()
    except (pyarrow.ArrowException, OSError) as error:
        if held:
            yield take()
        raise BadUserInputError(
            f"{path.name}: is no Parquet file, or is damaged or cut off. What stands before the damage was read; of one that is cut off"
            " nothing can be, as Parquet ends in its table of contents. Send the whole file."
        ) from error


def _bytes_of(array: Any) -> Any:
    """Texts as their bytes, which may be no UTF-8, to be refused with their row; UUIDs, which are 16 bytes, as text; others as they are."""
    import pyarrow
    from pyarrow import types

    values = array.dictionary_decode() if types.is_dictionary(array.type) else array
    values = values.storage if isinstance(values.type, pyarrow.UuidType) else values
    if types.is_fixed_size_binary(values.type) and values.type.byte_width == 16:
        return pyarrow.array([value and str(UUID(bytes=value)) for value in values.to_pylist()], pyarrow.string())
    texts = (
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_large_binary,
        types.is_binary_view,
        types.is_fixed_size_binary,
    )
    return values.cast(pyarrow.binary()) if any(is_text(values.type) for is_text in texts) else values


def _rows(batch: Any) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = batch.to_pylist()
    except (OverflowError, ValueError):
        rows = [dict(zip(batch.schema.names, map(_value, cells), strict=True)) for cells in zip(*batch.columns, strict=True)]
    return rows


def _value(scalar: Any) -> Any:
    """As Python has it; a time that is beyond Python's, and a text that is no UTF-8, as the bytes of its text."""
    import pyarrow
    from pyarrow import types

    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        if types.is_struct(scalar.type):
            return {name: _value(value) for name, value in scalar.items()}
        if types.is_nested(scalar.type):
            return [_value(value) for value in scalar.values]
        return scalar.cast(pyarrow.string()).cast(pyarrow.binary()).as_py()
