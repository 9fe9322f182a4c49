"""Makes a question smaller while lakesh's answer stays wrong: clauses, items, expressions, rows and columns go.

The oracles judge each attempt. One that means nothing is refused by them and so is no smaller question.
"""

import time
from dataclasses import replace

from .answers import Crashed, Refused
from .findings import reason
from .judge import WRONG
from .oracles import Unknown
from .settings import USUAL
from .shapes import named
from .tree import Many, Node, Table, replaced, size, tables_of, walk
from .types import BOOLEAN, DATE, DECIMAL, DOUBLE, INTEGER, TEXT, TIMESTAMP

# Seconds for an answer: a question that has none is asked often here.
PATIENCE = 5.0
# All of them are made by SQL alone.
SIMPLE_SHAPES = ("delta", "partitioned", "parquet")
CONSTANTS = {
    INTEGER: ["1", "CAST(NULL AS BIGINT)"], DECIMAL: ["CAST('1.50' AS DECIMAL(9,2))"], DOUBLE: ["CAST(1.5 AS DOUBLE PRECISION)"], TEXT: ["'a'", "CAST(NULL AS VARCHAR)"],
    BOOLEAN: ["TRUE", "FALSE", "CAST(NULL AS BOOLEAN)"], DATE: ["DATE '2024-03-01'"], TIMESTAMP: ["TIMESTAMP '2024-03-01 00:00:00'"],
}


class Shrinker:
    """Shrinks one question, as it was asked of one shape with one setting."""

    def __init__(self, judge, tables, asked, seconds=60.0):
        self.judge, self.tables = judge, {table.name: table for table in tables}
        self.verdict, self.reason = asked.verdict, said(asked)
        self.ways = [(asked.shape, asked.setting)]
        if asked.beside is not None:
            self.ways.insert(0, (asked.beside.shape, asked.beside.setting))
        self.limit = time.monotonic() + seconds
        self.tries = 0

    def late(self):
        return time.monotonic() > self.limit

    def still(self, question):
        """Is this question answered as wrongly as the first one was?"""
        self.tries += 1
        truth = self.judge.truth(question) if question.kind != "logic" and len(self.ways) == 1 else None
        if isinstance(truth, Unknown):
            return None
        judgement = self.judge.judge(question, self.ways)
        return judgement if judgement.verdict == self.verdict and said(judgement.worst()) == self.reason else None

    def shrink(self, question):
        """The smallest question found, with its judgement and the tables that it needs."""
        shell = self.judge.lake.shell
        patience, shell.timeout = shell.timeout, PATIENCE
        try:
            return self.smallest(question)
        finally:
            shell.timeout = patience

    def smallest(self, question):
        if not self.simplest_way(question):
            return None  # It depended on something that is gone, such as what a cache held.
        question = self.smaller(question)
        self.keep_tables(question)
        self.fewer_rows(question)
        self.fewer_columns(question)
        question = self.smaller(question)
        self.load()
        question = self.with_order(question)
        judgement = self.still(question)
        return judgement and (judgement, list(self.tables.values()))

    def simplest_way(self, question):
        """Asks it of the shapes that are easiest to read in a case, and goes back to the first one if they are right."""
        if len(self.ways) == 1 and self.verdict == WRONG:
            first = self.ways
            for shape in named(SIMPLE_SHAPES):
                self.ways = [(shape, USUAL)]
                if question.kind != "change" or shape.changeable:
                    self.load()
                    if self.still(question) is not None:
                        return True
            self.ways = first
        self.load()
        return self.still(question) is not None

    def load(self):
        shapes = {shape.name: shape for shape, _ in self.ways}
        self.judge.load(list(self.tables.values()), list(shapes.values()))

    def smaller(self, question):
        """Goes through the tree from its top until nothing can go any more."""
        found = True
        while found and not self.late():
            found = False
            for tree in candidates(question.tree):
                if self.late():
                    break
                attempt = replace(question, tree=tree)
                if self.still(attempt) is not None:
                    question, found = attempt, True
                    break
        return question

    def with_order(self, question):
        """The same in an order, so that the case can be compared line by line, if that leaves it wrong."""
        judgement = self.still(question)
        rows = getattr(judgement and judgement.truth, "rows", [])
        if question.kind != "select" or question.ordered or len(rows) < 2:
            return question
        places = ", ".join(str(place + 1) for place in range(len(rows[0])))
        ordered = replace(question, tree=Node("query", (question.tree, f" ORDER BY {places}")), ordered=True)
        return ordered if self.still(ordered) is not None else question

    def keep_tables(self, question):
        needed = tables_of(question.tree)
        self.tables = {name: table for name, table in self.tables.items() if name in needed}

    def fewer_rows(self, question):
        for name in list(self.tables):
            step = max(1, len(self.tables[name].rows) // 2)
            while step >= 1 and not self.late():
                start = 0
                while start < len(self.tables[name].rows) and not self.late():
                    rows = self.tables[name].rows
                    if not self.attempt(question, self.tables[name].with_rows(rows[:start] + rows[start + step :])):
                        start += step
                step //= 2

    def fewer_columns(self, question):
        for name in list(self.tables):
            for column in reversed(self.tables[name].columns):
                table = self.tables[name]
                if len(table.columns) > 1 and column.name not in (table.partition, "k") and not self.late():
                    self.attempt(question, table.without_column(column.name))

    def attempt(self, question, table):
        before = self.tables[table.name]
        self.tables[table.name] = table
        self.load()
        if self.still(question) is not None:
            return True
        self.tables[table.name] = before
        return False


def said(asked):
    """Why a question was refused or crashed, since another reason is another finding."""
    return reason(asked.answer.message)[:60] if isinstance(asked.answer, (Refused, Crashed)) else None


def candidates(tree):
    """Smaller trees, those first from which most is gone."""
    whole, tables = size(tree), tables_of(tree)
    found = []
    for path, part in walk(tree):
        for smaller in fewer_items(part) if isinstance(part, Many) else simpler(part, tables):
            candidate = replaced(tree, path, smaller)
            if size(candidate) < whole:
                found.append(candidate)
    return sorted(found, key=size)


def fewer_items(part):
    if part.minimum == 0 and part.items:
        yield replace(part, items=())
    if len(part.items) > max(part.minimum, 1):
        for place in range(len(part.items)):
            yield replace(part, items=part.items[:place] + part.items[place + 1 :])


def simpler(node, tables):
    """A query may become a query in it, an expression one of its type in it or a constant, a join one of its sides or a table."""
    if node.sort in ("query", "relation", "expression"):
        for path, inner in walk(node):
            if path and isinstance(inner, Node) and same_sort(node, inner):
                yield inner
    if node.sort == "relation":
        for table in tables:
            yield Node("relation", (Table(table), " AS r0"))
    if node.sort == "expression":
        for text in CONSTANTS.get(node.type, ()):
            yield Node("expression", (text,), node.type)


def same_sort(node, inner):
    if node.sort == "expression":
        return inner.sort in ("expression", "column") and inner.type == node.type
    return inner.sort == node.sort
