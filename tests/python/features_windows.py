"""Compares window functions with pandas, scipy and exact arithmetic: features_windows.py FOLDER.

The folder holds events.parquet and, for each frame of n rows, windows_n.parquet with what lakesh computed
in the order of (grp, id).
"""

import math
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy import stats
from sklearn.model_selection import PredefinedSplit
from sklearn.preprocessing import TargetEncoder

from answer import give
from features_compare import Comparison, rational, root

folder = Path(sys.argv[1])
comparison = Comparison()
KINDS = ("plain", "offset", "spike", "constant", "ties", "odd")


def ordered(table):
    rows = table.to_pylist()
    return sorted(rows, key=lambda row: ("" if row["grp"] is None else "~" + row["grp"], row["id"]))


def groups(rows):
    found = {}
    for row in rows:
        found.setdefault(row["grp"], []).append(row)
    return found.values()


def frames(rows, width):
    """Yields each row with its frame."""
    for group in groups(rows):
        for place in range(len(group)):
            yield group[place], group[max(0, place + 1 - width) : place + 1]


def mean(values):
    """The mean of numbers of which some may not be finite."""
    if any(not math.isfinite(value) for value in values):
        return float(np.sum([value for value in values if not math.isfinite(value)]))
    return sum(rational(values)) / len(values)


def momentum(row, frame, kind, ratio=False):
    if row[kind] is None:
        return None
    average = mean([one[kind] for one in frame if one[kind] is not None])
    if isinstance(average, float):
        with np.errstate(all="ignore"):
            return float(np.float64(row[kind]) / average - 1 if ratio else np.float64(row[kind]) - average)
    if not math.isfinite(row[kind]):
        return row[kind]
    if ratio:
        return float(Fraction(row[kind]) / average - 1) if average != 0 else None
    return float(Fraction(row[kind]) - average)


def volatility(frame, kind, relative=False):
    values = [one[kind] for one in frame if one[kind] is not None]
    if len(values) < 2:
        return None
    if any(not math.isfinite(value) for value in values):
        return math.nan
    values = rational(values)
    average = sum(values) / len(values)
    deviation = root(sum((value - average) ** 2 for value in values) / (len(values) - 1))
    if relative:
        return deviation / float(average) if average != 0 else None
    return deviation


def slope(points):
    """The slope of least squares, exactly, and the size of the terms that cancel in it."""
    if len(points) < 2:
        return None, 0.0
    strays = any(not math.isfinite(value) for _, value in points)
    times = [Fraction(at) for at, _ in points]
    middle = sum(times) / len(times)
    spread = sum((at - middle) ** 2 for at in times)
    if spread == 0:
        return None, 0.0
    if strays:
        return math.nan, 0.0
    values = rational([value for _, value in points])
    average = sum(values) / len(values)
    products = sum((at - middle) * (value - average) for at, value in zip(times, values))
    size = root(sum((value - average) ** 2 for value in values) / spread)
    return float(products / spread), size


def key(value):
    """NaN is the largest value, and equals itself."""
    return (1, 0.0) if isinstance(value, float) and math.isnan(value) else (0, value)


def rank(row, frame, kind, method, share):
    if row[kind] is None:
        return None
    keys = [key(one[kind]) for one in frame if one[kind] is not None]
    own = key(row[kind])
    below, equal = sum(one < own for one in keys), sum(one == own for one in keys)
    found = {"average": below + (equal + 1) / 2, "min": below + 1, "max": below + equal, "dense": len({one for one in keys if one < own}) + 1}[method]
    return found / len(keys) if share else float(found)


def spread(frame, kind):
    values = [one[kind] for one in frame if one[kind] is not None]
    if not values:
        return None
    if any(isinstance(value, float) and math.isnan(value) for value in values):
        return math.nan
    return 0.0 if min(values) == max(values) else max(values) - min(values)


