"""Runs notebooks with the tools that people run them with: nbclient, nbconvert, Papermill."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill

import papermill_lakesh  # noqa: F401  (teaches Papermill how lakesh takes parameters)
from answer import give

tour = Path(sys.argv[1])
answer = {}


def notebook(name, *cells):
    book = nbformat.v4.new_notebook()
    book.metadata["kernelspec"] = {"name": "lakesh", "display_name": "x", "language": "sql"}
    for cell in cells:
        source, tags = cell if isinstance(cell, tuple) else (cell, [])
        book.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": tags}))
    nbformat.write(book, name)
    return name


def status(*words):
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE).returncode


good = notebook("good.ipynb", "create table made as select 5 as a", "select * from made")
bad = notebook("bad.ipynb", "select 1", "select no_column", "create table unmade as select 1 as a")

convert = ["nbconvert", "--to", "html", "--execute"]
answer["nbconvert"] = status(*convert, good)
answer["nbconvert_error"] = status(*convert, bad) != 0
answer["html"] = "lakesh-result" in Path("good.html").read_text()
shutil.copy(tour, "tour.ipynb")
answer["tour"] = status(*convert, "tour.ipynb")

parameters = notebook(
    "parameters.ipynb",
    ("\\param 'city=Ulm' factor=2 'day:date=2024-01-31'", ["parameters"]),
    "select $city as city, $factor * 21 as answer, $day as day, $quoted as quoted, $missing as missing",
)
papermill.execute_notebook(
    parameters,
    "executed.ipynb",
    parameters={"city": "O'Fallon", "factor": 2, "quoted": "a b\\c", "missing": None},
    progress_bar=False,
)
executed = nbformat.read("executed.ipynb", 4)
nbformat.validate(executed)
answer["papermill"] = [
    output["data"]["application/vnd.dataresource+json"]["data"]
    for cell in executed.cells
    for output in cell.outputs
    if "data" in output
]
answer["parameters"] = sorted(papermill.inspect_notebook(parameters))
try:
    papermill.execute_notebook(bad, "failed.ipynb", progress_bar=False)
    answer["papermill_error"] = "none"
except papermill.PapermillExecutionError as error:
    answer["papermill_error"] = error.ename
give(answer)
