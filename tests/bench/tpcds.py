"""The 99 queries of TPC-DS on Parquet beside DuckDB: the same rows, and the ratio of the times.

The queries are not here: LAKESH_TPCDS_QUERIES names a folder of `*.sql`, such as DuckDB's `extension/tpcds/dsdgen/queries`.
LAKESH_TPCDS_SCALE is the scale factor, 1 by default. Rows are compared whatever their order, since many queries sort by
less than all of it; their values as `tpch` compares them.
"""

import csv
import math
import os
import sys
from pathlib import Path

import peers

ROUNDS = int(os.environ.get("LAKESH_BENCH_ROUNDS", "3"))

folder = os.environ.get("LAKESH_TPCDS_QUERIES")
if folder is None:
    sys.exit("LAKESH_TPCDS_QUERIES names no folder of queries")
queries = sorted(Path(folder).glob("*.sql"))
data = peers.tpcds(int(os.environ.get("LAKESH_TPCDS_SCALE", "1")))
views = " ".join(f"create view {path.stem} as select * from '{path}';" for path in sorted(data.glob("*.parquet")))


def value(text):
    """A number as such, so that 1.50 and 1.5 are one; NULL and an empty text are one in a CSV file."""
    try:
        return float(text)
    except ValueError:
        return text


def rows(command):
    """Returns a result as rows of values, or None where there is none."""
    output = peers.FOLDER / "answer.csv"
    if peers.run(command, output=str(output)).status != 0:
        return None
    with open(output, newline="") as answer:
        return [[value(text) for text in row] for row in csv.reader(answer)][1:]


def order(row):
    """Sorts rows of which numbers may differ in their last digits."""
    return [(isinstance(one, float), round(one, 1) if isinstance(one, float) else 0.0, "" if isinstance(one, float) else one) for one in row]


def close(one, other):
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-6, abs_tol=0.01)
    return one == other


def same(left, right):
    if left is None or right is None or len(left) != len(right):
        return False
    pairs = zip(sorted(left, key=order), sorted(right, key=order))
    return all(len(one) == len(other) and all(map(close, one, other)) for one, other in pairs)


ratios, different = [], []
for query in queries:
    sql = query.read_text()
    commands = {
        "lakesh": [*peers.lakesh("--catalog", ":memory:").command, "-q", "--format", "csv", "-c", views + sql],
        "duckdb": [*peers.duckdb().command, "-csv", "-c", views + sql],
    }
    if not same(rows(commands["lakesh"]), rows(commands["duckdb"])):
        different.append(query.stem)
    medians = {name: peers.median(found) for name, found in peers.in_turn(commands, ROUNDS).items()}
    ratios.append(medians["lakesh"] / medians["duckdb"])
    line = "  ".join(f"{name} {seconds * 1000:6.0f} ms" for name, seconds in medians.items())
    print(f"{query.stem}  {line}{'  DIFFERENT ROWS' if query.stem in different else ''}", flush=True)
if ratios:
    print(f"lakesh / duckdb, geometric mean: {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}")
print(f"{len(queries)} queries, {len(different)} with other rows: {' '.join(different)}")
sys.exit(1 if different else 0)
