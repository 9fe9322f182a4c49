"""Conditions: comparisons, three-valued logic, lists with NULLs, patterns, row values."""

from .. import literals
from ..tree import Node, many
from ..types import BOOLEAN, DATE, DECIMAL, DOUBLE, INTEGER, LIST, TEXT, TIMESTAMP
from .generator import expression, infix, makes
from .times import interval

COMPARISONS = (" = ", " = ", " <> ", " < ", " <= ", " > ", " >= ")


def operand(g, family):
    return g.expression(family)


@makes(BOOLEAN, 6)
def comparison(g):
    family = g.known_family()
    return infix(g, BOOLEAN, operand(g, family), g.random.choice(COMPARISONS), operand(g, family))


@makes(BOOLEAN, 2)
def comparison_of_numbers(g):
    """Numbers of two families, which meet only after a cast."""
    return expression(BOOLEAN, "(", g.expression(g.pick(INTEGER, DECIMAL)), g.random.choice(COMPARISONS), g.expression(g.pick(DECIMAL, DOUBLE)), ")")


@makes(BOOLEAN, 2)
def comparison_of_cast(g):
    """A column cast to a narrower type beside a constant, which an optimizer likes to turn around."""
    family, sql = g.pick((DECIMAL, "DECIMAL(20,2)"), (DECIMAL, "DECIMAL(5,1)"), (DOUBLE, "BIGINT"), (TIMESTAMP, "DATE"), (INTEGER, "SMALLINT"), (INTEGER, "VARCHAR"), (DECIMAL, "BIGINT"))
    node = g.column(family)
    result = {"DATE": DATE, "VARCHAR": TEXT, "BIGINT": INTEGER, "SMALLINT": INTEGER}.get(sql, DECIMAL)
    cast = node and expression(result, "CAST(", node, f" AS {sql})", tag="cast")
    if node is not None and g.chance(0.3):
        return expression(BOOLEAN, "(", cast, g.pick(" IN (", " NOT IN ("), many([g.constant(result), g.constant(result)]), "))")
    return node and expression(BOOLEAN, "(", cast, g.random.choice(COMPARISONS), g.constant(result), ")")


@makes(BOOLEAN, 1)
def comparison_of_times(g):
    return expression(BOOLEAN, "(", g.expression(DATE), g.random.choice(COMPARISONS), g.expression(TIMESTAMP), ")")


@makes(BOOLEAN, 1)
def comparison_of_intervals(g):
    left = interval(g)
    if g.chance(0.6):
        left = expression("interval", "(", g.expression(TIMESTAMP), " - ", g.expression(TIMESTAMP), ")")
    return expression(BOOLEAN, "(", left, g.random.choice(COMPARISONS), interval(g), ")")


@makes(BOOLEAN, 5)
def logic(g):
    return infix(g, BOOLEAN, g.expression(BOOLEAN), g.pick(" AND ", " OR "), g.expression(BOOLEAN))


@makes(BOOLEAN, 3)
def negated(g):
    if g.chance(0.15):
        return expression(BOOLEAN, "(NOT ", g.leaf(INTEGER), " = ", g.leaf(INTEGER), ")", tag="precedence")
    return expression(BOOLEAN, "(NOT ", g.expression(BOOLEAN), ")")


@makes(BOOLEAN, 3)
def is_null(g):
    return expression(BOOLEAN, "(", g.expression(g.known_family()), g.pick(" IS NULL", " IS NOT NULL"), ")")


@makes(BOOLEAN, 2)
def is_truth(g):
    what = g.pick("TRUE", "FALSE", "UNKNOWN") if g.chance(0.7) else g.pick("TRUE", "FALSE")
    if what == "UNKNOWN":
        known = g.pick(" IS UNKNOWN", " IS NOT UNKNOWN")
        return expression(BOOLEAN, "(", g.expression(BOOLEAN), known, ")", forms=(("duckdb", ("(", 1, known.replace("UNKNOWN", "NULL"), ")")),))
    return expression(BOOLEAN, "(", g.expression(BOOLEAN), g.pick(" IS ", " IS NOT "), what, ")")


@makes(BOOLEAN, 3)
def is_distinct(g):
    family = g.known_family()
    word = g.pick(" IS DISTINCT FROM ", " IS NOT DISTINCT FROM ")
    if g.chance(0.15):
        return expression(BOOLEAN, "(", g.leaf(family), word, g.leaf(family), g.pick(" AND ", " OR "), g.expression(BOOLEAN), ")", tag="precedence")
    return expression(BOOLEAN, "(", g.expression(family), word, g.expression(family), ")")


