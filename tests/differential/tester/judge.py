"""Asks one question of everybody and says who is right.

With a truth each answer of lakesh's is compared with it. Without one all answers of lakesh's, by shape and by
setting, have to be alike.
"""

from dataclasses import dataclass, field

from .answers import Crashed, Refused, Rows
from .compare import agrees, alike
from .grammar.logic import pieces
from .oracles import Unknown
from .settings import LOW_MEMORY, SETTINGS, USUAL
from .tree import tables_of

RIGHT, WRONG, REFUSED, CRASHED, OPEN = "right", "wrong", "refused", "crashed", "open"
WORST = (CRASHED, WRONG, REFUSED, RIGHT, OPEN)


@dataclass(frozen=True)
class Question:
    """A statement: a query, a change of `target`, or a query whose three pieces check it (see grammar/logic.py)."""

    kind: str
    tree: object
    target: str | None = None
    ordered: bool = False


@dataclass
class Asked:
    """One answer of lakesh's and what it is worth."""

    shape: object
    setting: object
    answer: object
    verdict: str
    beside: object = None  # Where there is no truth: the shape and setting whose answer is another one.


@dataclass
class Judgement:
    question: Question
    truth: object
    asked: list = field(default_factory=list)

    @property
    def verdict(self):
        return min((one.verdict for one in self.asked), key=WORST.index, default=OPEN)

    def worst(self):
        return next((one for one in self.asked if one.verdict == self.verdict), None)


class Judge:
    def __init__(self, oracles, lake, random):
        self.oracles, self.lake, self.random = oracles, lake, random

    def load(self, tables, shapes=None):
        self.oracles.load(tables)
        self.lake.load(tables, shapes)

    def truth(self, question):
        if question.kind == "change":
            return self.oracles.change(question.tree, question.target)
        if question.kind == "logic":
            return Unknown("three pieces check the whole")
        return self.oracles.query(question.tree, question.ordered)

    def judge(self, question, ways=None):
        """Asks all shapes, or the pairs of shape and setting that are given."""
        judgement = Judgement(question, self.truth(question))
        for shape, setting in ways or self.ways(question):
            if self.lake.has(shape, tables_of(question.tree)):
                answer = self.answer(question, shape, setting)
                judgement.asked.append(Asked(shape, setting, answer, OPEN))
                if isinstance(answer, Crashed) and self.lake.shell.process is None:
                    break  # It hangs or ends the process: once is enough.
        weigh(judgement)
        return judgement

    def ways(self, question):
        """Every shape as it is, and a few settings on some of the shapes."""
        shapes = self.lake.shapes
        if question.kind == "change":
            shapes = [shape for shape in shapes if shape.changeable]
        if question.kind == "memory":
            return [(shape, setting) for shape in shapes for setting in (USUAL, *LOW_MEMORY)]
        few = self.random.sample(shapes, min(len(shapes), 3))
        if question.kind == "logic":
            return [(shape, self.random.choice((USUAL, *SETTINGS))) for shape in few]
        some = [(shape, setting) for shape, setting in zip(few, self.random.sample(SETTINGS, 3))]
        return [(shape, USUAL) for shape in shapes] + (some[:1] if question.kind == "change" else some)

    def answer(self, question, shape, setting):
        if question.kind == "change":
            return self.lake.change(question.tree, question.target, shape, setting)
        if question.kind == "logic":
            return self.put_together(question, shape, setting)
        return self.lake.ask(question.tree, shape, setting)

    def put_together(self, question, shape, setting):
        whole, *three = (self.lake.ask(piece, shape, setting) for piece in pieces(question.tree))
        bad = [answer for answer in (whole, *three) if not isinstance(answer, Rows)]
        return bad[0] if bad else Pieces(whole, Rows([row for piece in three for row in piece.rows]))


@dataclass
class Pieces:
    """All rows, and the rows of the three pieces together."""

    whole: Rows
    together: Rows


def weigh(judgement):
    known = isinstance(judgement.truth, Rows)
    reference = None
    for asked in judgement.asked:
        answer = asked.answer
        if isinstance(answer, Crashed):
            asked.verdict = CRASHED
        elif isinstance(answer, Refused):
            asked.verdict = REFUSED if known else OPEN
        elif isinstance(answer, Pieces):
            asked.verdict = RIGHT if alike(answer.whole, answer.together) else WRONG
        elif known:
            asked.verdict = RIGHT if agrees(judgement.truth, answer, judgement.question.ordered) else WRONG
        elif reference is None:
            reference, asked.verdict = asked, RIGHT
        else:
            asked.verdict = RIGHT if alike(reference.answer, answer) else WRONG
            asked.beside = reference
