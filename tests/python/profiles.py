"""Writes two tables and gives their profiles and drifts as pandas, scipy and a loop have them."""

import sys
from pathlib import Path

import numpy
import pandas
import pyarrow
import pyarrow.parquet
from scipy import stats

from answer import give

folder, seed = Path(sys.argv[1]), int(Path(sys.argv[2]).name)
random = numpy.random.default_rng(seed)


def rows(count, shift):
    x = random.normal(shift, 2, count)
    x[random.random(count) < 0.05] = numpy.nan
    return pyarrow.table(
        {
            "x": pyarrow.array([None if random.random() < 0.1 else v for v in x], pyarrow.float64()),
            "far": 1e15 + numpy.round(random.gamma(2, 50, count)),
            "n": random.choice([-3, 0, 0, 1, 7], count),
            "same": numpy.full(count, 4.5),
            "c": random.choice(["a", "b", "ü", ""], count, p=[0.5, 0.3, 0.1, 0.1]),
            "w": random.choice([0, 1, 2, 3], count),
        }
    )


reference, current = rows(3000, 0.0), rows(2000, 0.4)
pyarrow.parquet.write_table(reference, folder / "reference.parquet", row_group_size=500)
pyarrow.parquet.write_table(current, folder / "current.parquet")


def number(value):
    return None if value is None or value != value else float(value)


def profile(values, inverted=False):
    """Of a column as a list in which None is missing."""
    column = pandas.Series(values, dtype=float)
    constant = column.nunique() <= 1
    method = "inverted_cdf" if inverted else "linear"
    known = column.dropna().to_numpy()
    # Exact differences: numpy's own mean of numbers near 1e15 is off by more than the tolerance.
    near = known - known[0]
    return [
        float(len(column)),
        float(column.count()),
        number(column.isna().mean()),
        float(column.nunique()),
        number(column.mean()),
        number(near.std(ddof=1) if not constant else 0.0),
        *(number(numpy.quantile(known, q, method=method)) for q in (0.01, 0.25, 0.5, 0.75, 0.99)),
        None if constant else number(stats.skew(near, bias=False)),
        None if constant else number(stats.kurtosis(near, bias=False)),
        float((column == 0).sum()),
        float((column < 0).sum()),
    ]


NUMBERS = ["x", "far", "n", "same"]
repeated = reference.take(numpy.repeat(numpy.arange(reference.num_rows), reference["w"].to_numpy()))


def index(expected, actual):
    e, a = (numpy.maximum(numpy.array(shares), 1e-4) for shares in (expected, actual))
    return float(((a - e) * numpy.log(a / e)).sum())


def psi(name):
    e, a = (pandas.Series(table[name].to_pylist()) for table in (reference, current))
    if name == "c":
        groups = sorted(set(e))
        return index([(e == g).mean() for g in groups], [(a == g).mean() for g in groups])
    edges = numpy.unique(numpy.quantile(e.dropna(), numpy.linspace(0, 1, 11)))[1:-1]
    shares = []
    for column in (e, a):
        bins = numpy.searchsorted(edges, column.dropna(), side="right")
        counts = numpy.bincount(bins, minlength=len(edges) + 1)
        shares.append([*(counts / len(column)), column.isna().mean()])
    if shares[0][-1] == shares[1][-1] == 0:
        shares = [s[:-1] for s in shares]
    return index(*shares)


give(
    {
        "profile": [profile(reference[name].to_pylist()) for name in NUMBERS],
        "weighted": [profile(repeated[name].to_pylist(), True) for name in NUMBERS],
        "psi": [psi(name) for name in ["x", "far", "n", "same", "c"]],
        "rows": [reference.num_rows],
    }
)
