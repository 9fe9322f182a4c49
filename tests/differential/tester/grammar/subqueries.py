"""Queries inside expressions: scalar, IN, EXISTS, ANY and ALL, with and without correlation."""

from ..tree import Node, many
from ..types import BOOLEAN
from .choices import for_each_family
from .conditions import COMPARISONS
from .generator import expression, makes


def can_ask(g):
    return g.queries and g.depth >= 0


@for_each_family(2)
def scalar_subquery(g, family):
    from .select import scalar_query

    return expression(family, "(", scalar_query(g, family), ")") if can_ask(g) else None


@makes(BOOLEAN, 5)
def in_subquery(g):
    from .select import column_query

    if not can_ask(g):
        return None
    family = g.known_family()
    word = g.pick(" IN (", " NOT IN (")
    return expression(BOOLEAN, "(", g.expression(family), word, column_query(g, [family]), "))", tag=("not_" if "NOT" in word else "") + "in_subquery")


@makes(BOOLEAN, 1)
def row_in_subquery(g):
    from .select import column_query

    if not can_ask(g):
        return None
    families = [g.known_family(), g.known_family()]
    row = Node("row", ("(", many([g.expression(family) for family in families], minimum=2), ")"), "row")
    word = g.pick(" IN (", " NOT IN (")
    return expression(BOOLEAN, "(", row, word, column_query(g, families), "))")


@makes(BOOLEAN, 4)
def exists(g):
    from .select import any_query

    word = g.pick("EXISTS (", "EXISTS (", "NOT EXISTS (")
    return expression(BOOLEAN, "(", word, any_query(g), "))") if can_ask(g) else None


@makes(BOOLEAN, 2)
def quantified(g):
    from .select import column_query

    if not can_ask(g):
        return None
    family = g.known_family()
    return expression(BOOLEAN, "(", g.expression(family), g.random.choice(COMPARISONS), g.pick("ANY", "ALL", "SOME"), " (", column_query(g, [family]), "))")
