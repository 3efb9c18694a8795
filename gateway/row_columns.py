"""Rows as columns of an Arrow stream, which ClickHouse reads without parsing text.

    columns = columns_of(batches)
    columns.types, columns.stream

Only of the few types that JSON has; rows with others are sent as lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clickhouse.errors import BadUserInputError
from clickhouse.received import MAX_KEY_CHARACTERS

MAX_COLUMNS = 500  # that are read as such; rows of more are read as lines
END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"  # of Arrow: a message of no length
NEEDED = ("type", "timestamp", "sessionId", "visitorId", "url")


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of Parquet or CSV: name -> ClickHouse type, and the values as an Arrow stream, in blocks."""

    types: dict[str, str]
    stream: Sequence[bytes]


def columns_of(batches: Sequence[Any]) -> Columns | None:
    """Batches of one schema in the few types that JSON has, each a block of the stream.

    None when a column is a list, a struct or the like, or names are too many for a statement.
    """
    import pyarrow
    from pyarrow import types

    plain = (
        (types.is_boolean, pyarrow.bool_(), "Bool"),
        (types.is_uint64, pyarrow.uint64(), "UInt64"),
        (types.is_integer, pyarrow.int64(), "Int64"),
        (types.is_floating, pyarrow.float64(), "Float64"),
        (types.is_timestamp, pyarrow.timestamp("us", "UTC"), "DateTime64(6, 'UTC')"),
        (types.is_date, pyarrow.string(), "String"),  # ClickHouse's own dates begin and end too soon
        (types.is_string, pyarrow.string(), "String"),
        (types.is_binary, pyarrow.string(), "String"),
        (types.is_null, pyarrow.string(), "String"),
    )
    sent = batches[0].schema
    kinds = [next((kind[1:] for kind in plain if kind[0](type_)), None) for type_ in sent.types]
    known = [kind for kind in kinds if kind]
    if len(known) < len(kinds) or len(kinds) > MAX_COLUMNS or len("".join(sent.names)) > MAX_KEY_CHARACTERS:
        return None
    schema = pyarrow.schema([(f"c{number}", arrow) for number, (arrow, _) in enumerate(known)])
    stream = [schema.serialize().to_pybytes()]
    for batch in batches:  # unsafe: nanoseconds are cut, what is too large or no UTF-8 is refused later
        arrays = [values.cast(arrow, safe=False) for values, (arrow, _) in zip(batch.columns, known, strict=True)]
        stream.append(pyarrow.RecordBatch.from_arrays(arrays, schema=schema).serialize().to_pybytes())
    types_of = {name: clickhouse for name, (_, clickhouse) in zip(sent.names, known, strict=True)}
    return Columns(types_of, [*stream, END_OF_STREAM])


def check_columns(names: list[str], file_name: str, advice: str) -> None:
    """Raises BadUserInputError when a column is missing or there twice, UnicodeError when a name is no UTF-8."""
    "".join(names).encode()
    missing = [needed for needed in NEEDED if needed not in names]
    if missing:
        raise BadUserInputError(f"{file_name}: has no column {', '.join(missing)}; {advice}.")
    if twice := [column for column, times in Counter(names).items() if times > 1]:
        raise BadUserInputError(f"{file_name}: two columns are named {twice[0]!r}; rename or remove one.")
