"""What was found: a question with a wrong answer, and the kind that it is guessed to be."""

import re
from dataclasses import dataclass

from .answers import Rows
from .case_folder import statements
from .judge import Pieces
from .tree import tags

# Tags of things that are in most questions and explain little where others are there too.
COMMON = {"comparison", "logic", "is_null", "negated", "null", "cast", "join", "cross_join", "count", "correlated", "join_equality", "precedence", "star", "with", "cte", "derived"}


@dataclass
class Finding:
    verdict: str
    question: object
    tables: list
    shape: object
    setting: object
    truth: object
    answer: object
    seed: str
    zone: str
    shrunk: bool = False
    shapes: tuple = ()  # All shapes and settings that are wrong in the same way.

    @classmethod
    def of(cls, judgement, tables, seed, zone, shrunk=False):
        worst = judgement.worst()
        wrong = places(judgement, judgement.verdict)
        return cls(judgement.verdict, judgement.question, tables, worst.shape, worst.setting, judgement.truth, worst.answer, seed, zone, shrunk, wrong)

    def table(self, name):
        return next(table for table in self.tables if table.name == name)

    def kind(self):
        """Which features the question uses: the smaller it is, the more that says."""
        found = tags(self.question.tree)
        telling = sorted(found - COMMON) or sorted(found) or ["plain"]
        setting = [self.setting.name] if self.setting.values else []
        return " + ".join([self.question.kind, *telling[: 4 if self.shrunk else 3], *setting])

    def sql(self):
        return " ".join(statements(self))

    def right(self):
        return rows_text(self.truth) if isinstance(self.truth, Rows) else "the answers have to be alike"

    def ours(self):
        if isinstance(self.answer, Pieces):
            return f"{rows_text(self.answer.together)} of {rows_text(self.answer.whole)}"
        return rows_text(self.answer) if isinstance(self.answer, Rows) else self.answer.message

    def source(self):
        return f"Found by tests/differential, seed {self.seed}: {self.kind()}.\nWrong for: {', '.join(self.shapes)}.\nOurs: {self.ours()}\n"


def places(judgement, verdict):
    """The shapes and settings of the answers of one verdict."""
    return tuple(f"{one.shape.name}" + (f"+{one.setting.name}" if one.setting.values else "") for one in judgement.asked if one.verdict == verdict)


def rows_text(answer, most=8):
    shown = ", ".join("(" + ", ".join(map(cell_text, row)) + ")" for row in answer.rows[:most])
    return f"{len(answer.rows)} rows: {shown}" + (", …" if len(answer.rows) > most else "")


def cell_text(cell):
    if isinstance(cell, tuple) and len(cell) == 2 and cell[0] in ("b", "t"):
        return str(cell[1])
    return "NULL" if cell is None else repr(cell) if isinstance(cell, str) else str(cell)


def reason(message):
    """A refusal without its names and numbers, so that equal ones can be counted."""
    message = message.split("\n")[0]
    if not message.startswith(("function", "expected")):  # There the names are what matters.
        message = re.sub(r"`[^`]*`|\"[^\"]*\"|'[^']*'", "_", message)
    return re.sub(r"\d+", "_", message)[:120]
