"""The 22 queries of TPC-H at scale factor 1 on Parquet, a process a query, programs in turn."""

import csv
import math
from pathlib import Path

import peers

ROUNDS = 3
TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")

data = peers.tpch(1)
queries = sorted((Path(__file__).parent / "queries").glob("q*.sql"))
catalog = peers.FOLDER / "tpch-catalog"
script = "\n".join(f"CREATE OR REPLACE EXTERNAL TABLE {table} STORED AS PARQUET LOCATION '{data / table}.parquet';" for table in TABLES)
named = peers.run([*peers.lakesh("--catalog", str(catalog)).command, "-c", script])
assert named.status == 0
views = " ".join(f"create view {table} as select * from '{data / table}.parquet';" for table in TABLES)



def rows(command):
    """Returns a result as rows of text."""
    output = peers.FOLDER / "answer.csv"
    peers.run(command, output=str(output))
    with open(output, newline="") as answer:
        return list(csv.reader(answer))


def same(left, right):
    """Compares two results; programs give averages with different numbers of digits."""

    def close(one, other):
        try:
            return math.isclose(float(one), float(other), rel_tol=1e-6, abs_tol=0.01)
        except ValueError:
            return one == other

    pairs = zip(left[1:], right[1:])
    return len(left) == len(right) and all(len(one) == len(other) and all(map(close, one, other)) for one, other in pairs)


ratios = {}
totals = {}
for query in queries:
    sql = query.read_text()
    commands = {
        "lakesh": [*peers.lakesh("--catalog", str(catalog)).command, "--format", "csv", "-c", sql],
        "duckdb": [*peers.duckdb().command, "-csv", "-c", views + sql],
    }
    if peers.datafusion():
        external = script.replace("OR REPLACE ", "")
        commands["datafusion-cli"] = [*peers.datafusion().command, "--format", "csv", "-c", external, "-c", sql]
    runs = peers.in_turn(commands, ROUNDS)
    medians = {name: peers.median(found) for name, found in runs.items()}
    line = "  ".join(f"{name} {seconds * 1000:6.0f} ms" for name, seconds in medians.items())
    wrong = "" if same(rows(commands["lakesh"]), rows(commands["duckdb"])) else "  DIFFERENT ANSWERS"
    print(f"{query.stem}  {line}{'  FAILED' if any(map(peers.failed, runs.values())) else ''}{wrong}", flush=True)
    for name, seconds in medians.items():
        totals[name] = totals.get(name, 0) + seconds
        ratios.setdefault(name, []).append(medians["lakesh"] / seconds)
for name, found in ratios.items():
    mean = math.exp(sum(map(math.log, found)) / len(found))
    print(f"{name:15} {totals[name]:6.2f} s in all; lakesh takes {mean:.2f} times as long (geometric mean)")
