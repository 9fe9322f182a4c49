"""Lets two writers of the package optimize one table from the same version, and counts its rows.

Usage: double_delta.py TABLE
"""

import json
import os
import sys

from deltalake import DeltaTable

path = sys.argv[1]
first, second = DeltaTable(path), DeltaTable(path)
for table in (first, second):
    try:
        table.optimize.compact()
    except Exception as error:
        print(error, file=sys.stderr)
print(json.dumps({"rows": DeltaTable(path).to_pyarrow_table().num_rows}), flush=True)
# Threads of the package that still run at the interpreter's end now and then abort it.
os._exit(0)
