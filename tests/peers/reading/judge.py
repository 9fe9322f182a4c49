"""Asks lakesh of one file and compares."""

import json
import os
from dataclasses import dataclass, field

import pyarrow as pa

from . import questions, values
from .lake import INTERNAL
from .peers import PEERS

# From the best to the worst.
VERDICTS = ("right", "refused by all", "unsure", "refused", "unclear", "wrong", "crashed")


@dataclass
class Finding:
    """What is wrong with one answer."""

    verdict: str
    question: str
    text: str


@dataclass
class Report:
    """A file and what was found."""

    name: str
    peers: dict = field(default_factory=dict)
    asked: int = 0
    findings: list = field(default_factory=list)

    @property
    def verdict(self):
        """The worst of its answers."""
        return max((found.verdict for found in self.findings), key=VERDICTS.index, default="right")


def judge(lake, reader, path, name):
    """Reads one file with everybody."""
    report = Report(name)
    table = _tables(report, reader, path)
    source = f"{reader}('{path}')"
    copied = lake.folder / "copied.arrow"
    copied.unlink(missing_ok=True)
    whole = questions.whole(source, copied)
    answers = lake.answers([question.sql for question in whole])
    for question, answer in zip(whole, answers):
        _judge(report, question, answer, os.path.basename(path), table)
    described, counted, shown, copy = answers
    if table is not None and copy.state == "done":
        _compare_rows(report, copied, table, counted, shown)
    elif counted.state == "done" and shown.state == "done":
        rows = json.loads(counted.lines[0])["n"]
        if rows != len(shown.lines):
            report.findings.append(Finding("wrong", "rows", f"count(*) is {rows}, but there are {len(shown.lines)} rows"))
    if described.state == "done":
        names = [json.loads(line)["column_name"] for line in described.lines]
        asked = list(questions.of_columns(source, names, table))
        for question, answer in zip(asked, lake.answers([question.sql for question in asked])):
            _judge(report, question, answer, os.path.basename(path), table)
    return report


def _tables(report, reader, path):
    """What the first peer that can read the file says it holds; peers that disagree are noted."""
    believed = None
    for peer, read in PEERS[reader]:
        try:
            table = read(path)
            table.validate(full=True)
            rows = values.rows(table)
        except (Exception, SystemError) as error:  # Whatever a peer raises, it did not read the file.
            report.peers[peer] = str(error).splitlines()[0][:90] if str(error) else type(error).__name__
            continue
        report.peers[peer] = "reads it"
        if believed is None:
            believed = table
        elif difference := values.first_difference(rows, values.rows(believed)):
            report.peers[peer] = f"disagrees: {difference}"
    return believed


def _judge(report, question, answer, file, table):
    report.asked += 1
    if answer.state in ("dead", "hung", "greedy"):
        report.findings.append(Finding("crashed", question.sql, f"{answer.state}: {answer.error}"))
    elif answer.state == "failed":
        _judge_message(report, question, answer, file, table)
    elif isinstance(question.expected, int) and len(answer.lines) != question.expected:
        text = f"{len(answer.lines)} rows instead of {question.expected}"
        report.findings.append(Finding("wrong", question.sql, text))
    elif isinstance(question.expected, dict) and json.loads(answer.lines[0]) != question.expected:
        text = f"{answer.lines[0]} instead of {json.dumps(question.expected)}"
        report.findings.append(Finding("wrong", question.sql, text))


def _judge_message(report, question, answer, file, table):
    """A message has to name the file, or be the planner's about the statement, and hold nothing internal."""
    said = answer.error.splitlines()[0] if answer.error else ""
    inside = [word for word in INTERNAL if word in answer.error]
    unsupported = question.name in ("min and max", "bounds", "between") or question.name.startswith("=")
    if inside or (file not in said and not unsupported):
        report.findings.append(Finding("unclear", question.sql, said or "no message at all"))
    elif table is None:
        report.findings.append(Finding("refused by all", question.sql, said))
    elif question.name == "min and max" and file not in said:
        # Not every type has an order.
        return
    else:
        report.findings.append(Finding("refused", question.sql, said))


def _compare_rows(report, copied, table, counted, shown):
    try:
        with pa.OSFile(str(copied)) as source:
            ours = values.rows(pa.ipc.open_file(source).read_all())
    except Exception as error:
        report.findings.append(Finding("wrong", "copy", f"the copy cannot be read: {error}"))
        return
    difference = values.first_difference(ours, values.rows(table))
    if difference:
        disputed = any(text.startswith("disagrees") for text in report.peers.values())
        report.findings.append(Finding("unsure" if disputed else "wrong", "copy", difference))
    for question, answer, rows in (("count", counted, _number(counted)), ("rows", shown, len(shown.lines))):
        if answer.state == "done" and rows != table.num_rows:
            report.findings.append(Finding("wrong", question, f"{rows} rows instead of {table.num_rows}"))


def _number(counted):
    return json.loads(counted.lines[0])["n"] if counted.lines else None
