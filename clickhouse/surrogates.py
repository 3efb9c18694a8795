"""Halves of characters in JSON: of a text that a tracker cut within a 😀 JavaScript sends one, as an escape that no parser here takes.

without_halves("raw", params)     {"text": "Buy \\ud83d"} -> {"text": "Buy "}
"""

from __future__ import annotations

from clickhouse.statement import Params

ESCAPES = ("\\ud", "\\uD")
HALVES = r"(\\[^u]|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F].."
"""What is a half and nothing else in its group: an escaped backslash begins no escape, and a pair is a character."""


def without_halves(column: str, params: Params) -> str:
    """The JSON of a column; looking for one is much cheaper than taking it out."""
    taken_out = f"replaceRegexpAll({column}, {params.text(HALVES)}, '\\\\1')"
    return f"if(multiSearchAny({column}, {params.texts(ESCAPES)}), {taken_out}, {column})"
