"""The shapes in which lakesh has each table: who wrote it, in how many files, laid out in which way.

A shape is a recipe of steps, SQL for lakesh and Python for other writers, as text: what the tester runs is
what it prints when it reports a case. Paths are relative to the folder in which lakesh runs.
"""

from dataclasses import dataclass

from .grammar import large
from .types import decimal_digits

ARROW = {
    "BIGINT": "pa.int64()", "INTEGER": "pa.int32()", "SMALLINT": "pa.int16()", "DOUBLE PRECISION": "pa.float64()", "VARCHAR": "pa.string()",
    "BOOLEAN": "pa.bool_()", "DATE": "pa.date32()", "TIMESTAMP": "pa.timestamp('us')", "BIGINT[]": "pa.list_(pa.int64())",
    "STRUCT(a BIGINT, b VARCHAR)": "pa.struct([('a', pa.int64()), ('b', pa.string())])",
}
IMPORTS = "import datetime, math, shutil\nfrom decimal import Decimal\nimport pyarrow as pa, pyarrow.parquet as pq, duckdb\nfrom deltalake import DeltaTable, write_deltalake\nnan, inf = math.nan, math.inf\n"


@dataclass(frozen=True)
class Step:
    """`sql` for lakesh, or `python`; `session` steps are to be said again to a new process."""

    language: str
    text: str
    session: bool = False


@dataclass(frozen=True)
class Shape:
    """A recipe, and how a query names the table: `relation` with the table's name in it."""

    name: str
    steps: object  # BaseTable, name -> list of steps
    relation: str = "{name}"
    changeable: bool = False
    wants: object = lambda table: True


def sql(text, session=False):
    return Step("sql", text, session)


def python(text):
    return Step("python", text)


def arrow_type(column):
    if column.sql.startswith("DECIMAL"):
        precision, scale = decimal_digits(column.sql)
        return f"pa.decimal128({precision}, {scale})"
    return ARROW[column.sql]


def arrow_rows(table, rows):
    """Python text that makes an Arrow table."""
    fields = ", ".join(f"('{column.name}', {arrow_type(column)})" for column in table.columns)
    cells = {column.name: [row[place] for row in rows] for place, column in enumerate(table.columns)}
    return f"pa.table({cells!r}, schema=pa.schema([{fields}]))"


def created(name, table, more=""):
    """By lakesh, in a folder of the table's name, which the tester can copy."""
    steps = [sql(f"CREATE TABLE {name} ({table.definition('lakesh')}) USING DELTA LOCATION '{name}'{more}")]
    if table.rows:
        steps.append(sql(f"INSERT INTO {name} {table.select('lakesh')}"))
    return steps


def plain(table, name):
    return created(name, table)


def partitioned(table, name):
    return created(name, table, f" PARTITIONED BY ({table.partition})")


def many_files(table, name):
    """By another writer: a first version with other rows, which are gone, then a file for every two rows."""
    text = IMPORTS + f"place = '{name}'\n"
    ghost = [*table.rows, *table.rows][:3]
    text += f"write_deltalake(place, {arrow_rows(table, ghost)})\n"
    if ghost:
        text += "DeltaTable(place).delete()\n"
    for start in range(0, len(table.rows), 2):
        text += f"write_deltalake(place, {arrow_rows(table, table.rows[start : start + 2])}, mode='append')\n"
    return [python(text), sql(f"CREATE EXTERNAL TABLE {name} STORED AS DELTA LOCATION '{name}'")]


def versions(table, name):
    """The rows are those of version 1; the newest version has others."""
    steps = created(name, table)
    unlike = ", ".join("NULL" for _ in table.columns)
    steps.append(sql(f"DELETE FROM {name} WHERE k IS NULL OR k > 1"))
    steps.append(sql(f"INSERT INTO {name} VALUES ({unlike}), ({unlike})"))
    return steps


def parquet(table, name):
    return [
        sql(f"COPY ({table.select('lakesh')}) TO '{name}.parquet' STORED AS PARQUET"),
        sql(f"CREATE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION '{name}.parquet'"),
    ]


def arrow_files(table, name):
    """By pyarrow: several files, row groups of two rows, a page index, dictionaries in one file only."""
    text = IMPORTS + f"import os\nos.makedirs('{name}', exist_ok=True)\n"
    middle = (len(table.rows) + 1) // 2
    for number, rows in enumerate([table.rows[:middle], table.rows[middle:]]):
        options = f"row_group_size=2, write_page_index=True, use_dictionary={number == 0}"
        text += f"pq.write_table({arrow_rows(table, rows)}, '{name}/part-{number}.parquet', {options})\n"
    return [python(text), sql(f"CREATE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION '{name}'")]


def hive(table, name):
    """By DuckDB, a folder for every k; NULL has the folder that Hive gave it."""
    columns = [column for column in table.columns if column.name != "k"] + [table.column("k")]
    names = ", ".join(column.name for column in columns)
    text = IMPORTS + f"rows = {arrow_rows(table, table.rows)}\n"
    text += f"duckdb.sql(\"COPY (SELECT {names} FROM rows) TO '{name}' (FORMAT parquet, PARTITION_BY (k), OVERWRITE_OR_IGNORE)\")\n"
    definition = ", ".join(f"{column.name} {column.spelled('lakesh')}" for column in columns)
    again = ", ".join(column.name for column in table.columns)
    return [
        python(text),
        sql(f"CREATE EXTERNAL TABLE {name}_files ({definition}) STORED AS PARQUET PARTITIONED BY (k) LOCATION '{name}'"),
        sql(f"CREATE VIEW {name} AS SELECT {again} FROM {name}_files"),
    ]


def view(table, name):
    """Two halves of a table put together, with a column computed on the way."""
    columns = ", ".join(f"{column.name} + 0 AS {column.name}" if column.name == "k" else column.name for column in table.columns)
    halves = f"SELECT {columns} FROM {name}_under WHERE k > 1 UNION ALL SELECT {columns} FROM {name}_under WHERE (k > 1) IS NOT TRUE"
    return [*created(f"{name}_under", table), sql(f"CREATE VIEW {name} AS {halves}")]


def cached(table, name):
    return [*created(f"{name}_under", table), sql(f"CACHE TABLE {name} AS SELECT * FROM {name}_under", session=True)]


def inline(table, name):
    return [sql(f"CREATE VIEW {name} AS {table.select('lakesh')}")]


SHAPES = (
    Shape("delta", plain, changeable=True),
    Shape("partitioned", partitioned, changeable=True),
    Shape("many", many_files, changeable=True),
    Shape("version", versions, "{name} VERSION AS OF 1", wants=lambda table: bool(table.rows)),
    Shape("parquet", parquet),
    Shape("arrow", arrow_files),
    Shape("hive", hive, wants=lambda table: bool(table.rows)),
    Shape("view", view),
    Shape("cache", cached),
    Shape("values", inline),
)


def large_file(table, name):
    rows = large.rows(f"(SELECT value AS i FROM generate_series(1, {large.ROWS})) AS series")
    return [
        sql(f"COPY ({rows}) TO '{name}.parquet' STORED AS PARQUET"),
        sql(f"CREATE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION '{name}.parquet'"),
    ]


# Not one of the others: its table is large and always the same (see grammar/large.py).
LARGE = Shape("large", large_file)


def named(names):
    return [shape for shape in SHAPES if shape.name in names]