def check_exactly(rows, found, width):
    for kind in KINDS:
        pairs = list(frames(rows, width))

        def check(name, expected, tolerance=1e-9, scale=None):
            comparison.column(f"{name}({kind}), frame of {width}", [row[f"{name}_{kind}"] for row in found], expected, tolerance, scale)

        sizes = [max((abs(one[kind]) for one in frame if one[kind] is not None and math.isfinite(one[kind])), default=0.0) for _, frame in pairs]
        check("momentum", [momentum(row, frame, kind) for row, frame in pairs], scale=sizes)
        check("ratio", [momentum(row, frame, kind, True) for row, frame in pairs], scale=[1.0] * len(pairs))
        check("volatility", [volatility(frame, kind) for _, frame in pairs], 1e-7)
        check("cv", [volatility(frame, kind, True) for _, frame in pairs], 1e-7)
        slopes = []
        for group in groups(rows):
            for place in range(len(group)):
                begin = max(0, place + 1 - width)
                slopes.append(slope([(at, group[at][kind]) for at in range(begin, place + 1) if group[at][kind] is not None]))
        check("slope", [one for one, _ in slopes], 1e-7, [size for _, size in slopes])
        day = 86_400_000_000
        epoch = pd.Timestamp(0)
        timed = [
            slope([(Fraction((one["ts"] - epoch) // pd.Timedelta(microseconds=1), day), one[kind]) for one in frame if one["ts"] is not None and one[kind] is not None])
            for _, frame in pairs
        ]
        check("timed", [one for one, _ in timed], 1e-7, [size for _, size in timed])
        check("range", [spread(frame, kind) for _, frame in pairs])
        for method, share in (("average", False), ("min", True), ("max", False), ("dense", False)):
            check(f"rank_{method}", [rank(row, frame, kind, method, share) for row, frame in pairs])


def none(series):
    return [None if pd.isna(value) else value for value in series]


def check_pandas(rows, found, width):
    """What pandas computes right: finite numbers of ordinary size."""
    frame = pd.DataFrame(rows)
    frame["grp"] = frame["grp"].fillna("NULL")
    grouped = frame.groupby("grp", sort=False)

    def rolling(kind):
        return frame.groupby("grp", sort=False)[kind].rolling(width, min_periods=1)

    def check(name, expected, tolerance=1e-9, scale=None):
        comparison.column(f"{name} as in pandas, frame of {width}", [row[name] for row in found], none(expected), tolerance, scale)

    plain = pd.to_numeric(frame["plain"])
    frame["plain"] = plain
    rolled = lambda function, **more: getattr(rolling("plain"), function)(**more).droplevel(0).reindex(frame.index)
    check("momentum_plain", plain - rolled("mean"), scale=[100.0] * len(frame))
    check("volatility_plain", rolled("std").where(rolled("count") > 1), 1e-7)
    check("range_plain", (rolled("max") - rolled("min")))
    for method in ("average", "min", "max"):
        check(f"rank_{method}_plain", rolled("rank", method=method, pct=method == "min").where(plain.notna()))
    check("delta_plain", grouped["plain"].diff(1))
    check("delta3_plain", grouped["plain"].diff(3))
    change = grouped["plain"].pct_change(2, fill_method=None)
    check("change_plain", change.where(np.isfinite(change)))
    whole = [row["whole"] for row in rows]
    before = [None if value is None else int(value) for value in frame.groupby("grp", sort=False)["whole"].shift(1).astype(object).where(lambda column: column.notna(), None)]
    check("delta_whole", pd.Series([None if one is None or other is None else one - other for one, other in zip(whole, before)], dtype=object))


def check_scipy(rows, found, width):
    for number, (row, frame) in enumerate(frames(rows, width)):
        values = [one["plain"] for one in frame if one["plain"] is not None]
        places = [place for place, one in enumerate(frame) if one["plain"] is not None]
        if len(values) < 2 or number % 7:
            continue
        comparison.column("linregress", [found[number]["slope_plain"]], [float(stats.linregress(places, values).slope)], 1e-7)
        comparison.column("variation", [found[number]["cv_plain"]], [float(stats.variation(values, ddof=1))], 1e-7)


def check_targets(rows, found):
    known = [row for row in rows if row["y"] is not None]
    cities = np.array([["∅" if row["city"] is None else row["city"]] for row in known], dtype=object)
    folds = np.array([row["fold"] for row in known])
    targets = np.array([row["y"] for row in known])
    encoder = TargetEncoder(target_type="continuous", smooth=7.0, cv=PredefinedSplit(folds))
    expected = encoder.fit_transform(cities, targets)[:, 0]
    encoded = [one["oof"] for one, row in zip(found, rows) if row["y"] is not None]
    comparison.column("target_encode_oof", encoded, expected)
    by_id = sorted(zip(rows, found), key=lambda pair: pair[0]["id"])
    seen = {}
    expected = []
    for row, _ in by_id:
        total, count = seen.get(row["city"], (0.0, 0))
        expected.append((total + 2.0 * 0.3) / (count + 2.0))
        if row["y"] is not None:
            seen[row["city"]] = (total + row["y"], count + 1)
    comparison.column("target_encode_ordered", [one["ordered"] for _, one in by_id], expected)


rows = ordered(pq.read_table(folder / "events.parquet"))
for width in (1, 2, 7, 60):
    found = ordered(pq.read_table(folder / f"windows_{width}.parquet"))
    check_exactly(rows, found, width)
    check_pandas(rows, found, width)
    check_scipy(rows, found, width)
    check_targets(rows, found)
give({"problems": comparison.problems, "compared": comparison.compared})
