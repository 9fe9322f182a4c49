"""Draws the questions of a seed, kind by kind."""

# The producers register themselves when they are imported.
from .grammar import aggregates, choices, conditions, numbers, subqueries, texts, times, windows, zones  # noqa: F401
from .grammar.changes import change
from .grammar.large import large
from .grammar import logic as three
from .grammar.queries import query
from .judge import Question


def select(random, world):
    made = query(random, world)
    return Question("select", made.node, ordered=made.ordered)


def changed(random, world):
    made = change(random, world)
    return Question("change", made.node, target=made.target)


def logic(random, world):
    return Question("logic", three.logic(random, world))


# Each kind with its share of the questions.
KINDS = {"select": (select, 6), "change": (changed, 2), "logic": (logic, 1)}


# Questions over the large table; one for so many of the others, since they take long.
MEMORY, MEMORY_SHARE = "memory", 50


def memory(random):
    return Question(MEMORY, large(random))


def draw(random, world, kinds):
    kind = random.choices(kinds, [KINDS[kind][1] for kind in kinds])[0]
    return KINDS[kind][0](random, world)
