"""The state of a query that grows: chance, what can be named here, how deep it may still become.

Producers register themselves for the family that they make (`makes`); `Generator.expression` picks one.
"""

from collections import defaultdict
from dataclasses import dataclass, replace

from .. import literals
from ..scope import Scope
from ..tree import Node
from ..types import BOOLEAN, DATE, DECIMAL, DOUBLE, INTEGER, PLAIN, TEXT, TIMESTAMP, Column
from ..values import value

ROW, AGGREGATE, WINDOW = "row", "aggregate", "window"
PRODUCERS = {place: defaultdict(list) for place in (ROW, AGGREGATE, WINDOW)}
CONSTANTS = {
    INTEGER: "BIGINT", DECIMAL: "DECIMAL(5,2)", DOUBLE: "DOUBLE PRECISION", TEXT: "VARCHAR",
    BOOLEAN: "BOOLEAN", DATE: "DATE", TIMESTAMP: "TIMESTAMP",
}


def makes(family, weight=1, place=ROW):
    """Registers a function that makes expressions of a family."""

    def register(producer):
        PRODUCERS[place][family].append((weight, producer))
        return producer

    return register


class Names:
    """Aliases that no other part of the statement has."""

    def __init__(self):
        self.counts = defaultdict(int)

    def new(self, prefix):
        self.counts[prefix] += 1
        return f"{prefix}{self.counts[prefix]}"


@dataclass(frozen=True)
class Generator:
    random: object
    world: dict
    names: Names
    scope: Scope
    depth: int = 3
    grouped: "Generator | None" = None  # The rows that aggregates run over.
    windows: bool = False
    queries: bool = True  # Subqueries are allowed here.
    ctes: tuple = ()  # Of pairs (name, columns).

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, *choices):
        return self.random.choice(choices)

    def down(self, steps=1):
        return replace(self, depth=self.depth - steps)

    def within(self, scope, **more):
        return replace(self, scope=scope, **more)

    def family(self):
        return self.random.choice(PLAIN)

    def known_family(self):
        """A family of which something can be named here, if there is one."""
        known = [family for family in PLAIN if family in self.scope.families()]
        return self.random.choice(known) if known and self.chance(0.8) else self.family()

    def expression(self, family):
        if self.depth <= 0 or self.chance(0.15):
            return self.leaf(family)
        choices = list(PRODUCERS[ROW][family])
        if self.grouped is not None:
            choices += [(weight * 4, one) for weight, one in PRODUCERS[AGGREGATE][family]]
        if self.windows:
            choices += [(weight * 4, one) for weight, one in PRODUCERS[WINDOW][family]]
        for _ in range(4):
            producer = self.random.choices([one for _, one in choices], [weight for weight, _ in choices])[0]
            made = producer(self.down())
            if made is not None:
                return made if made.tag else replace(made, tag=producer.__name__)
        return self.leaf(family)

    def aggregate(self, family):
        """An expression with an aggregate at its top."""
        choices = PRODUCERS[AGGREGATE][family]
        for _ in range(4):
            producer = self.random.choices([one for _, one in choices], [weight for weight, _ in choices])[0]
            made = producer(self.down())
            if made is not None:
                return made if made.tag else replace(made, tag=producer.__name__)
        return None

    def leaf(self, family):
        outer = self.scope.outer(family)
        if outer and self.chance(0.3):
            return replace(self.random.choice(outer).node, tag="correlated")
        own = self.scope.of(family)
        if own and self.chance(0.88 if len(own) > 1 else 0.65):
            return self.random.choice(own).node
        if family == BOOLEAN and not self.chance(0.1):
            return self.simple_condition()
        return self.constant(family)

    def simple_condition(self):
        """A condition where nothing deeper may stand: TRUE and FALSE alone would ask little."""
        own = [leaf.node for leaf in self.scope.leaves if leaf.node.type in CONSTANTS and leaf.node.type != BOOLEAN]
        if not own:
            return self.constant(BOOLEAN)
        node = self.random.choice(own)
        if self.chance(0.2):
            return expression(BOOLEAN, "(", node, self.pick(" IS NULL", " IS NOT NULL"), ")", tag="is_null")
        other = self.leaf(node.type)
        if other == node:
            other = self.constant(node.type)
        return expression(BOOLEAN, "(", node, self.pick(" = ", " <> ", " < ", " >= "), other, ")", tag="comparison")

    def column(self, family):
        """A column of this query, or None."""
        own = self.scope.of(family)
        return self.random.choice(own).node if own else None

    def constant(self, family):
        if self.chance(0.08):
            return Node("expression", (literals.null(family),), family, "null")
        if family == INTEGER and self.chance(0.8):
            return self.number()
        sql = CONSTANTS[family]
        drawn = value(self.random, Column("", family, sql), edge=self.chance(0.05))
        if family == DECIMAL and self.chance(0.04):
            return Node("expression", (self.pick("12345678901234567890123", "0.1", "99999999999999999999.5"),), family)
        if family == DECIMAL and self.chance(0.5):
            return Node("expression", (f"{drawn:f}" if drawn >= 0 else f"({drawn:f})",), family)
        if isinstance(drawn, str):
            drawn = drawn.replace("\n", " ").replace("\\", "/")[:20]
        return Node("expression", (literals.plain(drawn, sql),), family)

    def number(self):
        drawn = self.pick(0, 1, 1, 2, 2, 3, 4, 5, 7, 12, -1, -2)
        return Node("expression", (str(drawn) if drawn >= 0 else f"({drawn})",), INTEGER)


def expression(family, *parts, tag="", forms=()):
    return Node("expression", parts, family, tag, forms)


def cast(node, sql, family):
    return expression(family, "CAST(", node, f" AS {sql})", tag=f"cast_{node.type}_to_{family}")


def infix(g, family, left, operator, right):
    """Two operands with an operator, mostly in parentheses: precedence is to be tested, too."""
    if g.chance(0.12):
        return expression(family, left, operator, right, tag="precedence")
    return expression(family, "(", left, operator, right, ")")