@makes(BOOLEAN, 2)
def between(g):
    family = g.known_family()
    word = g.pick(" BETWEEN ", " NOT BETWEEN ")
    return expression(BOOLEAN, "(", g.expression(family), word, g.expression(family), " AND ", g.expression(family), ")")


@makes(BOOLEAN, 1)
def between_symmetric(g):
    family = g.known_family()
    spelled = ("((", 1, " BETWEEN ", 3, " AND ", 5, ") OR (", 1, " BETWEEN ", 5, " AND ", 3, "))")
    forms = (("duckdb", spelled),)
    return expression(BOOLEAN, "(", g.expression(family), " BETWEEN SYMMETRIC ", g.expression(family), " AND ", g.expression(family), ")", forms=forms)


@makes(BOOLEAN, 4)
def in_list(g):
    family = g.known_family()
    items = [g.expression(family) if g.chance(0.3) else g.constant(family) for _ in range(g.pick(1, 2, 2, 3, 4))]
    if g.chance(0.25):
        null = "NULL" if g.chance(0.5) else literals.null(family)
        items.append(Node("expression", (null,), family, "null"))
    return expression(BOOLEAN, "(", g.expression(family), g.pick(" IN (", " NOT IN ("), many(items), "))")


@makes(BOOLEAN, 3)
def like(g):
    word = g.pick(" LIKE ", " NOT LIKE ", " ILIKE ")
    pattern = g.pick("'a%'", "'%b%'", "'_'", "'%'", "''", "'a_c'", "'ab'", "'%b'", "'A%'", "NULL")
    if g.chance(0.2):
        return expression(BOOLEAN, "(", g.expression(TEXT), word, g.pick("'%!%%'", "'a!_c'", "'!!%'"), " ESCAPE '!')", tag="like_escape")
    if g.chance(0.15):
        return expression(BOOLEAN, "(", g.expression(TEXT), word, g.expression(TEXT), ")", tag="like_expression")
    return expression(BOOLEAN, "(", g.expression(TEXT), word, pattern, ")", tag="like")


@makes(BOOLEAN, 1)
def regular_expression(g):
    pattern = g.pick("'^a'", "'b$'", "'.*'", "'[ab]+'", "'^$'")
    spelled = ("regexp_matches(", 1, ", " + pattern + ")")
    return expression(BOOLEAN, "(", g.expression(TEXT), f" ~ {pattern})", forms=(("duckdb", spelled),))


@makes(BOOLEAN, 1)
def similar_to(g):
    return expression(BOOLEAN, "(", g.expression(TEXT), g.pick(" SIMILAR TO ", " NOT SIMILAR TO "), g.pick("'ab'", "'(a|b)'", "'a[a-z]'", "'[a-z]+'"), ")")


@makes(BOOLEAN, 1)
def starts_with(g):
    return expression(BOOLEAN, "starts_with(", g.expression(TEXT), ", ", g.expression(TEXT), ")")


@makes(BOOLEAN, 2)
def row_comparison(g):
    families = [g.known_family() for _ in range(g.pick(2, 2, 3))]
    row = lambda: Node("row", ("(", many([g.expression(family) for family in families], minimum=2), ")"), "row")
    return expression(BOOLEAN, "(", row(), g.random.choice(COMPARISONS), row(), ")")


@makes(BOOLEAN, 1)
def row_in_list(g):
    families = [g.known_family() for _ in range(2)]
    row = lambda: Node("row", ("(", many([g.leaf(family) for family in families], minimum=2), ")"), "row")
    return expression(BOOLEAN, "(", row(), g.pick(" IN (", " NOT IN ("), many([row() for _ in range(g.pick(1, 2, 3))]), "))")


@makes(BOOLEAN, 1)
def cast_to_boolean(g):
    return expression(BOOLEAN, "CAST(CAST(", g.expression(INTEGER), " AS INTEGER) AS BOOLEAN)", tag="cast")


@makes(BOOLEAN, 1)
def list_contains(g):
    node = g.column(LIST)
    return node and expression(BOOLEAN, "(", g.leaf(INTEGER), " = ANY (", node, "))")
