"""SQL of the few formulas that several answers share: rates, intervals, cells, elements.

A rate is carried as two integers and divided once, so that every way to an answer gives the same digits.
"""

from __future__ import annotations

from clickhouse.selection import Leaf, Shape

Z_95 = 1.959963984540054
STANDARD_VIEWPORT_PX = {"DESKTOP": (1280, 1024), "TABLET": (768, 1024), "MOBILE": (375, 667)}
MAX_VIEWPORT_PX = 65_535
BREAKPOINTS_PX = {"MOBILE": (0, 767), "TABLET": (768, 1023), "DESKTOP": (1024, MAX_VIEWPORT_PX)}
"""Viewport widths, both ends included."""
MEDIUM_SEVERITY_CLICKS, HIGH_SEVERITY_CLICKS = 6, 10
"""Of the bursts of a rage spot on average, at least; fewer are LOW."""

CELL_COLUMNS = 100
CELL_HEIGHT_PX = 16

COLUMN_BITS = 11
CELL_COLUMN = f"bitAnd(cell, {2**COLUMN_BITS - 1})"
CELL_ROW = f"bitShiftRight(cell, {COLUMN_BITS})"
"""Of a cell, which is one number: row << 11 | column, so that cells are grouped and sorted as integers."""

IS_ORIGIN = f"default_cell = {2**COLUMN_BITS - 1}"
"""Interactions at exactly (0, 0) are stored in a column of their own."""

IS_PLACED = "(x != 0 OR y != 0)"
"""Any others, where no cell is stored: one at (0, 0) says nothing of the place of its element."""


def breakpoint_sql(viewport_width: str) -> str:
    mobile, tablet = BREAKPOINTS_PX["MOBILE"][1], BREAKPOINTS_PX["TABLET"][1]
    return f"multiIf({viewport_width} <= {mobile}, 'MOBILE', {viewport_width} <= {tablet}, 'TABLET', 'DESKTOP')"


def default_cell_sql(x: str, y: str, viewport_width: str) -> str:
    """The cell of the default grid as it is stored."""
    row = f"toUInt32(floor(({y}) / {CELL_HEIGHT_PX}))"
    column = f"toUInt32(least({CELL_COLUMNS - 1}, floor(({x}) * {CELL_COLUMNS}. / {viewport_width})))"
    return f"if(({x}) = 0 AND ({y}) = 0, {2**COLUMN_BITS - 1}, bitOr(bitShiftLeft({row}, {COLUMN_BITS}), {column}))"


KINDS = {
    "CLICK": ("click", "dead"),  # a dead click is a click
    "RAGE_CLICK": ("rage",),
    "DEAD_CLICK": ("dead",),
    "MOVE": ("move",),
}


def kind_clause(*kinds: str) -> str:
    """Each is a PointKind; the names are ours, so they are no values to bind."""
    return f"kind IN ({', '.join(repr(name) for name in sorted({name for kind in kinds for name in KINDS[kind]}))})"


def ratio(numerator: str, denominator: str) -> str:
    """Float64, null when the denominator is 0."""
    return f"if({denominator} = 0, NULL, {numerator} / {denominator})"


def wilson_low(numerator: str, denominator: str) -> str:
    """Lower end of the 95 % Wilson interval, null when the denominator is 0."""
    return _wilson(numerator, denominator, "-", "least({share}, greatest(0., {end}))")


def wilson_high(numerator: str, denominator: str) -> str:
    """Upper end, likewise."""
    return _wilson(numerator, denominator, "+", "greatest({share}, least(1., {end}))")


def _wilson(k: str, n: str, sign: str, clamp: str) -> str:
    """Rounding moves an end past 0, 1 or the share itself, which `clamp` undoes."""
    z = repr(Z_95)
    share = f"({k} / {n})"
    spread = f"{z} * sqrt({share} * (1 - {share}) / {n} + {z} * {z} / (4 * {n} * {n}))"
    end = f"({share} + {z} * {z} / (2 * {n}) {sign} {spread}) / (1 + {z} * {z} / {n})"
    return f"if({n} = 0, NULL, {clamp.format(share=share, end=end)})"


def rate_shape(numerator: str, denominator: str, basis: str, *, subset: bool) -> Shape:
    """A Rate as SQL; intervals only where the numerator is a subset of the denominator."""
    return Shape(
        "Rate",
        {
            "value": Leaf(ratio(numerator, denominator), "Nullable(Float64)"),
            "numerator": Leaf(numerator, "UInt64"),
            "denominator": Leaf(denominator, "UInt64"),
            "basis": Leaf(f"'{basis}'", "String"),
            "low": Leaf(wilson_low(numerator, denominator) if subset else "NULL", "Nullable(Float64)"),
            "high": Leaf(wilson_high(numerator, denominator) if subset else "NULL", "Nullable(Float64)"),
        },
    )


LABEL = "if(tag != '' AND match(selector, '^[#.\\\\[][^ >+~]*$'), concat(tag, selector), selector)"
"""`button#signup` from tag `button` and selector `#signup`; a selector that names a tag or an ancestor stays as it is."""
