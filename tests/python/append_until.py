"""Appends rows to a Delta table, one by one, until a file appears; says with another file that it has begun, and
in the end how many."""

import os
import sys
import time

import pyarrow as pa
from deltalake import write_deltalake
from deltalake.exceptions import CommitFailedError

from answer import give

table, begun, stop = sys.argv[1:]
rows = 0
while not os.path.exists(stop):
    row = {"id": pa.array([1000 + rows], pa.int64()), "n": pa.array([0], pa.int64())}
    try:
        write_deltalake(table, pa.table(row), mode="append")
    except CommitFailedError:
        # Its appends are not marked as such, so it takes our changes for conflicts.
        continue
    rows += 1
    open(begun, "w").close()
    # Whoever never rests takes each version before anybody else can, and the library gives up in the end.
    time.sleep(0.1)
give({"rows": rows})
