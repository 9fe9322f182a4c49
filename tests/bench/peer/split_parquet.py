"""Splits a Parquet file into a folder of as many files as are asked for."""

import sys
from pathlib import Path

import pyarrow.parquet as pq

source, folder, files = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
folder.mkdir(parents=True, exist_ok=True)
table = pq.read_table(source)
rows = -(-table.num_rows // files)
for number in range(files):
    pq.write_table(table.slice(number * rows, rows), folder / f"part-{number:02}.parquet", compression="snappy")
