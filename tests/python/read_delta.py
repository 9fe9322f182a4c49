"""Reads a Delta table that lakesh wrote and prints what is in it."""

import sys

import pyarrow.compute as compute
from deltalake import DeltaTable

from answer import give

table = DeltaTable(sys.argv[1]).to_pyarrow_dataset().to_table()
answer = {"rows": table.num_rows, "sum": compute.sum(table["id"]).as_py(), "flags": compute.sum(table["flag"]).as_py()}
give(answer)
