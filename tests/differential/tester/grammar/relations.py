"""FROM: tables, derived tables, CTEs, VALUES and LATERAL, joined in every way."""

from dataclasses import dataclass, field, replace

from ..scope import Leaf, Scope
from ..tree import Node, Table, many
from ..types import BOOLEAN, LIST, STRUCT
from .generator import expression

# An order with more keys than this makes a query that nobody can read.
MOST_KEYS = 7


@dataclass
class Relation:
    """A piece of FROM: what can be named in it, what orders its rows, and the columns of the base tables in it."""

    node: Node
    leaves: list
    order: list
    columns: dict = field(default_factory=dict)  # Names without a qualifier: name -> set of families.
    single: str | None = None  # The alias, where this is one relation and no join.


def column(alias, name, family):
    return Node("column", (f"{alias}.{name}",), family)


def base(g, name=None):
    table = g.world[name or g.random.choice(sorted(g.world))]
    alias = g.names.new(table.name)
    leaves = [Leaf(column(alias, one.name, one.family), partition=one.name == table.partition) for one in table.columns]
    if table.unique:
        order = [column(alias, table.unique, table.column(table.unique).family)]
    else:
        order = [leaf.node for leaf in leaves if leaf.node.type not in (LIST, STRUCT)]
    columns = {one.name: one.family for one in table.columns}
    return Relation(Node("relation", (Table(table.name), f" AS {alias}")), leaves, order, columns, alias)


def of_query(g, query, prefix="q", lateral=False):
    alias = g.names.new(prefix)
    leaves = [Leaf(column(alias, name, family)) for name, family in zip(query.names, query.families)]
    node = Node("relation", ("LATERAL (" if lateral else "(", query.node, f") AS {alias}"), tag="lateral" if lateral else "derived")
    return Relation(node, leaves, [leaf.node for leaf in leaves], single=alias)


def derived(g):
    from .select import derived_query

    # A derived table sees nothing of the query that it stands in, only of those around that.
    return of_query(g, derived_query(g.within(Scope(parent=g.scope.parent))))


def of_cte(g):
    name, names, families = g.random.choice(g.ctes)
    alias = g.names.new("c")
    leaves = [Leaf(column(alias, one, family)) for one, family in zip(names, families)]
    return Relation(Node("relation", (f"{name} AS {alias}",), tag="cte"), leaves, [leaf.node for leaf in leaves], single=alias)


def values(g):
    families = [g.family() for _ in range(g.pick(1, 2))]
    alias = g.names.new("v")
    rows = []
    for number in range(g.pick(1, 2, 3)):
        cells = [g.constant(family) for family in families]
        if number == 0:  # The first row says the types.
            cells = [typed(cell) for cell in cells]
        rows.append(Node("row", ("(", many(cells, minimum=len(cells)), ")")))
    names = [f"c{place + 1}" for place in range(len(families))]
    leaves = [Leaf(column(alias, name, family)) for name, family in zip(names, families)]
    node = Node("relation", ("(VALUES ", many(rows), f") AS {alias}({', '.join(names)})"), tag="values")
    return Relation(node, leaves, [leaf.node for leaf in leaves], single=alias)


def typed(node):
    from ..types import SQL

    return expression(node.type, "CAST(", node, f" AS {SQL[node.type]})")


def relation(g):
    if g.ctes and g.chance(0.4):
        return of_cte(g)
    if g.depth > 0 and g.chance(0.16):
        return derived(g.down())
    if g.chance(0.04):
        return values(g)
    return base(g)


def joined(left, node, right, **more):
    order = left.order + right.order if left.order and right.order else []
    columns = dict(left.columns)
    for name, family in right.columns.items():
        columns[name] = None if name in columns else family
    kept = [leaf for leaf in left.leaves if not unqualified_clash(leaf, right)]
    return Relation(node, kept + right.leaves, order, columns, **more)


def unqualified_clash(leaf, right):
    """A merged column that another relation has too can no longer be named alone."""
    text = leaf.node.parts[0]
    return "." not in text and text in right.columns


def condition(g, left, right):
    """A condition over both sides; mostly equality of columns, since few others find rows."""
    scope = Scope(left.leaves + right.leaves, [], g.scope.parent)
    inner = g.within(scope, queries=g.queries and g.chance(0.2), grouped=None, windows=False).down()
    equality = equal(g, left, right)
    if equality is None or g.chance(0.1):
        return inner.expression(BOOLEAN)
    if g.chance(0.35):
        return expression(BOOLEAN, equality, g.pick(" AND ", " AND ", " OR "), inner.expression(BOOLEAN), tag="join_condition")
    return equality


