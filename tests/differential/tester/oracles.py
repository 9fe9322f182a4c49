"""The truth about a question: what PostgreSQL and DuckDB both say, or DuckDB alone where there is no PostgreSQL."""

from dataclasses import dataclass

from .answers import Refused, Rows
from .compare import common_kinds, same_rows
from .tree import tags, write

# Where DuckDB alone is asked, its answers to these are no truth: it sees NULL as a value in row values, and more.
DIALECT = {"row_comparison", "row_in_list", "row_in_subquery", "regr_count", "round", "integer_division"}


@dataclass
class Unknown:
    """No truth, and why: an oracle refused, or they disagree."""

    reason: str


class Oracles:
    def __init__(self, engines):
        self.engines = engines

    def load(self, tables):
        for engine in self.engines:
            engine.load(tables)

    def set_zone(self, zone):
        for engine in self.engines:
            engine.set_zone(zone)

    def query(self, tree, ordered):
        if len(self.engines) == 1 and tags(tree) & DIALECT:
            return Unknown("DuckDB alone is no truth about this")
        return self.common([engine.ask(text(tree, engine)) for engine in self.engines], ordered)

    def change(self, tree, target):
        return self.common([engine.change(text(tree, engine), target) for engine in self.engines], False)

    def common(self, answers, ordered):
        for engine, answer in zip(self.engines, answers):
            if isinstance(answer, Refused):
                return Unknown(f"{engine.name}: {answer.message}")
        first, *others = answers
        kinds = first.kinds
        for other in others:
            kinds = common_kinds(first, other)
            if kinds is None or not same_rows(first.rows, other.rows, kinds, ordered):
                return Unknown("the oracles disagree")
        return Rows(first.rows, kinds, first.names)

    def stop(self):
        for engine in self.engines:
            engine.stop()


def text(tree, engine):
    return write(tree, engine.name, lambda name: name)
