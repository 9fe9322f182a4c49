"""Integers, decimals and doubles."""

from ..tree import spelling
from ..types import BOOLEAN, DATE, DECIMAL, DOUBLE, INTEGER, LIST, STRUCT, TEXT, TIMESTAMP
from .generator import cast, expression, infix, makes


@makes(INTEGER, 4)
def integer_arithmetic(g):
    return infix(g, INTEGER, g.expression(INTEGER), g.pick(" + ", " - ", " * "), g.expression(INTEGER))


@makes(INTEGER, 1)
def integer_division(g):
    divide = spelling(" / ", duckdb=" // ")
    return expression(INTEGER, "(", g.expression(INTEGER), divide, "NULLIF(", g.expression(INTEGER), ", 0))")


@makes(INTEGER, 1)
def remainder(g):
    return expression(INTEGER, "(", g.expression(INTEGER), " % NULLIF(", g.expression(INTEGER), ", 0))")


@makes(INTEGER, 1)
def negation(g):
    return expression(INTEGER, "(- ", g.expression(INTEGER), ")") if g.chance(0.7) else expression(INTEGER, "- ", g.leaf(INTEGER))


@makes(INTEGER, 1)
def bits(g):
    bigint = lambda: cast(g.expression(INTEGER), "BIGINT", INTEGER)
    return infix(g, INTEGER, bigint(), g.pick(" & ", " | "), bigint())


@makes(INTEGER, 1)
def shift(g):
    place = expression(INTEGER, str(g.pick(0, 1, 2, 3)))
    return expression(INTEGER, "(abs(CAST(", g.expression(INTEGER), " AS BIGINT)) % 1000 ", g.pick("<<", ">>"), " ", place, ")")


@makes(INTEGER, 2)
def integer_function(g):
    name = g.pick("abs", "abs", "sign")
    node = expression(INTEGER, f"{name}(", g.expression(INTEGER), ")", tag=name)
    # A double, as in PostgreSQL, whose text has a point here and none there.
    return expression(INTEGER, "CAST(", node, " AS BIGINT)") if name == "sign" else node


@makes(INTEGER, 2)
def text_length(g):
    return expression(INTEGER, g.pick("length(", "char_length("), g.expression(TEXT), ")")


@makes(INTEGER, 1)
def text_place(g):
    return expression(INTEGER, "position(", g.expression(TEXT), " IN ", g.expression(TEXT), ")")


@makes(INTEGER, 2)
def cast_to_integer(g):
    sql = g.pick("BIGINT", "BIGINT", "INTEGER", "SMALLINT")
    family = g.pick(DECIMAL, DECIMAL, DOUBLE, INTEGER, BOOLEAN, TEXT)
    if family == BOOLEAN:
        return cast(g.expression(BOOLEAN), "INTEGER", INTEGER)
    if family == TEXT:
        return cast(expression(TEXT, "CAST(", g.expression(INTEGER), " AS VARCHAR)"), sql, INTEGER)
    return cast(g.expression(family), sql, INTEGER)


@makes(INTEGER, 1)
def day_difference(g):
    return expression(INTEGER, "(", g.expression(DATE), " - ", g.expression(DATE), ")")


@makes(INTEGER, 2)
def date_part(g):
    family = g.pick(DATE, TIMESTAMP)
    parts = ["year", "month", "day", "quarter", "week", "dow", "doy", "isodow"]
    if family == TIMESTAMP:
        parts += ["hour", "minute"]
    return expression(INTEGER, f"CAST(EXTRACT({g.random.choice(parts)} FROM ", g.expression(family), ") AS BIGINT)")


@makes(INTEGER, 1)
def list_length(g):
    node = g.column(LIST)
    return node and expression(INTEGER, spelling("cardinality(", duckdb="len(", lakesh="cardinality("), node, ")")


@makes(INTEGER, 1)
def list_item(g):
    node = g.column(LIST)
    return node and expression(INTEGER, "(", node, f"[{g.pick(1, 1, 2, 3, 9)}])")


@makes(INTEGER, 1)
def struct_number(g):
    return field(g, INTEGER, "a")


def field(g, family, name):
    node = g.column(STRUCT)
    forms = (("postgres", ("(", 0, f").{name}")), ("duckdb", (0, f".{name}")))
    return node and expression(family, node, f"['{name}']", tag="struct_field", forms=forms)


@makes(DECIMAL, 4)
def decimal_arithmetic(g):
    other = g.pick(DECIMAL, DECIMAL, INTEGER)
    operands = [g.expression(DECIMAL), g.expression(other)]
    g.random.shuffle(operands)
    return infix(g, DECIMAL, operands[0], g.pick(" + ", " - ", " * "), operands[1])


@makes(DECIMAL, 1)
def decimal_remainder(g):
    return expression(DECIMAL, "(", g.expression(DECIMAL), " % NULLIF(", g.expression(DECIMAL), ", 0))")


@makes(DECIMAL, 2)
def decimal_function(g):
    name = g.pick("abs", "round", "floor", "ceil", "trunc", "- ")
    if name == "round":
        return expression(DECIMAL, "round(", g.expression(DECIMAL), f", {g.pick(0, 1, 2)})", tag=name)
    return expression(DECIMAL, f"{name}(", g.expression(DECIMAL), ")", tag=name if name != "- " else "negation")


@makes(DECIMAL, 3)
def cast_to_decimal(g):
    sql = g.pick("DECIMAL(9,2)", "DECIMAL(20,4)", "DECIMAL(20,2)", "DECIMAL(5,1)", "DECIMAL(38,6)")
    family = g.pick(DECIMAL, DECIMAL, INTEGER, DOUBLE, TEXT)
    node = cast(g.expression(DECIMAL), "VARCHAR", TEXT) if family == TEXT else g.expression(family)
    return cast(node, sql, DECIMAL)


@makes(DOUBLE, 3)
def double_arithmetic(g):
    other = g.pick(DOUBLE, DOUBLE, INTEGER)
    return infix(g, DOUBLE, g.expression(DOUBLE), g.pick(" + ", " - ", " * "), g.expression(other))


@makes(DOUBLE, 1)
def double_division(g):
    return expression(DOUBLE, "(", g.expression(DOUBLE), " / NULLIF(", g.expression(DOUBLE), ", 0))")


@makes(DOUBLE, 1)
def double_function(g):
    name = g.pick("abs", "floor", "ceil", "sqrt", "sign", "exp", "round", "trunc")
    node = g.expression(DOUBLE)
    if name == "sqrt":
        node = expression(DOUBLE, "abs(", node, ")")
    return expression(DOUBLE, f"{name}(", node, ")", tag=name)


@makes(DOUBLE, 1)
def power(g):
    return expression(DOUBLE, "power(", g.expression(DOUBLE), f", {g.pick(0, 1, 2, 3)})")


@makes(DOUBLE, 2)
def cast_to_double(g):
    return cast(g.expression(g.pick(INTEGER, DECIMAL)), "DOUBLE PRECISION", DOUBLE)


@makes(DOUBLE, 1)
def epoch(g):
    return expression(DOUBLE, "CAST(EXTRACT(epoch FROM ", g.expression(g.pick(DATE, TIMESTAMP)), ") AS DOUBLE PRECISION)")
