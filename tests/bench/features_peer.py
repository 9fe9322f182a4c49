"""Computes feature functions with Polars or pandas: features_peer.py LIBRARY PARQUET ROWS FUNCTION…

Prints the sums of the columns as JSON.
"""

import json
import os
import sys

library, path, width, *names = sys.argv[1:]
width = int(width)


def with_polars():
    os.environ["POLARS_MAX_THREADS"] = "2"
    import polars as pl

    value, place = pl.col("value"), pl.int_range(pl.len()).cast(pl.Float64)
    rolling = {"window_size": width, "min_samples": 1}
    calls = {
        "delta": value.diff(),
        "pct_change": value.pct_change(),
        "momentum": value - value.rolling_mean(**rolling),
        "volatility": value.rolling_std(window_size=width, min_samples=2),
        "trend_slope": pl.rolling_cov(value, place, window_size=width, min_samples=2) / place.rolling_var(window_size=width, min_samples=2),
        "rolling_rank": value.rolling_rank(method="min", **rolling),
        "minmax_range": value.rolling_max(**rolling) - value.rolling_min(**rolling),
    }
    frame = pl.scan_parquet(path).select("grp", "ts", "value").sort("grp", "ts")
    frame = frame.select(calls[name].over("grp").alias(name) for name in names)
    return list(frame.sum().collect().row(0))


def with_pandas():
    import pandas as pd

    frame = pd.read_parquet(path, columns=["grp", "ts", "value"]).sort_values(["grp", "ts"], ignore_index=True)
    groups = frame.groupby("grp", sort=False)
    value = frame["value"]

    def rolled(function, column="value", least=1, **more):
        rolling = frame.groupby("grp", sort=False)[column].rolling(width, min_periods=least)
        return getattr(rolling, function)(**more).reset_index(drop=True)

    def slope():
        frame["place"] = groups.cumcount().astype(float)
        frame["product"] = frame["place"] * value
        frame["square"] = frame["place"] ** 2
        mean = {column: rolled("mean", column, 2) for column in ("value", "place", "product", "square")}
        return (mean["product"] - mean["value"] * mean["place"]) / (mean["square"] - mean["place"] ** 2)

    calls = {
        "delta": lambda: groups["value"].diff(),
        "pct_change": lambda: groups["value"].pct_change(fill_method=None),
        "momentum": lambda: value - rolled("mean"),
        "volatility": lambda: rolled("std", least=2),
        "trend_slope": slope,
        "rolling_rank": lambda: rolled("rank", method="min"),
        "minmax_range": lambda: rolled("max") - rolled("min"),
    }
    return [float(calls[name]().sum()) for name in names]


print(json.dumps(with_polars() if library == "polars" else with_pandas()))
