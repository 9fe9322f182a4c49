"""EXPLAIN HINTS: is the right rule found, does VERIFY confirm it, what does `auto` gain, what do hints cost?

The queries are those of tests/hints, over a lake of LAKESH_HINT_ROWS rows, and the 22 of TPC-H. Each lake
is made once; `auto` applies what VERIFY has left in its catalog. `hints.py confirm` and `hints.py tpch` run
one of the two.
"""

import csv
import io
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import peers

ROWS = int(os.environ.get("LAKESH_HINT_ROWS", 2_000_000))
ROUNDS = int(os.environ.get("LAKESH_BENCH_ROUNDS", 5))
CORPUS = Path(__file__).parents[1] / "hints"
TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")


def ask(catalog, folder, sql, *arguments):
    """Runs SQL and returns its last result as rows of text, and the seconds that it took."""
    command = [*peers.lakesh("--catalog", str(catalog), "--format", "csv").command, *arguments, "-c", sql]
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=peers.environment(), capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        raise SystemExit(f"{sql[:300]}\n{done.stderr[:2000]}")
    return list(csv.DictReader(io.StringIO(done.stdout))), seconds


def lake():
    folder = peers.FOLDER / f"hints-{ROWS}"
    catalog = folder / "catalog"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        ask(catalog, folder, (CORPUS / "lake.sql").read_text().replace(":rows", str(ROWS)))
        (folder / "complete").touch()
    return folder, catalog


def slow_queries():
    for block in (CORPUS / "slow.sql").read_text().split("\n\n")[1:]:
        rule, query = block.strip().removeprefix("-- ").split("\n", 1)
        yield rule, query.rstrip(";\n")


def confirm():
    """Counts the slow queries whose rule is first or second, and those of which VERIFY confirms it."""
    folder, catalog = lake()
    found = early = confirmed = 0
    for rule, query in slow_queries():
        found += 1
        hints, seconds = ask(catalog, folder, f"EXPLAIN HINTS VERIFY {query}")
        place = next((place for place, hint in enumerate(hints, 1) if hint["rule"] == rule), None)
        hint = hints[place - 1] if place else {}
        early += place in (1, 2)
        gained = float(hint.get("speedup") or 0)
        is_confirmed = hint.get("same_result") == "true" and gained >= 1.3
        confirmed += is_confirmed
        verdict = hint.get("verdict") or "no remedy"
        print(f"{rule:28} place {place}  {gained:6.2f} times as fast  {verdict}  ({seconds:.1f} s)  {'' if is_confirmed else query[:110]}", flush=True)
    print(f"{early} of {found} rules first or second; {confirmed} of {found} confirmed at 1.3 and more", flush=True)
    disturbed = 0
    for query in (CORPUS / "healthy.sql").read_text().splitlines()[2:]:
        loud = [hint for hint in ask(catalog, folder, f"EXPLAIN HINTS {query.rstrip(';')}")[0] if hint["severity"] != "info"]
        disturbed += bool(loud)
        for hint in loud:
            print(f"not healthy: {query}: {hint['rule']}: {hint['finding']}")
    print(f"{disturbed} healthy queries with a hint above info", flush=True)


def tpch():
    """Returns a new catalog of the TPC-H tables, and the queries."""
    data = peers.tpch(1)
    catalog = peers.FOLDER / "hints-tpch-catalog"
    script = "\n".join(f"CREATE OR REPLACE EXTERNAL TABLE {table} STORED AS PARQUET LOCATION '{data / table}.parquet';" for table in TABLES)
    ask(catalog, peers.FOLDER, script)
    return catalog, sorted((Path(__file__).parent / "queries").glob("q*.sql"))


def paired(catalog, sql, one, other):
    """Runs a query with two settings in turn, each first in every other round; returns the medians of each,
    and of the ratios of the pairs."""
    times = {one: [], other: []}
    for round_number in range(ROUNDS + 1):
        for mode in (one, other) if round_number % 2 else (other, one):
            seconds = ask(catalog, peers.FOLDER, f"SET lakesh.hints = '{mode}'; {sql}")[1]
            if round_number > 0:
                times[mode].append(seconds)
    ratios = [second / first for first, second in zip(times[one], times[other])]
    return statistics.median(times[one]), statistics.median(times[other]), statistics.median(ratios)


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def auto_and_costs():
    catalog, queries = tpch()
    gains, costs, planning = [], [], []
    before = after = 0
    for path in queries:
        sql = path.read_text().strip().rstrip(";")
        explain = statistics.median(ask(catalog, peers.FOLDER, f"EXPLAIN {sql}")[1] for _ in range(ROUNDS))
        hinted = statistics.median(ask(catalog, peers.FOLDER, f"EXPLAIN HINTS {sql}")[1] for _ in range(ROUNDS))
        planning.append(hinted - explain)
        costs.append(paired(catalog, sql, "off", "notice")[2])
        hints = ask(catalog, peers.FOLDER, f"EXPLAIN HINTS VERIFY {sql}")[0]
        confirmed = [f"{hint['rule']} {hint['speedup']}" for hint in hints if (hint["verdict"] or "").startswith("confirmed")]
        off, auto, ratio = paired(catalog, sql, "off", "auto")
        gains.append(1 / ratio)
        before += off
        after += auto
        print(f"{path.stem}  off {off * 1000:6.0f} ms  auto {auto * 1000:6.0f} ms ({1 / ratio:.2f})  notice costs {costs[-1]:.3f}  EXPLAIN HINTS {planning[-1] * 1000:5.1f} ms more than EXPLAIN  confirmed: {', '.join(confirmed) or 'nothing'}", flush=True)
    print(f"auto: {before:.2f} s become {after:.2f} s; the slowest became {1 / min(gains):.2f} times as slow")
    print(f"notice: {mean(costs):.3f} times as long (geometric mean)")
    print(f"EXPLAIN HINTS: at most {max(planning) * 1000:.1f} ms more than EXPLAIN")


parts = {"confirm": confirm, "tpch": auto_and_costs}
for part in sys.argv[1:] or parts:
    parts[part]()
