"""Texts."""

from ..types import BOOLEAN, DATE, DECIMAL, INTEGER, TEXT, TIMESTAMP
from .generator import cast, expression, infix, makes
from .numbers import field


def small(g):
    """A number that a function of texts takes as place or length."""
    return expression(INTEGER, str(g.pick(0, 1, 1, 2, 3)))


@makes(TEXT, 3)
def concatenation(g):
    return infix(g, TEXT, g.expression(TEXT), " || ", g.expression(TEXT))


@makes(TEXT, 1)
def concatenation_of_numbers(g):
    return expression(TEXT, "(", g.expression(TEXT), " || ", g.leaf(INTEGER), g.pick(" + ", " * ", " - "), g.leaf(INTEGER), ")", tag="precedence")


@makes(TEXT, 3)
def text_function(g):
    name = g.pick("upper", "lower", "reverse", "trim", "ltrim", "rtrim")
    return expression(TEXT, f"{name}(", g.expression(TEXT), ")", tag=name)


@makes(TEXT, 2)
def substring(g):
    if g.chance(0.5):
        return expression(TEXT, "substring(", g.expression(TEXT), " FROM ", str(g.pick(1, 2, 3)), " FOR ", small(g), ")")
    return expression(TEXT, "substr(", g.expression(TEXT), f", {g.pick(1, 2, 3)})")


@makes(TEXT, 2)
def side(g):
    name = g.pick("left", "right")
    return expression(TEXT, f"{name}(", g.expression(TEXT), ", ", small(g), ")", tag=name)


@makes(TEXT, 1)
def text_replace(g):
    return expression(TEXT, "replace(", g.expression(TEXT), ", ", g.expression(TEXT), ", ", g.expression(TEXT), ")")


@makes(TEXT, 1)
def padding(g):
    name = g.pick("lpad", "rpad")
    return expression(TEXT, f"{name}(", g.expression(TEXT), f", {g.pick(0, 2, 4)}, {g.pick(repr('x'), repr('-+'))})", tag=name)


@makes(TEXT, 1)
def repeat(g):
    return expression(TEXT, "repeat(", g.expression(TEXT), ", ", small(g), ")")


@makes(TEXT, 1)
def split_part(g):
    return expression(TEXT, "split_part(", g.expression(TEXT), f", {g.pick(repr('b'), repr('_'), repr(','))}, {g.pick(1, 2, 3)})")


@makes(TEXT, 1)
def concat(g):
    if g.chance(0.5):
        return expression(TEXT, "concat(", g.expression(TEXT), ", ", g.expression(TEXT), ")")
    return expression(TEXT, "concat_ws('-', ", g.expression(TEXT), ", ", g.expression(TEXT), ")")


@makes(TEXT, 1)
def translate(g):
    return expression(TEXT, "translate(", g.expression(TEXT), ", 'ab', 'xy')")


@makes(TEXT, 3)
def cast_to_text(g):
    return cast(g.expression(g.pick(INTEGER, INTEGER, DECIMAL, DATE, TIMESTAMP, BOOLEAN, TEXT)), "VARCHAR", TEXT)


@makes(TEXT, 1)
def to_char(g):
    spelled = ("strftime(", 1, ", '%Y-%m-%d')")
    return expression(TEXT, "to_char(", g.expression(TIMESTAMP), ", 'YYYY-MM-DD')", forms=(("duckdb", spelled),))


@makes(TEXT, 1)
def struct_text(g):
    return field(g, TEXT, "b")
