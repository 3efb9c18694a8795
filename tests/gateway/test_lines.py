"""How files become chunks, beside what loads of them show (`test_load.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

from gateway.lines import Chunk, ahead


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
