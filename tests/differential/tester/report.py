"""Counts what was asked and prints it: kinds first, with one example each, then the reasons of refusals."""

import json
from collections import Counter, defaultdict

from .answers import Refused
from .findings import places, reason
from .judge import CRASHED, OPEN, REFUSED, RIGHT, WRONG
from .tree import LAKESH, write

VERDICTS = (RIGHT, WRONG, REFUSED, CRASHED)


def refusal(judgement):
    """The reason for which the first shape refused, if any did."""
    messages = [one.answer.message for one in judgement.asked if one.verdict == REFUSED and isinstance(one.answer, Refused)]
    return reason(messages[0]) if messages else None


class Report:
    def __init__(self):
        self.questions = Counter()  # (kind, verdict)
        self.shapes = Counter()  # (shape, verdict)
        self.settings = Counter()
        self.unknown = Counter()
        self.refusals = Counter()
        self.examples = {}
        self.findings = []

    def add(self, judgement, seed):
        question = judgement.question
        self.questions[question.kind, judgement.verdict] += 1
        for one in judgement.asked:
            (self.settings if one.setting.values else self.shapes)[one.setting.name if one.setting.values else one.shape.name, one.verdict] += 1
        if getattr(judgement.truth, "reason", "") and question.kind != "logic":
            self.unknown[reason(judgement.truth.reason)] += 1
        key = refusal(judgement)
        if key is not None:
            self.refusals[key] += 1
            if key not in self.examples:
                self.explain(judgement, seed)

    def is_new(self, judgement):
        """Is this the first refusal for its reason?"""
        return self.refusals[refusal(judgement)] == 1

    def explain(self, judgement, seed):
        """Keeps a question as the example of its refusal, with the places where it is refused."""
        text = write(judgement.question.tree, LAKESH, lambda name: name)
        self.examples[refusal(judgement)] = {"example": text, "seed": seed, "shapes": list(places(judgement, REFUSED))}

    def count(self, verdict):
        return sum(number for (_, one), number in self.questions.items() if one == verdict)

    def failed(self):
        return self.count(WRONG) + self.count(CRASHED) > 0

    def summary(self):
        asked = sum(self.questions.values())
        parts = ", ".join(f"{self.count(verdict)} {verdict}" for verdict in VERDICTS)
        return f"{asked} asked, {parts} ({self.count(OPEN)} without an oracle's truth or an answer)"

    def table(self, counts):
        names = sorted({name for name, _ in counts})
        lines = [f"  {'':20} {'right':>7} {'wrong':>7} {'refused':>8} {'crashed':>8}"]
        for name in names:
            lines.append(f"  {name:20} {counts[name, RIGHT]:7} {counts[name, WRONG]:7} {counts[name, REFUSED]:8} {counts[name, CRASHED]:8}")
        return "\n".join(lines)

    def kinds(self):
        grouped = defaultdict(list)
        for finding in self.findings:
            grouped[finding.verdict, finding.kind()].append(finding)
        return sorted(grouped.items(), key=lambda item: -len(item[1]))

    def text(self):
        lines = []
        for (verdict, kind), findings in self.kinds():
            one = min(findings, key=lambda finding: len(finding.sql()))
            lines += [f"{verdict} {len(findings)}: {kind}", f"  {one.sql()}", f"  right: {one.right()}", f"  ours:  {one.ours()}", f"  for:   {', '.join(one.shapes)}"]
        if self.refusals:
            lines.append("refused, with the number of questions:")
            for message, number in self.refusals.most_common(30):
                lines += [f"  {number:5} {message}", f"        {self.examples[message]['example'][:300]}"]
        lines += ["by shape:", self.table(self.shapes), "by setting:", self.table(self.settings), "by kind of question:", self.table(self.questions)]
        return "\n".join([*lines, self.summary()])

    def save(self, path):
        kinds = [
            {"verdict": verdict, "kind": kind, "count": len(findings), "examples": [
                {"sql": one.sql(), "right": one.right(), "ours": one.ours(), "shapes": list(one.shapes), "seed": one.seed,
                 "rows": {table.name: table.select("lakesh") for table in one.tables}} for one in findings]}
            for (verdict, kind), findings in self.kinds()
        ]
        counts = lambda counter: {f"{name} {verdict}": number for (name, verdict), number in sorted(counter.items())}
        content = {
            "summary": self.summary(), "questions": counts(self.questions), "shapes": counts(self.shapes), "settings": counts(self.settings),
            "kinds": kinds, "refusals": [{"reason": key, "count": number, **self.examples[key]} for key, number in self.refusals.most_common()],
            "without_truth": dict(self.unknown.most_common()),
        }
        with open(path, "w", encoding="utf-8") as out:
            json.dump(content, out, indent=1, ensure_ascii=False)
