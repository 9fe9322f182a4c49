"""The tables of a seed: small, with NULLs, duplicates, values at the edge, and columns of the same names."""

from dataclasses import dataclass, replace

from . import literals
from .types import BOOLEAN, DATE, DECIMAL, DOUBLE, INTEGER, LIST, STRUCT, TEXT, TIMESTAMP, Column
from .values import value

# The composite type that PostgreSQL needs for a struct.
PAIR = "pair"
POSSIBLE = [
    [Column("n", INTEGER, "INTEGER"), Column("n", INTEGER, "BIGINT")],
    [Column("m", INTEGER, "SMALLINT"), Column("m", INTEGER, "BIGINT")],
    [Column("d", DECIMAL, "DECIMAL(9,2)"), Column("d", DECIMAL, "DECIMAL(20,4)"), Column("d", DECIMAL, "DECIMAL(38,0)"), Column("d", DECIMAL, "DECIMAL(18,17)")],
    [Column("e", DECIMAL, "DECIMAL(5,1)"), Column("e", DECIMAL, "DECIMAL(20,2)")],
    [Column("f", DOUBLE, "DOUBLE PRECISION")],
    [Column("t", TEXT, "VARCHAR")],
    [Column("b", BOOLEAN, "BOOLEAN")],
    [Column("day", DATE, "DATE")],
    [Column("ts", TIMESTAMP, "TIMESTAMP")],
    [Column("l", LIST, "BIGINT[]", lakesh="ARRAY<BIGINT>")],
    [Column("p", STRUCT, "STRUCT(a BIGINT, b VARCHAR)", postgres=PAIR, lakesh="STRUCT<a BIGINT, b VARCHAR>")],
]


@dataclass(frozen=True)
class BaseTable:
    """A table, its rows, and the column by which partitioned shapes are partitioned."""

    name: str
    columns: tuple
    rows: tuple
    partition: str
    unique: str | None

    def column(self, name):
        return next(column for column in self.columns if column.name == name)

    def values(self, name):
        place = [column.name for column in self.columns].index(name)
        return [row[place] for row in self.rows]

    def with_rows(self, rows):
        return replace(self, rows=tuple(rows))

    def without_column(self, name):
        place = [column.name for column in self.columns].index(name)
        columns = self.columns[:place] + self.columns[place + 1 :]
        rows = tuple(row[:place] + row[place + 1 :] for row in self.rows)
        return replace(self, columns=columns, rows=rows)

    def row(self, row, engine):
        cells = (literals.literal(cell, column, engine) for cell, column in zip(row, self.columns))
        return "(" + ", ".join(cells) + ")"

    def definition(self, engine):
        return ", ".join(f"{column.name} {column.spelled(engine)}" for column in self.columns)

    def select(self, engine):
        """A query that gives the rows, also where there is none."""
        names = ", ".join(column.name for column in self.columns)
        if self.rows:
            rows = ", ".join(self.row(row, engine) for row in self.rows)
            return f"SELECT * FROM (VALUES {rows}) AS v({names})"
        nulls = ", ".join(f"CAST(NULL AS {column.spelled(engine)}) AS {column.name}" for column in self.columns)
        return f"SELECT * FROM (SELECT {nulls}) AS v WHERE 1 = 0"


# The zones of sessions, which all engines know by these names; the first is most frequent.
ZONES = ("UTC", "America/New_York", "Asia/Karachi", "Europe/Berlin")


def zone(random):
    return ZONES[0] if random.random() < 0.6 else random.choice(ZONES)


def make(random, odd=False):
    """Makes three or four tables; columns of one name have one family, so that USING and NATURAL mean something."""
    names = ["x", "y", "z", "w"][: random.choice([3, 3, 4])]
    return {name: table(random, name, odd) for name in names}


def table(random, name, odd):
    columns = [Column("k", INTEGER, "BIGINT"), Column("s", TEXT, "VARCHAR")]
    chosen = random.sample(POSSIBLE, random.randint(2, 5))
    columns += [random.choice(choice) for choice in POSSIBLE if choice in chosen]
    unique = "id" if random.random() < 0.7 else None
    if unique:
        columns.insert(0, Column(unique, INTEGER, "BIGINT"))
    edge = random.random() < 0.25
    nulls = random.choice([0.0, 0.2, 0.2, 0.4])
    count = random.choices([0, 1, 3, 4, 5, 6, 7, 8, 10, 12], [1, 1, 3, 4, 4, 4, 4, 3, 2, 2])[0]
    rows = []
    for number in range(count):
        if rows and not unique and random.random() < 0.25:
            rows.append(random.choice(rows))
            continue
        row = [None if random.random() < nulls else value(random, column, edge, odd) for column in columns]
        if unique:
            row[0] = number + 1
        rows.append(tuple(row))
    partition = "k" if random.random() < 0.4 else random.choice([column.name for column in columns if column.family not in (LIST, STRUCT, DOUBLE) and column.name != "id"])
    if any(cell is not None and len(str(cell)) > 200 for row in rows for cell in row):
        partition = "k"
    return BaseTable(name, tuple(columns), tuple(rows), partition, unique)


def large():
    """The table for queries that have to spill; its rows come from a formula (see grammar/large.py)."""
    columns = (Column("id", INTEGER, "BIGINT"), Column("k", INTEGER, "BIGINT"), Column("s", TEXT, "VARCHAR"), Column("f", DOUBLE, "DOUBLE PRECISION"))
    return BaseTable("big", columns, (), "k", "id")
