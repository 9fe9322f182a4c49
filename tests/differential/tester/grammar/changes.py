"""UPDATE, DELETE, INSERT … SELECT and MERGE of one table; what counts is the table afterwards.

A row is changed by one row of a source at most, since everything else is an error or undefined: sources
of UPDATE … FROM and MERGE are grouped by the column that they are joined by.
"""

from dataclasses import dataclass, replace

from ..scope import Leaf, Scope
from ..tree import Node, Table, many, nothing, optional
from ..types import BOOLEAN, DATE, DECIMAL, INTEGER, LIST, STRUCT, TEXT
from .generator import expression
from .queries import start
from .relations import base, scope_of, tables_joined
from .select import where


@dataclass
class Change:
    node: Node
    target: str


def change(random, world):
    g = start(random, world, random.choice([2, 3]))
    target = random.choice(sorted(world))
    kind = random.choices([update, update_from, delete, insert, merge], [4, 2, 5, 2, 4])[0]
    return Change(kind(g, world[target]), target)


def own_columns(table):
    """The columns of the changed table, named by it."""
    nodes = [Node("column", (Table(table.name), f".{column.name}"), column.family) for column in table.columns]
    return [Leaf(node, partition=column.name == table.partition) for node, column in zip(nodes, table.columns)]


def over(g, table, more=()):
    return g.within(Scope([*own_columns(table), *more], [], None))


def settable(table):
    return [column for column in table.columns if column.family not in (LIST, STRUCT) and column.name != "id"]


def fitted(g, column):
    """A new value, cast to the column's type; mostly small, so that it fits."""
    node = g.leaf(column.family) if g.chance(0.4) else g.down().expression(column.family)
    return expression(column.family, "CAST(", node, f" AS {column.sql})")


def assignments(g, table):
    columns = settable(table)
    chosen = g.random.sample(columns, min(len(columns), g.pick(1, 1, 2)))
    return many([Node("assignment", (f"{column.name} = ", fitted(g, column))) for column in chosen])


def update(g, table):
    inner = over(g, table)
    return Node("change", ("UPDATE ", Table(table.name), " SET ", assignments(inner, table), where(inner, 0.85)), tag="update")


def delete(g, table):
    inner = over(g, table)
    return Node("change", ("DELETE FROM ", Table(table.name), where(inner, 1.0)), tag="delete")


def insert(g, table):
    """INSERT … SELECT, with all columns or some."""
    columns = settable(table)
    chosen = columns if g.chance(0.5) else g.random.sample(columns, g.random.randint(1, len(columns)))
    made = tables_joined(g, 2)
    inner = g.within(scope_of(g, made))
    items = many([Node("item", (fitted(inner, column),)) for column in chosen], minimum=len(chosen))
    names = ", ".join(column.name for column in chosen)
    return Node("change", ("INSERT INTO ", Table(table.name), f" ({names}) SELECT ", items, " FROM ", made.node, where(inner)), tag="insert")


def source(g):
    """A query with one row for each key, and the leaves that name it as `src`."""
    origin = base(g)
    inner = g.within(scope_of(g, origin))
    keys = [leaf.node for leaf in origin.leaves if leaf.node.type in (INTEGER, TEXT)]
    key = g.random.choice(keys)
    families = [g.pick(INTEGER, TEXT, DECIMAL, DATE) for _ in range(2)]
    items = [Node("item", (key, " AS c1"))]
    for place, family in enumerate(families):
        node = expression(family, g.pick("min(", "max("), inner.leaf(family), ")")
        items.append(Node("item", (node, f" AS c{place + 2}")))
    node = Node("query", ("SELECT ", many(items, minimum=len(items)), " FROM ", origin.node, where(inner, 0.4), " GROUP BY ", key))
    leaves = [Leaf(Node("column", (f"src.c{place + 1}",), family)) for place, family in enumerate([key.type, *families])]
    return node, leaves


def match(g, table, leaves):
    """The condition that joins a source to a table by the source's key."""
    same = [leaf.node for leaf in own_columns(table) if leaf.node.type == leaves[0].node.type]
    if not same:
        return None
    equality = expression(BOOLEAN, g.random.choice(same), " = ", leaves[0].node)
    if g.chance(0.35):
        inner = replace(over(g, table, leaves), queries=False).down()
        return expression(BOOLEAN, equality, " AND ", inner.expression(BOOLEAN), tag="join_condition")
    return equality


def update_from(g, table):
    query, leaves = source(g)
    on = match(g, table, leaves)
    if on is None:
        return update(g, table)
    inner = replace(over(g, table, leaves), queries=g.chance(0.3))
    return Node("change", ("UPDATE ", Table(table.name), " SET ", assignments(inner, table), " FROM (", query, ") AS src WHERE ", on), tag="update_from")


def merge(g, table):
    query, leaves = source(g)
    on = match(g, table, leaves)
    if on is None:
        return delete(g, table)
    both = replace(over(g, table, leaves), queries=False)
    only_source = replace(g, scope=Scope(leaves, [], None), queries=False)
    only_target = replace(over(g, table), queries=False)
    clauses = [matched(both, table) for _ in range(g.pick(1, 1, 2))]
    if g.chance(0.6):
        clauses.append(not_matched(only_source, table))
    if g.chance(0.15):
        clauses.append(not_matched_by_source(only_target, table))
    g.random.shuffle(clauses)
    return Node("change", ("MERGE INTO ", Table(table.name), " USING (", query, ") AS src ON ", on, " ", many(clauses, " ")), tag="merge")


def guard(g):
    return optional(" AND ", g.down().expression(BOOLEAN)) if g.chance(0.5) else nothing()


def matched(g, table):
    action = "DELETE" if g.chance(0.3) else Node("action", ("UPDATE SET ", assignments(g, table)))
    return Node("when", ("WHEN MATCHED", guard(g), " THEN ", action), tag="matched")


def not_matched(g, table):
    columns = g.random.sample(settable(table), min(3, len(settable(table))))
    names = ", ".join(column.name for column in columns)
    cells = many([fitted(g, column) for column in columns], minimum=len(columns))
    return Node("when", ("WHEN NOT MATCHED", guard(g), f" THEN INSERT ({names}) VALUES (", cells, ")"), tag="not_matched")


def not_matched_by_source(g, table):
    action = "DELETE" if g.chance(0.5) else Node("action", ("UPDATE SET ", assignments(g, table)))
    return Node("when", ("WHEN NOT MATCHED BY SOURCE", guard(g), " THEN ", action), tag="not_matched_by_source")
