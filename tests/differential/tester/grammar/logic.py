"""Questions whose answers check each other: three-valued logic splits the rows of a query into three parts.

Rigger, Su: Finding Bugs in Database Systems via Query Partitioning, OOPSLA 2020.
"""

from ..tree import Node, many
from ..types import BOOLEAN
from .queries import start
from .relations import scope_of, tables_joined


def logic(random, world):
    """A query with a condition; `pieces` makes of it what is asked."""
    g = start(random, world, random.choice([2, 3, 4]))
    made = tables_joined(g)
    inner = g.within(scope_of(g, made))
    items = many([Node("item", (inner.leaf(inner.known_family()), f" AS c{place + 1}")) for place in range(g.pick(1, 2, 3))])
    return Node("logic", ("SELECT ", items, " FROM ", made.node, " WHERE ", inner.expression(BOOLEAN)))


def pieces(tree):
    """The query without its condition, and the three whose rows together are the same."""
    select, items, source, relations, _, condition = tree.parts
    whole = (select, items, source, relations)
    return [
        Node("query", whole),
        Node("query", (*whole, " WHERE ", condition)),
        Node("query", (*whole, " WHERE NOT (", condition, ")")),
        Node("query", (*whole, " WHERE (", condition, ") IS NULL")),
    ]
