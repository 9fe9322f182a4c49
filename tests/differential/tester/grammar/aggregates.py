"""Aggregates, over the rows of a group: FILTER, DISTINCT and ORDER BY included."""

from ..tree import Node, nothing, optional, total
from ..types import BOOLEAN, DATE, DECIMAL, DOUBLE, INTEGER, TEXT, TIMESTAMP
from .generator import AGGREGATE, expression, makes


def filtered(g):
    return optional(" FILTER (WHERE ", g.expression(BOOLEAN), ")") if g.chance(0.25) else nothing()


def distinct(g, chance=0.2):
    return optional("DISTINCT ") if g.chance(chance) else nothing()


def aggregate(g, family, name, argument_family, allow_distinct=True):
    inner = g.grouped
    unique = distinct(inner) if allow_distinct else nothing()
    return expression(family, f"{name}(", unique, inner.down().expression(argument_family), ")", filtered(inner.down()), tag=name)


@makes(INTEGER, 3, AGGREGATE)
def count(g):
    if g.chance(0.5):
        return expression(INTEGER, "count(*)", filtered(g.grouped.down()))
    return aggregate(g, INTEGER, "count", g.grouped.known_family())


@makes(INTEGER, 2, AGGREGATE)
def sum_of_integers(g):
    return aggregate(g, INTEGER, "sum", INTEGER)


@makes(DECIMAL, 2, AGGREGATE)
def sum_of_decimals(g):
    return aggregate(g, DECIMAL, "sum", DECIMAL)


@makes(DOUBLE, 2, AGGREGATE)
def sum_of_doubles(g):
    return aggregate(g, DOUBLE, "sum", DOUBLE)


@makes(DOUBLE, 2, AGGREGATE)
def average(g):
    # The cast keeps the scale of a decimal average out of what stands around it.
    inner = aggregate(g, DOUBLE, "avg", g.pick(INTEGER, DECIMAL, DOUBLE))
    return inner if g.chance(0.3) else expression(DOUBLE, "CAST(", inner, " AS DOUBLE PRECISION)", tag="average")


@makes(DOUBLE, 1, AGGREGATE)
def deviation(g):
    return aggregate(g, DOUBLE, g.pick("stddev_samp", "stddev_pop", "var_samp", "var_pop"), DOUBLE)


@makes(DOUBLE, 1, AGGREGATE)
def of_two(g):
    name, inner = g.pick("corr", "covar_pop", "covar_samp", "regr_slope", "regr_count"), g.grouped.down()
    return expression(DOUBLE, f"{name}(", inner.expression(DOUBLE), ", ", inner.expression(DOUBLE), ")", filtered(inner), tag=name)


@makes(BOOLEAN, 2, AGGREGATE)
def every(g):
    return aggregate(g, BOOLEAN, g.pick("bool_and", "bool_or"), BOOLEAN, allow_distinct=False)


@makes(INTEGER, 1, AGGREGATE)
def bits_together(g):
    name, inner = g.pick("bit_and", "bit_or"), g.grouped.down()
    return expression(INTEGER, f"{name}(CAST(", inner.expression(INTEGER), " AS BIGINT))", filtered(inner), tag=name)


@makes(TEXT, 2, AGGREGATE)
def text_together(g):
    inner = g.grouped.down()
    if g.chance(0.3):
        node = inner.column(TEXT)
        return node and expression(TEXT, "string_agg(DISTINCT ", node, ", '|' ORDER BY ", node, direction(g), ")", filtered(inner))
    if not inner.scope.order:
        return None
    keys = [Node("key", (node, direction(g))) for node in inner.scope.order]
    g.random.shuffle(keys)
    return expression(TEXT, "string_agg(", inner.expression(TEXT), ", '|' ORDER BY ", total(keys), ")", filtered(inner))


@makes(INTEGER, 1, AGGREGATE)
def percentile(g):
    inner = g.grouped.down()
    fraction = g.pick("0", "0.25", "0.5", "1")
    return expression(INTEGER, f"percentile_disc({fraction}) WITHIN GROUP (ORDER BY ", inner.expression(INTEGER), ")")


@makes(DOUBLE, 1, AGGREGATE)
def percentile_between(g):
    inner = g.grouped.down()
    fraction = g.pick("0", "0.25", "0.5", "1")
    return expression(DOUBLE, f"percentile_cont({fraction}) WITHIN GROUP (ORDER BY ", inner.expression(DOUBLE), ")")


def direction(g):
    return g.pick("", "", " DESC", " ASC", " NULLS FIRST", " DESC NULLS LAST", " NULLS LAST", " DESC NULLS FIRST")


def extremes(family):
    @makes(family, 2, AGGREGATE)
    def extreme(g):
        return aggregate(g, family, g.pick("min", "max"), family)


for one in (INTEGER, DECIMAL, DOUBLE, TEXT, DATE, TIMESTAMP):
    extremes(one)
