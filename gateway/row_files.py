"""A file of rows as chunks, whatever it is: NDJSON (plain, .gz, .zst), CSV or Parquet.

    for chunk in chunks(Path("clicks.csv.gz")):
        chunk.lines or chunk.columns, chunk.first_line, chunk.read_bytes

A file that is not what its name says, or is cut off, raises BadUserInputError; what stands before the damage has been handed out by
then.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Protocol

from backports import zstd

from clickhouse.errors import BadUserInputError
from gateway.csv_rows import csv_chunks
from gateway.ndjson_rows import ndjson_chunks
from gateway.parquet_rows import parquet_chunks
from gateway.row_chunks import Chunk

READ_BYTES = 1 << 18
NDJSON_SUFFIXES = (".ndjson", ".jsonl", ".json")
ALLOWED = "NDJSON (.ndjson, .jsonl, .json), CSV (.csv), both also with .gz or .zst, or Parquet (.parquet)"
_SIGNATURES = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PAR1": "Parquet", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_COMPRESSED = {".gz": "gzip", ".zst": "zstd"}


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def chunks(path: Path) -> Iterator[Chunk]:
    """The file's rows in order. Raises BadUserInputError."""
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
                yield from parquet_chunks(path)
            elif kind == [".csv"]:
                yield from csv_chunks(blocks, file, path.name)
            else:
                yield from ndjson_chunks(blocks, file, path.name)
    except OSError as error:
        raise BadUserInputError(f"{path.name}: cannot be read: {error.strerror}.") from error
    except UnicodeError as error:
        raise BadUserInputError(f"{path.name}: the names of the columns are not UTF-8.") from error


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
    """Raises BadUserInputError when what begins with `start` is not what the name said: "gzip", "zstd" or "" for text."""
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
