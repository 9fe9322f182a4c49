"""Feature functions over 10 million rows from Parquet: whole queries, programs in turn, two threads.

LAKESH_BENCH_ROWS sets another number of rows. Each query sums its columns up, so that no program spends
its time on output; sums that differ from lakesh's are pointed out. Names as arguments run only these:
`features.py all encoder`.
"""

import importlib.util
import json
import math
import os
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import peers

ROWS = int(os.environ.get("LAKESH_BENCH_ROWS", 10_000_000))
ROUNDS = int(os.environ.get("LAKESH_BENCH_ROUNDS", 3))
WORKER = Path(__file__).with_name("features_peer.py")


def events():
    """Makes the table, in the order of time as logs are."""
    path = peers.FOLDER / f"features-{ROWS}.parquet"
    if not path.exists():
        random = np.random.default_rng(7)
        path.parent.mkdir(parents=True, exist_ok=True)
        seconds = np.sort(random.integers(1_700_000_000, 1_730_000_000, ROWS))
        # No two rows of a group at one time: the order is total.
        times = seconds * 1_000_000 + np.arange(ROWS) % 1_000_000
        table = pa.table(
            {
                "grp": pa.array(random.integers(0, max(1, ROWS // 1000), ROWS)),
                "ts": pa.array(times, pa.timestamp("us")),
                "value": pa.array(random.normal(100, 25, ROWS)),
                "category": pa.array(random.integers(0, 1000, ROWS)).cast(pa.string()),
                "target": pa.array(random.integers(0, 2, ROWS) * 1.0),
                "weight": pa.array(random.random(ROWS)),
            }
        )
        pq.write_table(table, path, row_group_size=1_000_000)
    return path


def lakesh_calls(width):
    frame = f"over (partition by grp order by ts rows between {width - 1} preceding and current row)"
    return {
        "delta": f"delta(value) {frame}",
        "pct_change": f"pct_change(value) {frame}",
        "momentum": f"momentum(value) {frame}",
        "volatility": f"volatility(value) {frame}",
        "trend_slope": f"trend_slope(value) {frame}",
        "rolling_rank": f"rolling_rank(value, 'min') {frame}",
        "minmax_range": f"minmax_range(value) {frame}",
    }


def duckdb_calls(width):
    order = "over (partition by grp order by ts)"
    frame = f"over (partition by grp order by ts rows between {width - 1} preceding and current row)"
    return {
        "delta": f"value - lag(value) {order}",
        "pct_change": f"value / lag(value) {order} - 1",
        "momentum": f"value - avg(value) {frame}",
        "volatility": f"stddev_samp(value) {frame}",
        # Of a single row it gives NaN, which would spoil the sum.
        "trend_slope": f"nullif(regr_slope(value, place) {frame}, 'nan')",
        "rolling_rank": f"rank(order by value) {frame}",
        "minmax_range": f"max(value) {frame} - min(value) {frame}",
    }


def sums(calls, source):
    inner = ", ".join(f"{call} as {name}" for name, call in calls.items())
    outer = ", ".join(f"sum({name}) as {name}" for name in calls)
    return f"select {outer} from (select {inner} from {source})"


def commands(names, width, path):
    """Returns the command of each program that computes these functions."""
    ours = {name: call for name, call in lakesh_calls(width).items() if name in names}
    theirs = {name: call for name, call in duckdb_calls(width).items() if name in names}
    source = f"'{path}'"
    if "trend_slope" in names:
        source = f"(select *, row_number() over (partition by grp order by ts) as place from '{path}')"
    found = {
        "lakesh": [*peers.lakesh("--threads", "2", "--format", "csv").command, "-c", sums(ours, f"'{path}'")],
        "duckdb": [*peers.duckdb().command, "-csv", "-c", "set threads = 2; " + sums(theirs, source)],
    }
    for library in ("polars", "pandas"):
        if importlib.util.find_spec(library):
            found[library] = [sys.executable, str(WORKER), library, str(path), str(width), *names]
    return found


def answer(command):
    """Runs a program once more and returns its sums in the order of the functions."""
    output = peers.FOLDER / "features-answer"
    if peers.run(command, output=str(output)).status != 0:
        return None
    text = output.read_text().strip().splitlines()
    values = json.loads(text[-1]) if text[-1].startswith("[") else text[-1].split(",")
    return [float(value) for value in values]


def compare(title, names, width, path):
    programs = commands(names, width, path)
    runs = peers.in_turn(programs, ROUNDS)
    seconds = {name: peers.median(found) for name, found in runs.items()}
    ours = answer(programs["lakesh"])
    notes = []
    for name, command in programs.items():
        if peers.failed(runs[name]):
            notes.append(f"{name} FAILED")
        elif name != "lakesh":
            theirs = answer(command)
            if theirs is None or not all(math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-3 * ROWS**0.5) for one, other in zip(ours, theirs)):
                notes.append(f"{name} DIFFERS {theirs} from {ours}")
    times = "  ".join(f"{name} {found:6.2f} s" for name, found in seconds.items())
    ratios = "  ".join(f"{seconds['lakesh'] / found:.2f} of {name}" for name, found in seconds.items() if name != "lakesh")
    print(f"{title:24} {times}   lakesh takes {ratios}  {'; '.join(notes)}", flush=True)
    return seconds["lakesh"]


def beyond_scan():
    """Prints the nanoseconds a row that an encoder costs beyond reading the column that it encodes."""
    catalog = peers.FOLDER / f"features-catalog-{ROWS}"
    make = f"create or replace encoder te as select target_encoder(category, target, smooth => 20) as category_te from '{path}'"
    assert peers.run([*peers.lakesh("--catalog", str(catalog)).command, "-c", make]).status == 0
    ask = [*peers.lakesh("--catalog", str(catalog), "--threads", "1", "--format", "csv").command, "-c"]
    runs = peers.in_turn(
        {
            "encoded": [*ask, f"select sum(apply_encoder('te', 'category_te', category)) from '{path}'"],
            "read": [*ask, f"select count(category) from (select category from '{path}' where category <> '')"],
        },
        ROUNDS,
    )
    cost = peers.median(runs["encoded"]) - peers.median(runs["read"])
    print(f"apply_encoder            {cost / ROWS * 1e9:.1f} ns a row beyond the scan, in one thread", flush=True)


def profiles():
    """Compares feature_profile with DuckDB's SUMMARIZE."""
    runs = peers.in_turn(
        {
            "lakesh": [*peers.lakesh("--threads", "2", "--format", "csv").command, "-c", f"select * from feature_profile('{path}')"],
            "duckdb": [*peers.duckdb().command, "-csv", "-c", f"set threads = 2; summarize select * from '{path}'"],
        },
        ROUNDS,
    )
    ours, theirs = (peers.median(runs[name]) for name in ("lakesh", "duckdb"))
    peak = peers.median(runs["lakesh"], "peak")
    print(f"feature_profile          lakesh {ours:.2f} s ({peak:.0f} MB)  duckdb's SUMMARIZE {theirs:.2f} s   lakesh takes {ours / theirs:.2f}", flush=True)


def function(name):
    """Compares one function over narrow and over wide frames."""
    narrow = compare(f"{name}, 7 rows", [name], 7, path)
    if name not in ("delta", "pct_change"):
        wide = compare(f"{name}, 1000 rows", [name], 1000, path)
        print(f"{'':24} frames of 1000 rows take {wide / narrow:.2f} times as long", flush=True)


path = events()
every = list(lakesh_calls(7))
cases = {name: lambda name=name: function(name) for name in every} | {
    "all": lambda: compare("all, 7 rows", every, 7, path),
    "encoder": beyond_scan,
    "profile": profiles,
}
for case in sys.argv[1:] or cases:
    cases[case]()
