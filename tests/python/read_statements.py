"""Reads each Delta table of a folder and says what is in it and what it promises.

A table with a CHECK constraint or NOT NULL also gets a row that breaks it, which must be refused.
"""

import sys
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from answer import give


def plain(value):
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def refuses(table, row):
    """Says whether an append of one row is refused for what the table promises."""
    schema = pa.schema(table.schema())
    columns = {field.name: pa.array([row.get(field.name)], field.type) for field in schema}
    relaxed = pa.schema([field.with_nullable(True) for field in schema])
    try:
        write_deltalake(table, pa.table(columns, schema=relaxed), mode="append")
    except Exception as error:
        return str(error)
    return "accepted"


def described(folder):
    table = DeltaTable(folder)
    rows = table.to_pyarrow_table().to_pylist()
    metadata = table.metadata()
    constraints = {name: text for name, text in metadata.configuration.items() if name.startswith("delta.constraints.")}
    answer = {
        "rows": sorted(([{name: plain(value) for name, value in row.items()} for row in rows]), key=lambda row: str(row["id"])),
        "version": table.version(),
        "partitions": metadata.partition_columns,
        "comment": metadata.description,
        "constraints": constraints,
        "required": [field.name for field in table.schema().fields if not field.nullable],
    }
    if constraints:
        answer["broken"] = refuses(table, {"id": 7, "n": -5, "name": "breaks"})
    if answer["required"]:
        answer["missing"] = refuses(table, {"n": 5, "name": "breaks"})
    return answer


give({folder.name: described(folder) for folder in sorted(Path(sys.argv[1]).iterdir())})
