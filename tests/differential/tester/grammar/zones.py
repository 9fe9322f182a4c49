"""Moments with a time zone. They stay inside of expressions: each engine writes them in its own way."""

from ..types import BOOLEAN, INTEGER, TIMESTAMP
from ..world import ZONES
from .conditions import COMPARISONS
from .generator import expression, makes
from .times import interval

ZONED = "zoned"


def zone(g):
    return g.random.choice(ZONES)


def zoned(g):
    """A timestamp taken as local time, of the session or of a zone, and moved a little now and then."""
    time = g.expression(TIMESTAMP)
    if g.chance(0.5):
        node = expression(ZONED, "CAST(", time, " AS TIMESTAMP WITH TIME ZONE)", tag="zone_of_session")
    else:
        node = expression(ZONED, "(", time, f" AT TIME ZONE '{zone(g)}')", tag="at_time_zone")
    return expression(ZONED, "(", node, g.pick(" + ", " - "), interval(g), ")") if g.chance(0.2) else node


@makes(TIMESTAMP, 1)
def zone_local_time(g):
    if g.chance(0.5):
        return expression(TIMESTAMP, "CAST(", zoned(g), " AS TIMESTAMP)")
    return expression(TIMESTAMP, "(", zoned(g), f" AT TIME ZONE '{zone(g)}')")


@makes(TIMESTAMP, 1)
def zone_trunc(g):
    part = g.pick("year", "month", "day", "hour")
    return expression(TIMESTAMP, f"CAST(date_trunc('{part}', ", zoned(g), ") AS TIMESTAMP)")


@makes(BOOLEAN, 1)
def zone_comparison(g):
    other = zoned(g) if g.chance(0.6) else g.expression(TIMESTAMP)
    return expression(BOOLEAN, "(", zoned(g), g.random.choice(COMPARISONS), other, ")")


@makes(INTEGER, 1)
def zone_part(g):
    return expression(INTEGER, f"CAST(EXTRACT({g.pick('hour', 'day', 'year', 'dow')} FROM ", zoned(g), ") AS BIGINT)")
