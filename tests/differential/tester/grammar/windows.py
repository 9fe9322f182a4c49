"""Window functions with every kind of frame. Where the rows' order decides, the order has no ties."""

from dataclasses import replace

from ..tree import Node, many, nothing, optional, total
from ..types import BOOLEAN, DATE, DECIMAL, DOUBLE, INTEGER, TEXT, TIMESTAMP
from .aggregates import direction
from .choices import FAMILIES
from .generator import WINDOW, expression, makes

STARTS = ("UNBOUNDED PRECEDING", "2 PRECEDING", "1 PRECEDING", "CURRENT ROW", "1 FOLLOWING")
ENDS = ("1 PRECEDING", "CURRENT ROW", "1 FOLLOWING", "2 FOLLOWING", "UNBOUNDED FOLLOWING")
FRAMES = [
    (start, end)
    for start in STARTS
    for end in ENDS
    if not (start == "CURRENT ROW" and "PRECEDING" in end) and not ("FOLLOWING" in start and ("PRECEDING" in end or "CURRENT" in end))
]


def inside(g):
    """What stands inside of a window function has no window function in it."""
    return replace(g.down(), windows=False)


def keys_without_ties(g):
    keys = [Node("key", (node, direction(g))) for node in g.scope.order]
    g.random.shuffle(keys)
    return total(keys)


def partition(g):
    if g.chance(0.4):
        return nothing()
    items = [inside(g).leaf(g.known_family()) for _ in range(g.pick(1, 1, 2))]
    return optional("PARTITION BY ", many(items), " ")


def frame(g, kinds):
    if g.chance(0.35):
        return nothing()
    kind = g.random.choice(kinds)
    start, end = g.random.choice(FRAMES)
    exclude = optional(" EXCLUDE ", g.pick("CURRENT ROW", "GROUP", "TIES", "NO OTHERS")) if g.chance(0.2) else nothing()
    return optional(f" {kind} BETWEEN {start} AND {end}", exclude)


def over_rows(g):
    """A window whose order has no ties, so that ROWS means one thing."""
    return Node("window", (" OVER (", partition(g), "ORDER BY ", keys_without_ties(g), frame(g, ["ROWS", "GROUPS"]), ")"))


def over_peers(g):
    """A window by peers: ties are allowed, since all peers get the same."""
    key = inside(g).leaf(g.pick(INTEGER, INTEGER, DECIMAL, DATE) if g.chance(0.5) else g.known_family())
    if key.type == INTEGER and g.chance(0.5):
        return Node("window", (" OVER (", partition(g), "ORDER BY ", key, direction(g), frame(g, ["RANGE"]), ")"))
    return Node("window", (" OVER (", partition(g), "ORDER BY ", key, direction(g), frame(g, ["GROUPS"]), ")"))


def over_all(g):
    return Node("window", (" OVER (", partition(g), ")"))


def over(g):
    choices = [over_peers, over_peers, over_all]
    if g.scope.order:
        choices += [over_rows, over_rows]
    return g.random.choice(choices)(g)


@makes(INTEGER, 2, WINDOW)
def row_number(g):
    if not g.scope.order:
        return None
    return expression(INTEGER, "row_number() OVER (", partition(g), "ORDER BY ", keys_without_ties(g), ")")


@makes(INTEGER, 2, WINDOW)
def rank(g):
    name = g.pick("rank", "dense_rank")
    key = inside(g).expression(g.known_family())
    return expression(INTEGER, f"{name}() OVER (", partition(g), "ORDER BY ", key, direction(g), ")", tag=name)


@makes(DOUBLE, 1, WINDOW)
def relative_rank(g):
    name = g.pick("percent_rank", "cume_dist")
    key = inside(g).expression(g.known_family())
    return expression(DOUBLE, f"{name}() OVER (", partition(g), "ORDER BY ", key, direction(g), ")", tag=name)


@makes(INTEGER, 1, WINDOW)
def ntile(g):
    if not g.scope.order:
        return None
    return expression(INTEGER, f"ntile({g.pick(1, 2, 3)}) OVER (", partition(g), "ORDER BY ", keys_without_ties(g), ")")


@makes(INTEGER, 2, WINDOW)
def count_over(g):
    inner = inside(g)
    what = "*" if g.chance(0.5) else inner.expression(g.known_family())
    return expression(INTEGER, "count(", what, ")", filter_over(g), over(g))


def filter_over(g):
    return optional(" FILTER (WHERE ", inside(g).expression(BOOLEAN), ")") if g.chance(0.15) else nothing()


def aggregate_over(family, names):
    @makes(family, 2, WINDOW)
    def aggregate_over(g):
        name = g.random.choice(names)
        return expression(family, f"{name}(", inside(g).expression(family), ")", filter_over(g), over(g), tag=f"{name}_over")


aggregate_over(INTEGER, ("sum", "min", "max"))
aggregate_over(DECIMAL, ("sum", "min", "max"))
aggregate_over(DOUBLE, ("sum", "min", "max", "avg"))
aggregate_over(TEXT, ("min", "max"))
aggregate_over(DATE, ("min", "max"))
aggregate_over(TIMESTAMP, ("min", "max"))
aggregate_over(BOOLEAN, ("bool_and", "bool_or"))


def value_over(family):
    @makes(family, 2, WINDOW)
    def neighbour(g):
        if not g.scope.order:
            return None
        name, inner = g.pick("lag", "lead"), inside(g)
        more = g.pick((), (", ", str(g.pick(0, 1, 2))), (", 1, ", inner.leaf(family)))
        return expression(family, f"{name}(", inner.expression(family), *more, ") OVER (", partition(g), "ORDER BY ", keys_without_ties(g), ")", tag=name)

    @makes(family, 2, WINDOW)
    def value_of_frame(g):
        if not g.scope.order:
            return None
        name = g.pick("first_value", "last_value", "nth_value")
        more = f", {g.pick(1, 2, 3)}" if name == "nth_value" else ""
        return expression(family, f"{name}(", inside(g).expression(family), more, ")", over_rows(g), tag=name)


for one in FAMILIES:
    value_over(one)
