"""Are two answers the same? Rows count as a multiset, or as a list where the query orders them.

Exact numbers are equal by value, doubles up to a relative difference. An average or a quotient of decimals
that lakesh gives with fewer digits than PostgreSQL is right when it is rounded to those digits.
"""

import math
from collections import Counter
from decimal import Decimal

from .answers import DOUBLE, NUMBER, TEXT, TIME, moment, number

TOLERANCE = 1e-9
SPECIAL = {"NaN": "NaN", "inf": math.inf, "-inf": -math.inf, "Infinity": math.inf, "-Infinity": -math.inf}


def from_json(value, kind):
    """A value of lakesh's JSON in the form of an oracle's value of that kind."""
    if isinstance(value, bool):
        return ("b", value)
    if isinstance(value, Decimal):
        return value if kind == DOUBLE else number(value)
    if isinstance(value, list):
        return tuple(from_json(item, NUMBER) for item in value)
    if isinstance(value, dict):
        return tuple(from_json(item, TEXT) for item in value.values())
    if isinstance(value, str) and kind == TIME:
        return moment(value)
    if isinstance(value, str) and kind in (NUMBER, DOUBLE):
        return SPECIAL.get(value, ("text", value))
    return value


def same_value(truth, got, kind):
    if kind != DOUBLE or not is_number(truth) or not is_number(got):
        return truth == got
    wanted, found = float(truth), float(got)
    if wanted == found or math.isclose(wanted, found, rel_tol=TOLERANCE, abs_tol=1e-12):
        return True
    return isinstance(got, Decimal) and is_rounding(wanted, got)


def is_number(value):
    return isinstance(value, (Decimal, float))


def is_rounding(truth, got):
    """Is the number the truth, rounded to as many digits as it has?"""
    digits = -got.as_tuple().exponent
    return digits >= 4 and math.isfinite(truth) and abs(truth - float(got)) <= 0.5000001 * 10.0**-digits + abs(truth) * 1e-14


def same_row(truth, got, kinds):
    return len(truth) == len(got) and all(map(same_value, truth, got, kinds))


def same_rows(truth, got, kinds, ordered=False):
    if len(truth) != len(got):
        return False
    if ordered:
        return all(same_row(one, other, kinds) for one, other in zip(truth, got))
    if DOUBLE not in kinds:
        return Counter(truth) == Counter(got)
    rest = list(got)
    for row in truth:
        place = next((place for place, other in enumerate(rest) if same_row(row, other, kinds)), None)
        if place is None:
            return False
        rest.pop(place)
    return True


def common_kinds(first, second):
    """The kinds of the columns of two oracles' answers, or None where they differ by more than exactness."""
    if len(first.kinds) != len(second.kinds):
        return None
    kinds = []
    for one, other in zip(first.kinds, second.kinds):
        if one != other and {one, other} != {DOUBLE, NUMBER}:
            return None
        kinds.append(DOUBLE if DOUBLE in (one, other) else one)
    return tuple(kinds)


def agrees(truth, answer, ordered):
    """Does lakesh's answer say what the truth does?"""
    if any(len(row) != len(truth.kinds) for row in answer.rows):
        return False
    rows = [tuple(map(from_json, row, truth.kinds)) for row in answer.rows]
    return same_rows(truth.rows, rows, truth.kinds, ordered)


def alike(first, second):
    """Two answers of lakesh's own. Their types are not known: a number with a fraction may be a double."""
    width = max((len(row) for row in (*first.rows, *second.rows)), default=0)
    kinds = tuple(DOUBLE if has_fraction(place, first.rows, second.rows) else TEXT for place in range(width))
    left, right = ([tuple(map(from_json, row, kinds)) for row in answer.rows] for answer in (first, second))
    return same_rows(left, right, kinds)


def has_fraction(place, *answers):
    cells = [row[place] for rows in answers for row in rows if place < len(row)]
    return any(isinstance(cell, Decimal) and cell.as_tuple().exponent != 0 for cell in cells)
