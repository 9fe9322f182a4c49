"""What exists for every family: CASE, COALESCE, NULLIF, GREATEST, LEAST and casts to the type that a value has."""

from ..tree import Node, many, nothing, optional
from ..types import BOOLEAN, DATE, DECIMAL, DOUBLE, INTEGER, SQL, TEXT, TIMESTAMP
from .generator import cast, expression, makes

FAMILIES = (INTEGER, DECIMAL, DOUBLE, TEXT, BOOLEAN, DATE, TIMESTAMP)


def for_each_family(weight):
    """Registers a producer that takes the family as its second argument."""

    def register(producer):
        for family in FAMILIES:

            def one(g, family=family):
                return producer(g, family)

            one.__name__ = producer.__name__
            makes(family, weight)(one)
        return producer

    return register


@for_each_family(2)
def case_searched(g, family):
    branches = [Node("branch", (" WHEN ", g.expression(BOOLEAN), " THEN ", g.expression(family))) for _ in range(g.pick(1, 1, 2))]
    otherwise = optional(" ELSE ", g.expression(family)) if g.chance(0.7) else nothing()
    return expression(family, "CASE", many(branches, ""), otherwise, " END")


@for_each_family(1)
def case_simple(g, family):
    subject = g.known_family()
    branches = [Node("branch", (" WHEN ", g.expression(subject), " THEN ", g.expression(family))) for _ in range(g.pick(1, 2))]
    otherwise = optional(" ELSE ", g.expression(family)) if g.chance(0.7) else nothing()
    return expression(family, "CASE ", g.expression(subject), many(branches, ""), otherwise, " END")


@for_each_family(2)
def coalesce(g, family):
    return expression(family, "COALESCE(", many([g.expression(family) for _ in range(g.pick(2, 2, 3))]), ")")


@for_each_family(1)
def nullif(g, family):
    return expression(family, "NULLIF(", g.expression(family), ", ", g.expression(family), ")")


@for_each_family(1)
def greatest(g, family):
    if family == BOOLEAN:
        return None
    name = g.pick("greatest", "least")
    return expression(family, f"{name}(", many([g.expression(family) for _ in range(g.pick(2, 3))]), ")", tag=name)


@for_each_family(1)
def cast_to_itself(g, family):
    return cast(g.expression(family), SQL[family], family)
