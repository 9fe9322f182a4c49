"""SELECT: items, WHERE, GROUP BY with grouping sets, HAVING, DISTINCT, ORDER BY and LIMIT over a total order."""

from dataclasses import dataclass, replace

from ..scope import Leaf, Scope
from ..tree import Node, many, nothing, optional, total
from ..types import BOOLEAN, INTEGER, LIST, STRUCT
from .aggregates import direction
from .generator import expression
from .relations import scope_of, tables_joined


@dataclass
class Query:
    """A query with the names and families of its columns."""

    node: Node
    names: list
    families: list
    ordered: bool = False


def nested(g):
    """The generator for a query inside another one: what is around it becomes the outside."""
    return g.within(Scope(parent=g.scope), grouped=None, windows=False, depth=min(g.depth, 1))


def where(g, chance=0.5):
    if not g.chance(chance):
        return nothing()
    inner = replace(g, grouped=None, windows=False).down()
    return optional(" WHERE ", (narrow(inner) if g.chance(0.3) else inner).expression(BOOLEAN))


def narrow(g):
    """Only one column can be named: scans prune, and partitions are left out, by conditions over one column."""
    known = [leaf for leaf in g.scope.leaves if leaf.node.type not in (LIST, STRUCT)]
    if not known:
        return g
    partitions = [leaf for leaf in known if leaf.partition]
    chosen = g.random.choice(partitions if partitions and g.chance(0.5) else known)
    return replace(g, scope=Scope([chosen]), depth=max(g.depth, 1), queries=False)


def aliased(g, nodes):
    names = [f"c{place + 1}" for place in range(len(nodes))]
    if g.chance(0.25):
        names[0] = taken_name(g, nodes[0]) or names[0]
    items = [Node("item", (node, f" AS {name}")) for node, name in zip(nodes, names)]
    return many(items), names


def taken_name(g, node):
    """The name of a column below, for something else: `-k AS k`. A key of GROUP BY would then mean two things."""
    if g.grouped is not None:
        return None
    names = sorted({leaf.node.parts[0].split(".")[-1] for leaf in g.scope.leaves if leaf.node.type == node.type and leaf.node.sort == "column"})
    return g.random.choice(names) if names else None


def ordered(g, count, limit_chance=0.4):
    """ORDER BY all columns by their place, so that rows that tie are equal; then LIMIT."""
    places = list(range(1, count + 1))
    g.random.shuffle(places)
    keys = total(Node("key", (str(place), direction(g))) for place in places)
    limit = nothing()
    if g.chance(limit_chance):
        offset = optional(f" OFFSET {g.pick(1, 2)}") if g.chance(0.3) else nothing()
        limit = optional(f" LIMIT {g.pick(1, 2, 3, 5)}", offset)
    return optional(" ORDER BY ", keys, limit)


def select(g, families=None, most_tables=3, order=False):
    """One SELECT, of the families that are asked for or of any."""
    made = tables_joined(g, most_tables)
    inner = g.within(scope_of(g, made))
    families = families or [inner.known_family() for _ in range(g.random.choices([1, 2, 3, 4], [2, 4, 3, 1])[0])]
    kind = g.random.choices(["plain", "grouped", "whole", "window", "distinct", "distinct_on"], [8, 6, 2, 4, 2, 1])[0]
    if kind == "distinct_on" and not (inner.scope.order and order):
        kind = "plain"
    builder = {"plain": plain, "grouped": grouped, "whole": whole, "window": window, "distinct": distinct, "distinct_on": distinct_on}[kind]
    node, names = builder(inner, made, families)
    query = Query(node, names, families)
    if order and kind != "distinct_on" and g.chance(0.35):
        query = Query(Node("query", (node, ordered(g, len(families)))), names, families, True)
    return query


def plain(g, made, families):
    items, names = aliased(g, [g.expression(family) for family in families])
    return Node("query", ("SELECT ", items, " FROM ", made.node, where(g))), names


def distinct(g, made, families):
    items, names = aliased(g, [g.down().expression(family) for family in families])
    return Node("query", ("SELECT DISTINCT ", items, " FROM ", made.node, where(g)), tag="distinct"), names


def distinct_on(g, made, families):
    keys = [g.leaf(g.known_family()) for _ in range(g.pick(1, 1, 2))]
    items, names = aliased(g, [g.down().expression(family) for family in families])
    order = [Node("key", (node, direction(g))) for node in [*keys, *g.scope.order]]
    return Node("query", ("SELECT DISTINCT ON (", total(keys), ") ", items, " FROM ", made.node, where(g), " ORDER BY ", total(order)), tag="distinct_on"), names


def window(g, made, families):
    inner = replace(g, windows=True)
    items, names = aliased(g, [inner.expression(family) for family in families])
    return Node("query", ("SELECT ", items, " FROM ", made.node, where(g))), names


def whole(g, made, families):
    """Aggregates without GROUP BY: one row, also of none."""
    inner = g.within(Scope([], [], g.scope.parent), grouped=g)
    nodes = [inner.expression(family) for family in families]
    nodes[0] = inner.aggregate(families[0]) or nodes[0]
    items, names = aliased(g, nodes)
    return Node("query", ("SELECT ", items, " FROM ", made.node, where(g), having(inner, 0.15)), tag="global_aggregate"), names


