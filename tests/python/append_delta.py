"""Appends one row to a Delta table."""

import sys

import pyarrow as pa
from deltalake import write_deltalake

from answer import give

write_deltalake(sys.argv[1], pa.table({"id": pa.array([10], pa.int64())}), mode="append")
give({})
