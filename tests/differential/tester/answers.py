"""What an engine says to a question, and values as all engines can be compared by.

A value is None, ("b", bool), Decimal, float, text, ("t", moment) or a tuple. Dates and midnights are alike.
"""

import math
from dataclasses import dataclass, field
from decimal import Context, Decimal

NUMBER, DOUBLE, BOOLEAN, TEXT, TIME, LIST, STRUCT, OTHER = "number", "double", "boolean", "text", "time", "list", "struct", "other"

# Wide enough for every number that occurs; the usual context rounds to 28 digits.
WIDE = Context(prec=400, Emin=-9999, Emax=9999)


@dataclass
class Rows:
    rows: list
    kinds: tuple = ()  # Of the columns; lakesh's are not known.
    names: list = field(default_factory=list)


@dataclass
class Refused:
    message: str


@dataclass
class Crashed:
    message: str


def moment(text):
    """Dates and timestamps in one form, without zeros that say nothing."""
    text = text.strip().replace("T", " ")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return ("t", text.removesuffix(" 00:00:00"))


def number(value):
    """An exact number in one form."""
    if not value.is_finite():
        return float(value)
    value = value.normalize(WIDE)
    return Decimal(0) if value == 0 else value


def double(value):
    value = float(value)
    return "NaN" if math.isnan(value) else value + 0.0
