"""Writes tables with everything that feature functions may meet: features_data.py FOLDER."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from answer import give

folder = Path(sys.argv[1])
random = np.random.default_rng(20260401)


def column(kind, rows):
    """Returns values of a kind and where they are NULL."""
    values = random.normal(50, 20, rows)
    if kind == "offset":
        values = 1e15 + random.integers(-400, 400, rows) / 8
    elif kind == "spike":
        values = np.where(random.random(rows) < 0.03, 1e16, values)
    elif kind == "constant":
        values = np.full(rows, 0.1)
    elif kind == "ties":
        values = random.integers(0, 4, rows) * 1.0
        values[random.random(rows) < 0.1] = -0.0
    elif kind == "odd":
        picks = random.random(rows)
        values = np.where(picks < 0.03, np.nan, values)
        values = np.where((0.03 <= picks) & (picks < 0.05), np.inf, values)
        values = np.where((0.05 <= picks) & (picks < 0.07), -np.inf, values)
    return values, random.random(rows) < 0.12


def events():
    """One table for windows: groups of all sizes, one of them NULL, one of one row."""
    sizes = {"a": 400, "b": 37, "single": 1, None: 90, "ü": 250, "two": 2}
    groups = [name for name, size in sizes.items() for _ in range(size)]
    rows = len(groups)
    seconds = np.concatenate([np.sort(random.integers(0, size * 5000, size)) for size in sizes.values()])
    table = {
        "id": pa.array(np.arange(rows)),
        "grp": pa.array(groups, pa.string()),
        "ts": pa.array((1_700_000_000 + seconds) * 1_000_000, pa.timestamp("us"), mask=random.random(rows) < 0.05),
        "whole": pa.array(random.integers(-(2**40), 2**40, rows), pa.int64(), mask=random.random(rows) < 0.1),
        "city": pa.array(random.choice(["Paris", "Köln", "", "東京", "rare"], rows, p=[0.4, 0.3, 0.1, 0.19, 0.01]), mask=random.random(rows) < 0.05),
        "fold": pa.array(random.integers(0, 4, rows)),
        "y": pa.array(random.integers(0, 2, rows) * 1.0, mask=random.random(rows) < 0.05),
        "w": pa.array(random.integers(0, 5, rows), pa.int64(), mask=random.random(rows) < 0.1),
        "share": pa.array(random.random(rows) * 3),
    }
    for kind in ("plain", "offset", "spike", "constant", "ties", "odd"):
        values, missing = column(kind, rows)
        table[kind] = pa.array(values, pa.float64(), mask=missing)
    table = pa.table(table)
    # The order in the file is no order at all.
    return table.take(random.permutation(rows))


pq.write_table(events(), folder / "events.parquet", row_group_size=100)
give({})
