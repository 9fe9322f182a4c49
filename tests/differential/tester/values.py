"""The values that tables and queries draw from: few, so that they meet each other, and some at the edge."""

import datetime
import math
from decimal import Decimal

from .types import BOOLEAN, DATE, DECIMAL, DOUBLE, INTEGER, LIST, STRUCT, TEXT, TIMESTAMP, decimal_digits

TEXTS = ["", "a", "b", "ab", "Ab", "abc", "b%", "a_c", "12", "-3", " x ", "ü", "O'N", "zz"]
DATES = [datetime.date.fromisoformat(day) for day in ("1970-01-01", "1969-12-31", "2024-02-29", "2024-03-01", "2023-12-31", "2024-01-01")]
FAR_DATES = [datetime.date(1677, 9, 21), datetime.date(1, 1, 1), datetime.date(9999, 12, 31), datetime.date(1582, 10, 4)]
TIMES = [
    datetime.datetime(1970, 1, 1), datetime.datetime(1969, 12, 31, 23, 59, 59, 999999), datetime.datetime(2024, 2, 29, 12, 30),
    datetime.datetime(2024, 2, 29, 12, 30, 0, 123456), datetime.datetime(2024, 3, 1), datetime.datetime(2023, 12, 31, 23, 0, 1),
]
FAR_TIMES = [datetime.datetime(1677, 9, 21, 0, 12, 43), datetime.datetime(9999, 12, 31, 23, 59, 59), datetime.datetime(1, 1, 1), datetime.datetime(2262, 4, 11, 23, 47, 17)]
INTEGERS = [0, 1, 2, 3, 4, 5, 7, -1, -2, 10, 12]


def integer(random, sql, edge):
    if edge and random.random() < 0.5:
        bits = {"SMALLINT": 15, "INTEGER": 31}.get(sql, 63)
        return random.choice([2**bits - 1, -(2**bits), 2 ** (bits - 1)])
    return random.choice(INTEGERS)


def decimal(random, sql, edge):
    precision, scale = decimal_digits(sql)
    if edge and random.random() < 0.5:
        digits = random.choice(["9" * precision, "1" + "0" * (precision - 1), "1234567890123456789012345678901234567891"[:precision]])
        number = int(digits) * random.choice([1, -1])
    else:
        number = random.choice([0, 1, 5, -5, 3, 33, 125, -275, 250, 10**scale, 2 * 10**scale, -(10**scale)])
    return Decimal(number).scaleb(-scale) if scale else Decimal(number)


def double(random, edge, odd):
    if odd and random.random() < 0.3:
        return random.choice([math.nan, -0.0, math.inf, -math.inf])
    if edge and random.random() < 0.3:
        return random.choice([1e300, -1e300, 1e-300, 9007199254740993.0])
    return random.choice([0.0, 1.0, 1.5, -1.5, 0.25, 2.0, -2.0, 10.75, 3.0])


def value(random, column, edge=False, odd=False):
    """One value; `edge` allows the largest and smallest, `odd` the doubles on which oracles may differ."""
    family = column.family
    if family == INTEGER:
        return integer(random, column.sql, edge)
    if family == DECIMAL:
        return decimal(random, column.sql, edge)
    if family == DOUBLE:
        return double(random, edge, odd)
    if family == TEXT:
        return random.choice(TEXTS if not edge else [*TEXTS, random.choice(["z" * 70, "z" * 70, "z" * 300]), "line\nbreak", "tab\tand\\slash", 'q"uote'])
    if family == BOOLEAN:
        return random.random() < 0.5
    if family == DATE:
        return random.choice(FAR_DATES if edge and random.random() < 0.4 else DATES)
    if family == TIMESTAMP:
        return random.choice(FAR_TIMES if edge and random.random() < 0.15 else TIMES)
    if family == LIST:
        return [random.choice([*INTEGERS[:5], None]) for _ in range(random.randrange(4))]
    if family == STRUCT:
        return {"a": random.choice([*INTEGERS[:5], None]), "b": random.choice(["a", "b", "", None])}
    raise ValueError(family)