def having(g, chance=0.3):
    return optional(" HAVING ", g.expression(BOOLEAN)) if g.chance(chance) else nothing()


def grouped(g, made, families):
    keys = group_keys(g)
    leaves = [Leaf(key, key.sort == "column") for key in keys]
    by, extra = group_by(g, keys)
    inner = g.within(Scope(leaves + extra, list(keys), g.scope.parent), grouped=g, windows=g.chance(0.12))
    items, names = aliased(g, [inner.expression(family) for family in families])
    return Node("query", ("SELECT ", items, " FROM ", made.node, where(g), " GROUP BY ", by, having(inner))), names


def group_keys(g):
    keys = []
    for _ in range(g.random.choices([1, 2, 3], [4, 4, 1])[0]):
        family = g.known_family()
        key = g.column(family) if g.chance(0.75) else replace(g.down(2), queries=False).expression(family)
        if key is not None and key.type not in (LIST, STRUCT) and (key.sort == "column" or has_column(key)):
            if key not in keys:
                keys.append(key)
    if keys:
        return keys
    known = [leaf.node for leaf in g.scope.leaves if leaf.node.type not in (LIST, STRUCT)]
    return [g.random.choice(known)]


def has_column(node):
    """A constant as a key would be a place in some dialects."""
    from ..tree import walk

    return any(isinstance(part, Node) and part.sort == "column" for _, part in walk(node))


def group_by(g, keys):
    if len(keys) == 1 or g.chance(0.6):
        return Node("group", (total(keys),)), []
    grouping = Leaf(expression(INTEGER, "GROUPING(", g.random.choice(keys), ")", tag="grouping"), False)
    kind = g.pick("ROLLUP", "CUBE", "GROUPING SETS")
    if kind != "GROUPING SETS":
        return Node("group", (f"{kind} (", total(keys), ")"), tag=kind.lower()), [grouping]
    sets = [Node("set", ("(", total(keys), ")"))]
    for _ in range(g.pick(1, 2)):
        chosen = g.random.sample(keys, g.random.randrange(len(keys)))
        sets.append(Node("set", ("(", total(chosen), ")")))
    return Node("group", ("GROUPING SETS (", many(sets), ")"), tag="grouping_sets"), [grouping]


def scalar_query(g, family):
    """A query of one row at most."""
    inner = nested(g)
    kind = g.random.choices(["whole", "first", "bare"], [6, 2, 1])[0]
    if kind == "bare":
        return Node("query", ("SELECT ", inner.expression(family)))
    made = tables_joined(inner, 2)
    scope = inner.within(scope_of(inner, made))
    if kind == "first" and scope.scope.order:
        keys = total(Node("key", (node, direction(g))) for node in scope.scope.order)
        return Node("query", ("SELECT ", scope.down().expression(family), " FROM ", made.node, where(scope, 0.7), " ORDER BY ", keys, " LIMIT 1"), tag="limit_subquery")
    outer = scope.within(Scope([], [], scope.scope.parent), grouped=scope)
    node = outer.aggregate(family)
    if node is None:
        node = expression(family, "bool_or(", scope.leaf(BOOLEAN), ")") if family == BOOLEAN else expression(family, "max(", scope.leaf(family), ")")
    return Node("query", ("SELECT ", node, " FROM ", made.node, where(scope, 0.8)), tag="aggregate_subquery")


def column_query(g, families):
    """A query for IN, ANY and ALL."""
    from .sets import set_operation

    inner = nested(g)
    if g.depth > 0 and g.chance(0.06):
        return set_operation(inner, families).node
    made = tables_joined(inner, 2)
    scope = inner.within(scope_of(inner, made))
    if g.chance(0.75):
        items = many([scope.down().expression(family) for family in families], minimum=len(families))
        return Node("query", ("SELECT ", items, " FROM ", made.node, where(scope, 0.6)))
    if g.chance(0.3):
        return whole(scope.down(), made, families)[0]
    return grouped(scope.down(), made, families)[0]


def any_query(g):
    """A query for EXISTS."""
    inner = nested(g)
    made = tables_joined(inner, 2)
    scope = inner.within(scope_of(inner, made))
    what = g.random.choices(["1", "*", "column", "whole", "grouped"], [4, 2, 3, 1, 1])[0]
    if what == "whole":
        return whole(scope.down(), made, [scope.known_family()])[0]
    if what == "grouped":
        return grouped(scope.down(), made, [scope.known_family()])[0]
    items = scope.leaf(scope.known_family()) if what == "column" else what
    return Node("query", ("SELECT ", items, " FROM ", made.node, where(scope, 0.9)))


def derived_query(g):
    """A query in FROM."""
    from .sets import set_operation

    inner = replace(g, grouped=None, windows=False, depth=min(g.depth, 1))
    if g.depth > 0 and g.chance(0.2):
        return set_operation(inner)
    return select(inner, most_tables=2, order=g.chance(0.5))
