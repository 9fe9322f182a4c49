"""Compares woe_table with the package optbinning: categories each for itself, weighted, and numbers in given bins.

No time is measured. optbinning brings solvers of half a gigabyte with it and is therefore no part of
`requirements.txt`: `pip install optbinning` into the environment first.
"""

import csv
import importlib.util
import io
import subprocess
import sys

import numpy
import pyarrow
import pyarrow.parquet

import peers

if importlib.util.find_spec("optbinning") is None:
    sys.exit(f"optbinning is missing: {sys.executable} -m pip install optbinning")
from optbinning import OptimalBinning

COLUMNS = {"count": "Count", "non_event": "Non-event", "event": "Event", "woe": "WoE", "iv": "IV"}
NAMES = numpy.array(["a", "b", "ü", "x y", "z"])
worst = 0.0


def ours(arguments):
    """Returns the rows of woe_table."""
    sql = f"select * from woe_table('./woe.parquet', {arguments}) order by 1"
    command = [*peers.lakesh("--format", "csv").command, "-c", sql]
    done = subprocess.run(command, cwd=peers.FOLDER, env=peers.environment(), capture_output=True, text=True, check=True)
    return list(csv.DictReader(io.StringIO(done.stdout)))


def compare(found, expected):
    global worst
    for name, column in COLUMNS.items():
        one, other = float(found[name]), float(expected[column])
        worst = max(worst, abs(one - other) / max(1.0, abs(other)))
        if abs(one - other) > 1e-9 * max(1.0, abs(other)):
            sys.exit(f"{name} of {found} is {other} in optbinning")


def table(binning):
    """Returns optbinning's rows of bins, without those for special and missing values and the sum."""
    rows = binning.binning_table.build()
    return rows[~rows["Bin"].astype(str).isin(["Special", "Missing", ""]) & (rows.index != "Totals")]


for seed in range(5):
    random = numpy.random.default_rng(seed)
    count = 5000
    city = NAMES[random.integers(0, len(NAMES), count)]
    chance = dict(zip(NAMES, [0.1, 0.4, 0.8, 0.5, 0.3]))
    y = (random.random(count) < numpy.array([chance[name] for name in city])).astype(int)
    x = random.normal(0, 3, count) + y
    weight = random.choice([1, 2, 5], count)
    pyarrow.parquet.write_table(pyarrow.table({"city": city, "y": y, "x": x, "w": weight}), peers.FOLDER / "woe.parquet")
    fixed = {"min_bin_size": None, "monotonic_trend": None}
    for weights, arguments in ((None, "'city', 'y'"), (weight, "'city', 'y', weight => 'w'")):
        splits = numpy.array([[name] for name in sorted(NAMES)], dtype=object)
        binning = OptimalBinning(dtype="categorical", user_splits=splits, user_splits_fixed=[True] * len(NAMES), **fixed)
        binning.fit(city, y, **({} if weights is None else {"sample_weight": weights}))
        expected = {row["Bin"][0]: row for _, row in table(binning).iterrows()}
        for found in ours(arguments):
            compare(found, expected[found["group"]])
    splits = numpy.quantile(x, [0.2, 0.4, 0.6, 0.8])
    binning = OptimalBinning(dtype="numerical", user_splits=splits, user_splits_fixed=[True] * 4, max_n_bins=5, **fixed)
    binning.fit(x, y)
    rows, expected = ours("'x', 'y', bins => 5"), table(binning)
    if len(rows) != len(expected):
        sys.exit(f"{len(rows)} bins, {len(expected)} in optbinning")
    for found, (_, row) in zip(rows, expected.iterrows()):
        compare(found, row)
print(f"woe_table and optbinning agree; the largest difference is {worst:.1e}")
