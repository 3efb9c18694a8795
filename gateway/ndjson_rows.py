"""NDJSON as chunks of lines. It is never looked into here, only cut at line ends."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from itertools import chain

from clickhouse.errors import BadUserInputError
from gateway.row_chunks import CHUNK_BYTES, Chunk


def ndjson_chunks(blocks: Iterator[bytes], file: BufferedReader, name: str) -> Iterator[Chunk]:
    """Of about CHUNK_BYTES each. `blocks` are the content of the file; `file` says how far it is read.

    Raises BadUserInputError for a JSON list and for a line longer than a chunk.
    """
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
            if held_bytes < CHUNK_BYTES:
                continue
            end = block.rfind(b"\n") + 1
            if end == 0 and held_bytes < 2 * CHUNK_BYTES:
                continue
            if end == 0:
                raise BadUserInputError(f"{name}: a line is longer than {CHUNK_BYTES >> 20} MB. NDJSON is one JSON object a line.")
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
