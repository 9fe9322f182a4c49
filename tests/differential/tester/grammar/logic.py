"""Questions whose answers check each other: three-valued logic splits the rows of a query into three parts.

Rigger, Su: Finding Bugs in Database Systems via Query Partitioning, OOPSLA 2020.
"""

from dataclasses import dataclass, replace

from ..tree import Node, many
from ..types import BOOLEAN
from .queries import start
from .relations import scope_of, tables_joined


@dataclass
class Partition:
    """The query without a condition, and the same with `p`, NOT `p` and `p` IS NULL: rows alike on both sides."""

    whole: Node
    pieces: tuple
    condition: Node


def partition(random, world):
    g = start(random, world, random.choice([2, 3, 4]))
    made = tables_joined(g)
    inner = g.within(scope_of(g, made))
    items = many([Node("item", (inner.leaf(inner.known_family()), f" AS c{place + 1}")) for place in range(g.pick(1, 2, 3))])
    condition = inner.expression(BOOLEAN)
    return split(items, made.node, condition)


def split(items, relations, condition):
    select = lambda *more: Node("query", ("SELECT ", items, " FROM ", relations, *more))
    pieces = (
        select(" WHERE ", condition),
        select(" WHERE NOT (", condition, ")"),
        select(" WHERE (", condition, ") IS NULL"),
    )
    return Partition(select(), pieces, condition)
