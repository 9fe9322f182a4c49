"""Writes labels and features and joins them as pandas and DuckDB do."""

import sys
from pathlib import Path

import duckdb
import numpy
import pandas
import pyarrow
import pyarrow.parquet

from answer import give

folder, seed = Path(sys.argv[1]), int(Path(sys.argv[2]).name)
random = numpy.random.default_rng(seed)


def rows(count, name, unique):
    keys = [["a", "b", "ü", "", None][place] for place in random.integers(0, 5, count)]
    times = [None if random.random() < 0.03 else int(t) for t in random.integers(0, 400, count)]
    frame = pandas.DataFrame({"k": keys, "g": random.integers(0, 2, count), "t": times})
    if unique:
        frame = frame.drop_duplicates(["k", "g", "t"])
    frame[name] = numpy.arange(len(frame))
    schema = pyarrow.schema(
        {"k": pyarrow.string(), "g": pyarrow.int64(), "t": pyarrow.int64(), name: pyarrow.int64()}
    )
    frame["t"] = frame["t"].astype("Int64")
    return pyarrow.Table.from_pandas(frame, schema, preserve_index=False)


labels, features = rows(3000, "id", False), rows(1500, "f", True)
pyarrow.parquet.write_table(labels, folder / "labels.parquet", row_group_size=500)
pyarrow.parquet.write_table(features, folder / "features.parquet", row_group_size=200)


def merged(direction, exact):
    left, right = (
        table.to_pandas().dropna(subset=["t", "k"]).astype({"t": "int64"}).sort_values("t", kind="stable")
        for table in (labels, features)
    )
    joined = pandas.merge_asof(
        left, right, on="t", by=["k", "g"], direction=direction, allow_exact_matches=exact
    )
    found = dict(zip(joined["id"], joined["f"]))
    return [
        None if found.get(number) is None or found[number] != found[number] else int(found[number])
        for number in range(labels.num_rows)
    ]


def duck(operator, left):
    rows = duckdb.sql(
        f"SELECT l.id, r.f FROM labels l ASOF {left} JOIN features r "
        f"ON l.k = r.k AND l.g = r.g AND l.t {operator} r.t ORDER BY l.id"
    ).fetchall()
    return [list(row) for row in rows]


give(
    {
        ">=": merged("backward", True),
        ">": merged("backward", False),
        "<=": merged("forward", True),
        "<": merged("forward", False),
        "left": duck(">=", "LEFT"),
        "inner": duck(">", ""),
        "forward": duck("<", ""),
    }
)
