"""Writes a finding as a folder: case.sql or case.sh, expect.txt with the right rows, source.txt with where it came from."""

import json
import os
from decimal import Decimal

from .answers import Rows
from .grammar.logic import pieces
from .tree import LAKESH, tables_of, tags, write


def statements(finding):
    """The statements that ask the question, in the shape in which it went wrong."""
    shape, question = finding.shape, finding.question

    def spelled(tree, plain=()):
        return write(tree, LAKESH, lambda name: name if name in plain else shape.relation.format(name=name))

    lines = [f"SET TIME ZONE '{finding.zone}';"] if any("zone" in tag for tag in tags(question.tree)) else []
    lines += [f"SET {name} = {value};" for name, value in finding.setting.values]
    if question.kind == "logic":
        return lines + [spelled(piece) + ";" for piece in pieces(question.tree)]
    if question.kind == "change":
        columns = ", ".join(str(place + 1) for place in range(len(finding.table(question.target).columns)))
        return [*lines, spelled(question.tree, (question.target,)) + ";", f"SELECT * FROM {question.target} ORDER BY {columns};"]
    return [*lines, spelled(question.tree) + ";"]


def steps(finding):
    tables = [table for table in finding.tables if table.name in tables_of(finding.question.tree)]
    return [step for table in tables for step in finding.shape.steps(table, table.name)]


def script(finding):
    """The text of the case, and the name of its file."""
    made = steps(finding)
    asked = statements(finding)
    if all(step.language == "sql" for step in made):
        return "case.sql", "\n".join([*(step.text + ";" for step in made), *asked]) + "\n"
    lines = []
    for step in made:
        if step.language == "python":
            lines.append(f"$PY - <<'END'\n{step.text.rstrip()}\nEND")
        else:
            lines.append(f"$L <<'END'\n{step.text};\nEND")
    lines.append("$L <<'END'\n" + "\n".join(asked) + "\nEND")
    return "case.sh", "\n".join(lines) + "\n"


def expected(finding):
    if not isinstance(finding.truth, Rows):
        return ""
    rows = finding.truth.rows
    if finding.question.kind == "change":
        rows = sorted(rows, key=lambda row: list(map(sort_key, row)))
    names = finding.truth.names
    return "".join("{" + ",".join(f"{json.dumps(name)}:{cell_text(cell)}" for name, cell in zip(names, row)) + "}\n" for row in rows)


def sort_key(cell):
    """NULL last, as ORDER BY has it; lists and structs as text."""
    if cell is None:
        return (1, "")
    if isinstance(cell, tuple):
        cell = cell[1] if len(cell) == 2 and cell[0] in ("b", "t") else repr(cell)
    return (0, str(cell) if not isinstance(cell, (Decimal, float)) else cell)


def cell_text(cell):
    if cell is None:
        return "null"
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    if isinstance(cell, float):
        return repr(cell)
    if isinstance(cell, tuple) and cell and cell[0] == "b":
        return "true" if cell[1] else "false"
    if isinstance(cell, tuple) and cell and cell[0] == "t":
        return json.dumps(cell[1].replace(" ", "T"))
    if isinstance(cell, tuple):
        return "[" + ",".join(map(cell_text, cell)) + "]"
    return json.dumps(cell, ensure_ascii=False)


def save(finding, folder):
    os.makedirs(folder, exist_ok=True)
    name, text = script(finding)
    for file, content in ((name, text), ("expect.txt", expected(finding)), ("source.txt", finding.source())):
        with open(os.path.join(folder, file), "w", encoding="utf-8") as out:
            out.write(content)
