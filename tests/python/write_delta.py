"""Writes Delta tables with the `deltalake` package, and prints the rows that its own reader finds.

The rows are read back with pyarrow's dataset reader, which shares no code with lakesh.
"""

import datetime
import decimal
import sys
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake

from answer import give

folder = Path(sys.argv[1])


def text(value):
    """Returns a value as lakesh writes it to CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    if isinstance(value, str) and (value == "" or any(mark in value for mark in ',"\n')):
        return '"' + value.replace('"', '""') + '"'
    return str(value)


def rows(name, columns, **version):
    """Reads columns of a table, in the order of the first one."""
    dataset = DeltaTable(folder / name, **version).to_pyarrow_dataset()
    table = dataset.to_table(columns=columns).sort_by(columns[0])
    return [",".join(text(row[column]) for column in columns) for row in table.to_pylist()]


def partitions():
    values = ["plain", "with space", "a/b", "50%", "k=v", "Ünïcode 😀", "q'uote\"", "#?&+", None, "2024-01-01 00:00:00"]
    table = pa.table(
        {
            "id": pa.array(range(40), pa.int64()),
            "part": pa.array([values[number % len(values)] for number in range(40)], pa.string()),
            "day": pa.array([datetime.date(2024, 1, 1 + number % 2) for number in range(40)]),
        }
    )
    write_deltalake(folder / "partitions", table, partition_by=["part", "day"])
    return rows("partitions", ["id", "part", "day"])


def checkpoint():
    for commit in range(25):
        table = pa.table({"id": pa.array(range(commit * 4, commit * 4 + 4), pa.int64()), "commit": pa.array([commit] * 4, pa.int32())})
        write_deltalake(folder / "checkpoint", table, mode="append")
        if commit == 14:
            DeltaTable(folder / "checkpoint").create_checkpoint()
    table = DeltaTable(folder / "checkpoint")
    table.delete("commit = 3")
    table.update(updates={"commit": "100"}, predicate="id >= 96")
    DeltaTable(folder / "checkpoint").create_checkpoint()
    # Without the log before it only the checkpoint knows the first files.
    log = folder / "checkpoint/_delta_log"
    for version in range(0, 20):
        (log / f"{version:020}.json").unlink()
    return rows("checkpoint", ["id", "commit"])


def many_commits():
    for commit in range(60):
        write_deltalake(folder / "many_commits", pa.table({"id": pa.array([commit], pa.int64())}), mode="append")
    return rows("many_commits", ["id"])


def types():
    at = datetime.datetime(2024, 2, 29, 23, 59, 59, 999999)
    table = pa.table(
        {
            "id": pa.array([1, 2, 3], pa.int64()),
            "amount": pa.array([decimal.Decimal("12345678901234567890.12345678"), decimal.Decimal("-0.00000001"), None], pa.decimal128(38, 8)),
            "small": pa.array([decimal.Decimal("1.50"), decimal.Decimal("-999.99"), None], pa.decimal128(5, 2)),
            "at_zone": pa.array([at.replace(tzinfo=datetime.timezone.utc), datetime.datetime(1900, 1, 1, tzinfo=datetime.timezone.utc), None], pa.timestamp("us", tz="UTC")),
            "at": pa.array([at, datetime.datetime(1900, 1, 1, 0, 0, 1), None], pa.timestamp("us")),
            "day": pa.array([datetime.date(2024, 2, 29), datetime.date(1, 1, 1), None]),
            "tiny": pa.array([-128, 127, None], pa.int8()),
            "short": pa.array([-32768, 32767, None], pa.int16()),
            "flag": pa.array([True, False, None]),
            "name": pa.array(["", "a,b", None]),
        }
    )
    write_deltalake(folder / "types", table)
    return rows("types", ["id", "amount", "small", "at_zone", "at", "day", "tiny", "short", "flag", "name"])


def nested():
    table = pa.table(
        {
            "id": pa.array([1, 2, 3], pa.int64()),
            "list": pa.array([[1, 2], [], None], pa.list_(pa.int64())),
            "point": pa.array([{"x": 1.5, "inner": {"y": "a"}}, {"x": None, "inner": None}, None], pa.struct([("x", pa.float64()), ("inner", pa.struct([("y", pa.string())]))])),
            "map": pa.array([[("k", 1), ("l", 2)], [], None], pa.map_(pa.string(), pa.int64())),
        }
    )
    write_deltalake(folder / "nested", table)
    found = DeltaTable(folder / "nested").to_pyarrow_dataset().to_table().sort_by("id").to_pylist()
    lines = []
    for row in found:
        first = row["list"][0] if row["list"] else None
        point = row["point"] or {}
        inner = point.get("inner") or {}
        map_value = dict(row["map"] or []).get("l")
        lines.append(",".join(text(value) for value in (row["id"], first, point.get("x"), inner.get("y"), map_value)))
    return lines


def evolution():
    write_deltalake(folder / "evolution", pa.table({"id": pa.array([1, 2], pa.int64())}))
    write_deltalake(folder / "evolution", pa.table({"id": pa.array([3], pa.int64()), "added": ["new"]}), mode="append", schema_mode="merge")
    return rows("evolution", ["id", "added"])


def overwritten():
    write_deltalake(folder / "overwritten", pa.table({"id": pa.array([1, 2], pa.int64())}))
    write_deltalake(folder / "overwritten", pa.table({"id": pa.array([7, 8, 9], pa.int64())}), mode="overwrite", commit_properties=CommitProperties(custom_metadata={"by": "test"}))
    return rows("overwritten", ["id"])


def overwritten_first():
    return rows("overwritten", ["id"], version=0)


def empty():
    write_deltalake(folder / "empty", pa.table({"id": pa.array([], pa.int64()), "name": pa.array([], pa.string())}))
    return rows("empty", ["id", "name"])


def odd_place():
    place = folder / "plain place"
    write_deltalake(place, pa.table({"id": pa.array([1, 2], pa.int64()), "p": ["x y", "z%"]}), partition_by=["p"])
    found = rows("plain place", ["id", "p"])
    place.rename(folder / "odd place Ünï=code +😀#1")
    return found


makers = (partitions, checkpoint, many_commits, types, nested, evolution, overwritten, overwritten_first, empty, odd_place)
give({make.__name__: make() for make in makers})
