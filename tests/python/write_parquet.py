"""Writes Parquet files of many kinds with pyarrow, and prints the rows that a reader must find.

The expected rows are lines of CSV, known by construction.
"""

import datetime
import decimal
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from answer import give

folder = Path(sys.argv[1])
expected = {}


def plain():
    rows = [(1, "one"), (2, "zwei, drei"), (3, None), (4, "")]
    table = pa.table({"id": [row[0] for row in rows], "name": [row[1] for row in rows]})
    pq.write_table(table, folder / "plain.parquet", compression="zstd")
    # Unquoted is NULL, quoted is the empty text.
    expected["plain"] = ["1,one", '2,"zwei, drei"', "3,", '4,""']
    pq.write_table(table, folder / "old.parquet", version="1.0", data_page_version="1.0", compression="none", use_dictionary=False)
    expected["old"] = expected["plain"]


def hive():
    cities = ["Köln", "New York", "a/b", None]
    rows = [(number, 2023 + number % 2, cities[number % 4]) for number in range(1, 41)]
    table = pa.table(
        {
            "id": pa.array([row[0] for row in rows]),
            "year": pa.array([row[1] for row in rows]),
            "city": pa.array([row[2] for row in rows]),
        }
    )
    pa.dataset.write_dataset(
        table,
        folder / "hive",
        format="parquet",
        partitioning=pa.dataset.partitioning(pa.schema([("year", pa.int64()), ("city", pa.string())]), flavor="hive"),
    )
    groups = {}
    for number, year, city in rows:
        group = groups.setdefault((year, city), [0, 0])
        group[0] += number
        group[1] += 1
    ordered = sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] is None, item[0][1] or ""))
    expected["hive"] = [f"{year},{city or ''},{group[0]},{group[1]}" for (year, city), group in ordered]


def dictionary():
    words = pa.array(["a", "b", None, "a", "c", "a"]).dictionary_encode()
    pq.write_table(pa.table({"word": words}), folder / "dictionary.parquet")
    expected["dictionary"] = ["a,3", "b,1", "c,1", ",1"]


def old_writers():
    """What parquet-cpp 1.5.1 left: sound pages of the first version, and pages of the second version, which it
    marked wrongly as not compressed. The dictionary is longer than the head of any page."""
    words = [f"a word that is long enough, {number}" for number in range(20000)]
    table = pa.table({"word": words, "id": list(range(20000))})
    for name, pages in [("old_dictionary", "1.0"), ("old_second_pages", "2.0")]:
        file = folder / f"{name}.parquet"
        pq.write_table(table, file, compression="snappy", data_page_version=pages, store_schema=False, dictionary_pagesize_limit=1 << 24)
        content = file.read_bytes()
        assert content.count(b"parquet-cpp-arrow version") == 1
        file.write_bytes(content.replace(b"parquet-cpp-arrow version", b"parquet-cpp version 1.5.1"))
    expected["old_dictionary"] = ["20000,20000,199990000"]


def union():
    (folder / "union").mkdir()
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), folder / "union/one.parquet")
    pq.write_table(pa.table({"c": [1.5, 2.5], "a": [3, 4]}), folder / "union/two.parquet")
    expected["union"] = ["1,x,", "2,y,", "3,,1.5", "4,,2.5"]


def nested():
    table = pa.table(
        {
            "id": [1, 2, 3],
            "list": pa.array([[10, 20], [], None], pa.list_(pa.int64())),
            "point": pa.array([{"x": 1.5, "y": [1]}, {"x": None, "y": []}, None], pa.struct([("x", pa.float64()), ("y", pa.list_(pa.int32()))])),
            "map": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        }
    )
    pq.write_table(table, folder / "nested.parquet")
    expected["nested"] = ["1,10,1.5,2", "2,,,0", "3,,,"]


def types():
    at = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456)
    table = pa.table(
        {
            "day": pa.array([datetime.date(2024, 2, 29), datetime.date(1582, 10, 15)], pa.date32()),
            "at": pa.array([at, None], pa.timestamp("us")),
            "at_zone": pa.array([at, None], pa.timestamp("us", tz="UTC")),
            "amount": pa.array([decimal.Decimal("12345.67"), decimal.Decimal("-0.01")], pa.decimal128(9, 2)),
            "price": pa.array([decimal.Decimal("1234567890123456.7890"), None], pa.decimal128(38, 4)),
            "tiny": pa.array([-128, 127], pa.int8()),
            "big": pa.array([1, 2**64 - 1], pa.uint64()),
        }
    )
    pq.write_table(table, folder / "types.parquet", coerce_timestamps="us")
    expected["types"] = [
        "2024-02-29,2024-02-29 12:30:15.123456,2024-02-29 12:30:15.123456+00:00,12345.67,1234567890123456.7890,-128,1",
        "1582-10-15,,,-0.01,,127,18446744073709551615",
    ]


def groups():
    table = pa.table({"id": list(range(10_000))})
    pq.write_table(table, folder / "groups.parquet", row_group_size=1_000)
    expected["groups"] = [f"5000,{sum(range(2500, 7500))},2500,7499"]


for make in (plain, hive, dictionary, old_writers, union, nested, types, groups):
    make()
give(expected)
