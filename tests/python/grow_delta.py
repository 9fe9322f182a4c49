"""Writes a Delta table whose version `n` holds the rows 1 to `n`; prints how many versions there are."""

import sys

import pyarrow as pa
from deltalake import write_deltalake

from answer import give

path, versions = sys.argv[1], 200
write_deltalake(path, pa.table({"id": pa.array([], pa.int64())}))
for version in range(1, versions + 1):
    write_deltalake(path, pa.table({"id": pa.array([version], pa.int64())}), mode="append")
give({"versions": versions})
