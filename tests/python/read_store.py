"""Reads a Delta table in an object store."""

import sys

from deltalake import DeltaTable

from answer import give

options = {
    "AWS_ENDPOINT_URL": sys.argv[1],
    "AWS_ACCESS_KEY_ID": "someone",
    "AWS_SECRET_ACCESS_KEY": "something",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}
rows = DeltaTable(sys.argv[2], storage_options=options).to_pyarrow_table().to_pylist()
lines = [["NULL" if row[name] is None else str(row[name]) for name in ("id", "grp", "n")] for row in rows]
give({"rows": [",".join(line) for line in sorted(lines)]})