def equal(g, left, right, word=None):
    pairs = [(a.node, b.node) for a in left.leaves for b in right.leaves if a.node.type == b.node.type and a.node.type not in (LIST, STRUCT)]
    if not pairs:
        return None
    first, second = g.random.choice(pairs)
    word = word or g.pick(" = ", " = ", " = ", " = ", " IS NOT DISTINCT FROM ", " < ")
    return expression(BOOLEAN, first, word, second, tag="null_safe_join" if "IS" in word else "join_equality")


def mergeable(left, right):
    return [name for name, family in right.columns.items() if family and left.columns.get(name) == family and family not in (LIST, STRUCT)]


def join(g, left, right):
    common = mergeable(left, right)
    if common and g.chance(0.2):
        return using(g, left, right, common)
    ambiguous = any(name in right.columns and family is None for name, family in left.columns.items())
    all_mergeable = all(left.columns.get(name, family) == family for name, family in right.columns.items())
    if left.columns and right.columns and common and all_mergeable and not ambiguous and len(common) < 4 and g.chance(0.12):
        word = g.pick(" NATURAL JOIN ", " NATURAL LEFT JOIN ", " NATURAL FULL JOIN ", " NATURAL RIGHT JOIN ")
        node = Node("relation", (left.node, word, right.node), tag="natural_join")
        return merged(g, left, right, node, common)
    kind = g.pick("JOIN", "JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", ",")
    if kind in ("CROSS JOIN", ","):
        word = ", " if kind == "," else " CROSS JOIN "
        return joined(left, Node("relation", (left.node, word, right.node), tag="cross_join"), right)
    if kind == "FULL JOIN":
        on = equal(g, left, right, " = ")
        if on is None:
            return joined(left, Node("relation", (left.node, " CROSS JOIN ", right.node), tag="cross_join"), right)
        if g.chance(0.2):
            scope = Scope(left.leaves + right.leaves, [], None)
            on = expression(BOOLEAN, on, " AND ", g.within(scope, queries=False).down(2).expression(BOOLEAN), tag="join_condition")
    else:
        on = condition(g, left, right)
    node = Node("relation", (left.node, f" {kind} ", right.node, " ON ", on), tag=kind.lower().replace(" ", "_"))
    return joined(left, node, right)


def using(g, left, right, common):
    names = g.random.sample(common, min(len(common), g.pick(1, 1, 2)))
    kind = g.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
    node = Node("relation", (left.node, f" {kind} ", right.node, f" USING ({', '.join(names)})"), tag=f"using_{kind.lower().replace(' ', '_')}")
    return merged(g, left, right, node, names)


def merged(g, left, right, node, names):
    made = joined(left, node, right)
    made.leaves = [leaf for leaf in made.leaves if leaf.node.parts[0] not in names]
    for name in names:
        family = left.columns[name]
        made.columns[name] = family
        leaf = Leaf(Node("column", (name,), family))
        made.leaves += [leaf, leaf, leaf]
    return made


def lateral(g, left):
    from .select import derived_query

    inner = g.within(Scope(parent=Scope(left.leaves, left.order, g.scope.parent))).down()
    right = of_query(g, derived_query(inner), "l", lateral=True)
    if g.chance(0.5):
        return joined(left, Node("relation", (left.node, " CROSS JOIN ", right.node), tag="lateral"), right)
    on = condition(g, left, right) if g.chance(0.4) else "TRUE"
    return joined(left, Node("relation", (left.node, " LEFT JOIN ", right.node, " ON ", on), tag="left_lateral"), right)


def tables_joined(g, most=3):
    """The whole of FROM."""
    left = relation(g)
    wanted = min(most, g.random.choices([1, 2, 3], [5, 5, 2])[0])
    for _ in range(wanted - 1):
        if g.depth > 0 and g.chance(0.08):
            left = lateral(g, left)
            continue
        right = relation(g)
        if g.depth > 1 and g.chance(0.1):
            inner = join(g, right, relation(g))
            right = replace(inner, node=Node("relation", ("(", inner.node, ")")), single=None)
        left = join(g, left, right)
    if len(left.order) > MOST_KEYS:
        left.order = []
    return left


def scope_of(g, made):
    return Scope(made.leaves, made.order, g.scope.parent)
