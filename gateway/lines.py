"""A file of rows as chunks of NDJSON, whatever it is: NDJSON itself (plain, .gz, .zst), CSV or Parquet.

    for chunk in chunks(Path("clicks.csv.gz")):
        chunk.lines, chunk.first_line, chunk.read_bytes

NDJSON is never looked into here, only cut at line ends. A file that is not what its name says, or is cut off, raises
BadUserInputError; what stands before the damage has been handed out by then.
"""

from __future__ import annotations

import csv
import json
import zlib
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from io import BufferedReader
from itertools import chain
from pathlib import Path
from threading import Thread
from typing import Any, Protocol
from uuid import UUID

import orjson
from backports import zstd

from clickhouse.errors import BadUserInputError
from clickhouse.received import MAX_KEY_CHARACTERS, MAX_LINE_BYTES

CHUNK_BYTES = 128 << 20
CSV_ROWS = 250_000  # of a chunk; their cells are objects
PARQUET_ROWS = 400_000
PARQUET_STEP = 10_000
WIDE_BYTES = 2 * CHUNK_BYTES  # of a chunk of CSV or Parquet whose rows are so wide that fewer of them are enough
MAX_COLUMNS = 500  # that are read as such; rows of more are read as lines
BLOCK_ROWS = 30_000  # of columns, the unit that threads share
READ_BYTES = 1 << 18
END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"  # of Arrow: a message of no length
NEEDED = ("type", "timestamp", "sessionId", "visitorId", "url")
NDJSON_SUFFIXES = (".ndjson", ".jsonl", ".json")
ALLOWED = "NDJSON (.ndjson, .jsonl, .json), CSV (.csv), both also with .gz or .zst, or Parquet (.parquet)"
_SIGNATURES = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PAR1": "Parquet", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_COMPRESSED = {".gz": "gzip", ".zst": "zstd"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines, in blocks; `first_line` counts from 1 (in CSV with the header, in Parquet rows are counted)."""

    lines: Sequence[bytes]
    first_line: int
    read_bytes: int  # of the file, so far
    columns: Columns | None = None  # instead of lines


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of Parquet or CSV: name -> ClickHouse type, and the values as an Arrow stream, in blocks."""

    types: dict[str, str]
    stream: Sequence[bytes]


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def chunks(path: Path, chunk_bytes: int = CHUNK_BYTES) -> Iterator[Chunk]:
    """The file's rows in order."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = _COMPRESSED.get(suffixes[-1], "") if suffixes else ""
    kind = (suffixes[:-1] if compression else suffixes)[-1:]
    known = (".csv", *NDJSON_SUFFIXES) if compression else (".csv", ".parquet", *NDJSON_SUFFIXES)
    try:
        with path.open("rb") as file:
            if not file.peek(1):
                raise BadUserInputError(f"{path.name}: is empty.")
            if not kind or kind[0] not in known:
                raise BadUserInputError(f"{path.name}: the name must say what is in it: {ALLOWED}.")
            blocks = _plain(file, path.name, compression)
            if kind == [".parquet"]:
                yield from _parquet(path)
            elif kind == [".csv"]:
                yield from _csv(blocks, file, path.name)
            else:
                yield from _ndjson(blocks, file, path.name, chunk_bytes)
    except OSError as error:
        raise BadUserInputError(f"{path.name}: cannot be read: {error.strerror}.") from error
    except UnicodeError as error:
        raise BadUserInputError(f"{path.name}: the names of the columns are not UTF-8.") from error


