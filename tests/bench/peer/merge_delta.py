"""Merges a Parquet file into a Delta table by `id`, with the Python package `deltalake`."""

import os
import sys

import pyarrow.parquet as pq
from deltalake import DeltaTable

table, source = DeltaTable(sys.argv[1]), pq.read_table(sys.argv[2])
merge = table.merge(source, predicate="t.id = s.id", source_alias="s", target_alias="t")
merge.when_matched_update_all().when_not_matched_insert_all().execute()
# The library's threads may still run when the interpreter ends, which aborts the process.
os._exit(0)
