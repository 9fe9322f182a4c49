"""The types of expressions: families, since a query mixes widths as it likes, and columns of one width."""

from dataclasses import dataclass

INTEGER, DECIMAL, DOUBLE, TEXT, BOOLEAN = "integer", "decimal", "double", "text", "boolean"
DATE, TIMESTAMP, INTERVAL, LIST, STRUCT = "date", "timestamp", "interval", "list", "struct"

# What a value of a family is called where no width matters.
SQL = {
    INTEGER: "BIGINT",
    DECIMAL: "DECIMAL(20,4)",
    DOUBLE: "DOUBLE PRECISION",
    TEXT: "VARCHAR",
    BOOLEAN: "BOOLEAN",
    DATE: "DATE",
    TIMESTAMP: "TIMESTAMP",
}

# Families whose values can be compared, grouped and ordered in all engines alike.
PLAIN = (INTEGER, INTEGER, INTEGER, DECIMAL, DOUBLE, TEXT, TEXT, BOOLEAN, DATE, TIMESTAMP)


@dataclass(frozen=True)
class Column:
    """A column of a base table: its name, its family and how each engine spells its type."""

    name: str
    family: str
    sql: str
    postgres: str = ""
    lakesh: str = ""

    def spelled(self, engine):
        return getattr(self, engine, "") or self.sql


def decimal_digits(sql):
    """The precision and scale of DECIMAL(p,s)."""
    precision, scale = sql[len("DECIMAL(") : -1].split(",")
    return int(precision), int(scale)
