"""Compares validation functions with pandas, scipy and numpy: features_validation.py FOLDER.

The folder holds events.parquet and validation.parquet with what lakesh computed, one row a group.
"""

import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy import stats

from answer import give
from features_compare import Comparison

folder = Path(sys.argv[1])
comparison = Comparison()
KINDS = ("plain", "offset", "spike", "constant", "ties", "odd")


def number(value):
    return None if value is None or (isinstance(value, float) and math.isnan(value)) else float(value)


def shapes(values):
    """Skewness and kurtosis of a sample and of a population, NULL where they are not defined."""
    n = len(values)
    if any(not math.isfinite(value) for value in values):
        return [math.nan if n >= least else None for least in (3, 4, 1, 1)]
    # An offset changes nothing, but references lose digits on it.
    values = np.array(values) - (values[0] if values else 0.0)
    varied = n > 0 and np.ptp(values) > 0
    return [
        float(stats.skew(values, bias=False)) if varied and n >= 3 else None,
        float(stats.kurtosis(values, bias=False)) if varied and n >= 4 else None,
        float(stats.skew(values)) if varied else None,
        float(stats.kurtosis(values)) if varied else None,
    ]


def quantile(values, share):
    if not values:
        return None
    if any(math.isnan(value) for value in values):
        return math.nan
    return float(np.quantile(values, share, method="inverted_cdf"))


events = pq.read_table(folder / "events.parquet").to_pylist()
for found in pq.read_table(folder / "validation.parquet").to_pylist():
    rows = [row for row in events if row["grp"] == found["grp"]]
    for kind in KINDS:

        def check(name, expected, tolerance=1e-9, scale=None):
            comparison.column(f"{name}({kind}) of {found['grp']}", [found[f"{name}_{kind}"]], [expected], tolerance, scale)

        every = [row[kind] for row in rows]
        values = [value for value in every if value is not None]
        repeated = [row[kind] for row in rows for _ in range(row["w"] or 0)]
        present = [value for value in repeated if value is not None]
        missing = lambda column: sum(value is None or math.isnan(value) for value in column)
        check("missing", missing(every) / len(every))
        check("missing_w", missing(repeated) / len(repeated) if repeated else None)
        distinct = lambda column: len({"nan" if math.isnan(value) else value + 0.0 for value in column})
        check("constant", distinct(values) <= 1)
        check("constant_w", distinct(present) <= 1 if repeated else None)
        for name, expected in zip(("skewness", "kurtosis", "skewness_pop", "kurtosis_pop"), shapes(values)):
            check(name, expected, 1e-7, [1.0])
        for name, expected in zip(("skewness_w", "kurtosis_w"), shapes(present)):
            check(name, expected, 1e-7, [1.0])
        finite = all(math.isfinite(value) for value in present)
        with np.errstate(all="ignore"):
            check("mean_w", (math.fsum(present) / len(present) if finite else float(np.sum(present))) if present else None)
        if finite:
            centred = np.array(present) - (present[0] if present else 0.0)
            check("std_w", float(np.std(centred, ddof=1)) if len(present) > 1 else None, 1e-7)
        else:
            check("std_w", math.nan if len(present) > 1 else None)
        check("quantile_w", quantile(present, 0.3))
    plain = pd.Series([row["plain"] for row in rows], dtype=float)
    if plain.count() > 3:
        comparison.column("skew as in pandas", [found["skewness_plain"]], [number(plain.skew())], 1e-9)
        comparison.column("kurt as in pandas", [found["kurtosis_plain"]], [number(plain.kurt())], 1e-9)
    # Fractions of weights.
    pairs = [(row["plain"], row["share"]) for row in rows if row["plain"] is not None]
    values, weights = np.array([one for one, _ in pairs]), np.array([one for _, one in pairs])
    comparison.column("fractions", [found["mean_share"]], [float(np.average(values, weights=weights)) if len(pairs) else None], 1e-9)
give({"problems": comparison.problems, "compared": comparison.compared})
