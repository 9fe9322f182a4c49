"""Whole queries: SELECT, set operations, `SELECT *`, and WITH, recursive too."""

from dataclasses import replace

from ..scope import Scope
from ..tree import Node, many
from ..types import BOOLEAN, INTEGER, TEXT
from .generator import Generator, Names, expression
from .relations import base, scope_of, tables_joined
from .select import Query, select, where
from .sets import set_operation


def start(random, world, depth=3):
    return Generator(random, world, Names(), Scope(), depth)


def query(random, world):
    """A random query over the tables of a world."""
    g = start(random, world, random.choice([1, 1, 2, 2, 3]))
    kind = random.choices(["select", "set", "with", "recursive", "star"], [10, 3, 3, 1, 2])[0]
    return {"select": one_select, "set": sets, "with": with_queries, "recursive": recursive, "star": star}[kind](g)


def one_select(g):
    return select(g, order=True)


def sets(g):
    return set_operation(g, order=True)


def with_queries(g):
    parts, ctes = [], []
    for number in range(g.pick(1, 1, 2)):
        inner = replace(g, ctes=tuple(ctes), depth=2)
        made = set_operation(inner) if g.chance(0.2) else select(inner, most_tables=2)
        name = f"cte{number + 1}"
        materialized = g.pick("", "", "", "MATERIALIZED ", "NOT MATERIALIZED ")
        parts.append(Node("cte", (f"{name} AS {materialized}(", made.node, ")"), tag="with"))
        ctes.append((name, made.names, made.families))
    outer = replace(g, ctes=tuple(ctes))
    main = set_operation(outer, order=True) if g.chance(0.2) else select(outer, order=True)
    return Query(Node("query", ("WITH ", many(parts), " ", main.node)), main.names, main.families, main.ordered)


def recursive(g):
    """Numbers that count up beside a table's rows; a bound ends them."""
    first = base(g)
    inner = g.within(scope_of(g, first))
    families = [INTEGER, g.pick(INTEGER, TEXT)]
    word = g.pick(" UNION ALL ", " UNION ")
    anchor = Node("query", ("SELECT 1 AS n, ", typed(inner.leaf(families[1])), " AS c FROM ", first.node, where(inner)))
    step = base(g) if g.chance(0.5) else None
    value = expression(families[1], "r.c")
    if step is not None:
        joined = g.within(scope_of(g, step))
        leaf = joined.leaf(families[1])
        grown = typed(expression(families[1], "r.c", " || " if families[1] == TEXT else " + ", leaf)) if g.chance(0.4) else typed(leaf)
        on = expression(BOOLEAN, joined.leaf(INTEGER), " = ", "r.n") if g.chance(0.7) else expression(BOOLEAN, "r.n = 1")
        again = Node("query", ("SELECT r.n + 1, ", grown, " FROM r JOIN ", step.node, " ON ", on, " WHERE r.n < 3"))
    else:
        again = Node("query", ("SELECT r.n + 1, ", value, " FROM r WHERE r.n < ", str(g.pick(2, 3, 4))))
    cte = Node("cte", ("r(n, c) AS (", anchor, word, again, ")"), tag="recursive")
    outer = replace(g, ctes=(("r", ["n", "c"], families),))
    main = select(outer, most_tables=2, order=True)
    return Query(Node("query", ("WITH RECURSIVE ", cte, " ", main.node)), main.names, main.families, main.ordered)


def typed(node):
    return expression(node.type, "CAST(", node, " AS BIGINT)" if node.type == INTEGER else " AS VARCHAR)")


def star(g):
    made = tables_joined(g)
    inner = g.within(scope_of(g, made))
    merged = [leaf for leaf in made.leaves if "." not in leaf.node.parts[0]]
    # Where columns are merged, dialects put them into different places of `*`.
    items = many(dict.fromkeys(leaf.node for leaf in made.leaves)) if merged else "*"
    node = Node("query", ("SELECT ", items, " FROM ", made.node, where(inner, 0.6)), tag="star" if not merged else "")
    return Query(node, [], [])
