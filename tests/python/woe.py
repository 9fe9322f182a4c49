"""Writes a table and gives its weights of evidence by the published formula (Siddiqi, "Credit Risk
Scorecards", 2006): WoE = ln(share of non-events / share of events), IV = sum of (share of non-events -
share of events) * WoE; optbinning has the same sign, and 0 where a group has only the one or the other."""

import math
import sys
from pathlib import Path

import numpy
import pyarrow
import pyarrow.parquet

from answer import give

folder, seed = Path(sys.argv[1]), int(Path(sys.argv[2]).name)
random = numpy.random.default_rng(seed)
count = 4000
city = [["a", "b", "ü", "", None, "only", "none"][place] for place in random.integers(0, 7, count)]
chance = {"a": 0.1, "b": 0.4, "ü": 0.8, "": 0.5, None: 0.3, "only": 1.0, "none": 0.0}
y = [None if random.random() < 0.05 else int(random.random() < chance[c]) for c in city]
x = [None if random.random() < 0.1 else float(v) for v in random.normal(0, 3, count)]
w = random.choice([0, 1, 2, 5], count)
table = pyarrow.table({"city": city, "y": y, "x": x, "w": w})
pyarrow.parquet.write_table(table, folder / "events.parquet", row_group_size=700)


def woe(groups, weights):
    """One row a group, NULL last: the group, its weight, non-events, events, their rate, WoE and IV."""
    events, others = {}, {}
    for group, target, weight in zip(groups, y, weights):
        if target is None:
            continue
        events[group] = events.get(group, 0) + target * int(weight)
        others[group] = others.get(group, 0) + (1 - target) * int(weight)
    all_events, all_others = sum(events.values()), sum(others.values())
    rows = []
    for group in sorted(events, key=lambda group: (group is None, group if group is not None else 0)):
        event, other = events[group], others[group]
        total = event + other
        evidence = math.log((other / all_others) / (event / all_events)) if event and other else 0.0
        value = (other / all_others - event / all_events) * evidence
        rows.append([total, other, event, event / total if total else None, evidence, value])
    return rows


def bins(count):
    """Bins of the whole column by quantiles of type 7, left-closed; what is missing is a group."""
    known = numpy.array([v for v in x if v is not None])
    edges = numpy.unique(numpy.quantile(known, numpy.linspace(0, 1, count + 1)))[1:-1]
    return [None if v is None else int(numpy.searchsorted(edges, v, side="right")) for v in x]


ones = numpy.ones(count)
give({"city": woe(city, ones), "weighted": woe(city, w), "bins": woe(bins(5), ones)})
