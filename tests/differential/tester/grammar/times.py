"""Dates, timestamps and intervals."""

from ..types import DATE, INTEGER, INTERVAL, TEXT, TIMESTAMP
from .generator import cast, expression, makes

INTERVALS = [
    "1 day", "1 month", "1 year", "2 hours", "36 hours", "90 minutes", "-1 day", "1 month -1 day", "24 hours", "30 days", "1 week",
]


def interval(g):
    text = g.random.choice(INTERVALS)
    return expression(INTERVAL, f"INTERVAL '{text}'", tag="interval")


@makes(DATE, 2)
def date_shift(g):
    return expression(DATE, "(", g.expression(DATE), g.pick(" + ", " - "), "CAST(", g.expression(INTEGER), " AS INTEGER))")


@makes(DATE, 2)
def cast_to_date(g):
    if g.chance(0.3):
        return cast(cast(g.expression(DATE), "VARCHAR", TEXT), "DATE", DATE)
    return cast(g.expression(TIMESTAMP), "DATE", DATE)


@makes(DATE, 1)
def make_date(g):
    return expression(DATE, "make_date(CAST(2000 + abs(", g.leaf(INTEGER), ") % 30 AS INTEGER), ", str(g.pick(1, 2, 12)), ", ", str(g.pick(1, 28)), ")")


@makes(TIMESTAMP, 3)
def time_shift(g):
    return expression(TIMESTAMP, "(", g.expression(g.pick(TIMESTAMP, TIMESTAMP, DATE)), g.pick(" + ", " - "), interval(g), ")")


@makes(TIMESTAMP, 2)
def cast_to_timestamp(g):
    if g.chance(0.3):
        return cast(cast(g.expression(TIMESTAMP), "VARCHAR", TEXT), "TIMESTAMP", TIMESTAMP)
    return cast(g.expression(DATE), "TIMESTAMP", TIMESTAMP)


@makes(TIMESTAMP, 2)
def date_trunc(g):
    part = g.pick("year", "quarter", "month", "week", "day", "hour", "minute", "second")
    return cast(expression(TIMESTAMP, f"date_trunc('{part}', ", g.expression(TIMESTAMP), ")", tag="date_trunc"), "TIMESTAMP", TIMESTAMP)
