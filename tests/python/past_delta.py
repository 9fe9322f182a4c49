"""What the `deltalake` package finds in a table: its history, and the rows of each of its versions.

With a second argument, a folder, it first writes a table there whose changes are recorded, and prints
those changes too.
"""

import sys

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from answer import give


def rows(path, version=None):
    """Returns the rows of a version as sorted lines."""
    table = DeltaTable(path, version=version).to_pyarrow_dataset().to_table()
    columns = sorted(table.column_names)
    lines = [",".join("" if row[name] is None else str(row[name]) for name in columns) for row in table.to_pylist()]
    return sorted(lines)


def feed(path):
    """Writes a table with a change data feed; returns its changes as sorted lines."""
    first = pa.table({"id": pa.array([1, 2, 3], pa.int64()), "name": ["a", "b", "c"]})
    write_deltalake(path, first, configuration={"delta.enableChangeDataFeed": "true"})
    table = DeltaTable(path)
    table.update(updates={"name": "'B'"}, predicate="id = 2")
    table.delete("id = 1")
    write_deltalake(path, pa.table({"id": pa.array([4], pa.int64()), "name": ["d"]}), mode="append")
    changes = pa.table(DeltaTable(path).load_cdf(starting_version=0, ending_version=3).read_all())
    lines = [f"{row['_commit_version']},{row['_change_type']},{row['id']},{row['name']}" for row in changes.to_pylist()]
    return sorted(lines)


answer = {}
if len(sys.argv) > 2:
    answer["feed"] = feed(sys.argv[2])
path = sys.argv[1] if len(sys.argv) <= 2 else sys.argv[2]
table = DeltaTable(path)
answer["operations"] = [f"{commit['version']},{commit['operation']}" for commit in table.history()]
answer["files"] = len(table.file_uris())
answer["version"] = table.version()
answer["rows"] = rows(path)
answer["versions"] = {}
for version in range(table.version() + 1):
    try:
        answer["versions"][str(version)] = rows(path, version)
    except Exception as problem:
        answer["versions"][str(version)] = [f"error: {type(problem).__name__}"]
give(answer)
