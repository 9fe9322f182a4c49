"""Set operations, with and without ALL, nested in parentheses and without."""

from ..tree import Node
from .select import Query, ordered, select

WORDS = (" UNION ALL ", " UNION ALL ", " UNION ", " INTERSECT ", " EXCEPT ", " INTERSECT ALL ", " EXCEPT ALL ")


def set_operation(g, families=None, order=False):
    families = families or [g.family() for _ in range(g.pick(1, 1, 2, 2, 3))]
    left = branch(g, families)
    word = g.random.choice(WORDS)
    node = Node("query", (left.node, word, branch(g, families).node), tag=word.strip().lower().replace(" ", "_"))
    if g.chance(0.25):
        word = g.random.choice(WORDS)
        node = Node("query", (node, word, branch(g, families).node), tag=word.strip().lower().replace(" ", "_"))
    names = left.names
    if order and g.chance(0.4):
        return Query(Node("query", (node, ordered(g, len(families)))), names, families, True)
    return Query(node, names, families)


def branch(g, families):
    if g.depth > 1 and g.chance(0.12):
        inner = set_operation(g.down(), families)
        return Query(Node("query", ("(", inner.node, ")")), inner.names, families)
    return select(g.down(), families, most_tables=2)