def ahead(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The same ones; each is read while the one before it is being stored. Who stops waits for no reader: a pipe may never say more."""

    def read(reading: Future[Chunk | None]) -> None:
        try:
            reading.set_result(next(chunks, None))
        except BaseException as error:  # is whose who waits for it
            reading.set_exception(error)

    def begin() -> Future[Chunk | None]:
        reading = Future[Chunk | None]()
        Thread(target=read, args=[reading], daemon=True).start()
        return reading

    reading = begin()
    while chunk := reading.result():
        reading = begin()
        yield chunk


def _plain(file: BufferedReader, name: str, compression: str) -> Iterator[bytes]:
    """The file's content, decompressed, without a byte order mark."""
    _expect(file.peek(4)[:4], compression, name)
    blocks = iter(lambda: file.read(READ_BYTES), b"")
    if compression:
        blocks = _decompressed(blocks, name, compression)
    start = next(blocks, b"")
    _expect(start, "", name)
    yield start.removeprefix(b"\xef\xbb\xbf")
    yield from blocks


def _expect(start: bytes, said: str, name: str) -> None:
    found = next((kind for signature, kind in _SIGNATURES.items() if start.startswith(signature)), "")
    if start and found != said:
        raise BadUserInputError(
            f"{name}: its name says {said or 'text'}, its content is {found or 'something else'}. Allowed: {ALLOWED}; text in UTF-8."
        )


def _decompressed(blocks: Iterable[bytes], name: str, compression: str) -> Iterator[bytes]:
    """Every member of a gzip or zstd file."""

    def begin() -> _Decompressor:
        return zlib.decompressobj(wbits=31) if compression == "gzip" else zstd.ZstdDecompressor()

    member = begin()
    for block in blocks:
        while block:
            if member.eof:
                member = begin()
            try:
                text = member.decompress(block)
            except (zlib.error, zstd.ZstdError) as error:
                raise BadUserInputError(f"{name}: the {compression} data is damaged. What stands before the damage was read.") from error
            block = member.unused_data if member.eof else b""
            if text:
                yield text
    if not member.eof:
        raise BadUserInputError(
            f"{name}: the {compression} data is cut off. What stands before the end was read; send the whole file again."
        )


def _ndjson(blocks: Iterator[bytes], file: BufferedReader, name: str, chunk_bytes: int) -> Iterator[Chunk]:
    first_line, held, held_bytes, held_lines = 1, list[bytes](), 0, 0

    def take() -> Chunk:
        return Chunk(held, first_line, file.tell())

    start = next(blocks, b"")
    if start.lstrip().startswith(b"["):
        raise BadUserInputError(f"{name}: is a JSON list. NDJSON is one JSON object a line; `jq -c '.[]' {name}` makes it so.")
    try:
        for block in chain([start], blocks):
            held.append(block)
            held_bytes += len(block)
            held_lines += block.count(b"\n")
            if held_bytes < chunk_bytes:
                continue
            end = block.rfind(b"\n") + 1
            if end == 0 and held_bytes < 2 * chunk_bytes:
                continue
            if end == 0:
                raise BadUserInputError(f"{name}: a line is longer than {chunk_bytes >> 20} MB. NDJSON is one JSON object a line.")
            held[-1] = block[:end]
            yield take()
            first_line += held_lines
            held, held_bytes, held_lines = [block[end:]], len(block) - end, 0
    except BadUserInputError:
        text = b"".join(held)
        whole = text[: text.rfind(b"\n") + 1]
        if whole:
            yield Chunk([whole], first_line, file.tell())
        raise
    if held_bytes:
        yield take()


def _csv(blocks: Iterator[bytes], file: BufferedReader, name: str) -> Iterator[Chunk]:
    """Cells become texts under the header's names: columns, or lines when the rows are not all alike."""
    read_bytes = 0

    def counted() -> Iterator[bytes]:
        nonlocal read_bytes
        for block in blocks:
            read_bytes += len(block)
            yield block

    rows = _csv_rows(_text_lines(counted()))
    first_line, names = next(((line, cells) for line, cells in enumerate(rows, 2) if cells not in ([], [""])), (2, []))
    header = [names] if isinstance(names, str) else names
    if header:
        _check_columns(header, name, "CSV needs a first line with the names of the columns, separated by commas")
    held: list[list[str] | str] = []

    def take() -> Chunk:
        columns = _columns_of_cells(header, held)
        lines = [] if columns else [b"".join(_csv_line(header, cells) for cells in held)]
        return Chunk(lines, first_line, file.tell(), columns)

    try:
        for cells in rows:
            held.append(cells)
            if len(held) == CSV_ROWS or read_bytes >= WIDE_BYTES:
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


def _csv_rows(lines: Iterator[str]) -> Iterator[list[str] | str]:
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


def _csv_line(header: list[str], cells: list[str] | str) -> bytes:
    """Too many cells become a list and no CSV a text, which are refused as no object."""
    row = cells if len(cells) > len(header) or isinstance(cells, str) else dict(zip(header, cells, strict=False))
    return _json(row) if cells else b"\n"


def _text_lines(blocks: Iterator[bytes]) -> Iterator[str]:
    """Lines with their ends; bytes that are no UTF-8 survive as surrogates, to be refused with their row."""
    held = b""
    for block in blocks:
        *lines, held = (held + block).split(b"\n")
        for line in lines:
            yield line.decode(errors="surrogateescape") + "\n"
    if held:
        yield held.decode(errors="surrogateescape")


def _json(row: Any) -> bytes:
    try:
        return orjson.dumps(row, default=_text, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # surrogates
        return json.dumps(row, ensure_ascii=False, default=_text).encode(errors="surrogateescape") + b"\n"


def _text(value: object) -> str:
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else str(value)


def _parquet(path: Path) -> Iterator[Chunk]:
    import pyarrow  # slow to import, and few need it
    import pyarrow.parquet

    first_line, size = 1, path.stat().st_size
    held, held_rows, held_bytes = list[Any](), 0, 0

    def take() -> Chunk:
        columns = columns_of(held)
        lines = [] if columns else [b"".join(_json(row) for row in _rows(batch)) for batch in held]
        return Chunk(lines, first_line, size * (first_line - 1 + held_rows) // rows, columns)

    try:
        with pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) as file:
            _check_columns(file.schema_arrow.names, path.name, "name the columns like the keys of an NDJSON row")
            rows = max(file.metadata.num_rows, 1)
            for typed in file.iter_batches(batch_size=PARQUET_STEP):
                held.append(pyarrow.RecordBatch.from_arrays([_bytes_of(array) for array in typed.columns], names=typed.schema.names))
                held_rows += typed.num_rows
                held_bytes += held[-1].nbytes
                if held_rows >= PARQUET_ROWS or held_bytes >= WIDE_BYTES:
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


def _check_columns(names: list[str], name: str, advice: str) -> None:
    "".join(names).encode()  # raises UnicodeError
    missing = [needed for needed in NEEDED if needed not in names]
    if missing:
        raise BadUserInputError(f"{name}: has no column {', '.join(missing)}; {advice}.")
    if twice := [column for column, times in Counter(names).items() if times > 1]:
        raise BadUserInputError(f"{name}: two columns are named {twice[0]!r}; rename or remove one.")
