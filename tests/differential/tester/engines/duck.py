"""DuckDB, inside this process."""

import datetime
import threading
from decimal import Decimal

import duckdb

from ..answers import BOOLEAN, DOUBLE, LIST, NUMBER, OTHER, STRUCT, TEXT, TIME, Refused, Rows, double, moment, number

TIMEOUT = 3.0
NUMBERS = ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "HUGEINT", "UBIGINT", "UINTEGER", "UHUGEINT", "DECIMAL", "NUMERIC")


def kind_of(description):
    name = str(description).upper()
    if name.endswith("[]"):
        return LIST
    if name.startswith("STRUCT"):
        return STRUCT
    if name.startswith(NUMBERS) or name in ("NUMBER", "INT8"):
        return NUMBER
    if name in ("DOUBLE", "FLOAT", "REAL"):
        return DOUBLE
    if name in ("BOOLEAN", "BOOL"):
        return BOOLEAN
    if name in ("VARCHAR", "STRING", "TEXT"):
        return TEXT
    if name.startswith(("DATE", "TIMESTAMP")) and "ZONE" not in name:
        return TIME
    return OTHER


class Duck:
    name = "duckdb"

    def __init__(self):
        self.connection = duckdb.connect(":memory:")
        # As PostgreSQL orders NULLs where a query does not say.
        self.connection.execute("SET default_null_order = 'nulls_last_on_asc_first_on_desc'; SET threads = 1; SET memory_limit = '1GB'; SET TimeZone = 'UTC'")

    def stop(self):
        self.connection.close()

    def set_zone(self, zone):
        self.connection.execute(f"SET TimeZone = '{zone}'")

    def load(self, tables):
        for table in tables:
            self.connection.execute(f"CREATE OR REPLACE TABLE {table.name} ({table.definition(self.name)})")
            if table.rows:
                self.connection.execute(f"INSERT INTO {table.name} {table.select(self.name)}")

    def ask(self, sql):
        timer = threading.Timer(TIMEOUT, self.connection.interrupt)
        timer.start()
        try:
            cursor = self.connection.execute(sql)
            kinds = tuple(kind_of(column[1]) for column in cursor.description)
            rows = [tuple(map(value, row, kinds)) for row in cursor.fetchall()]
            return Rows(rows, kinds, [column[0] for column in cursor.description])
        except (duckdb.Error, ValueError, OverflowError, RuntimeError) as error:
            return Refused(str(error).split("\n")[0])
        finally:
            timer.cancel()

    def change(self, sql, target):
        self.connection.execute("BEGIN")
        try:
            self.connection.execute(sql)
            return self.ask(f"SELECT * FROM {target}")
        except (duckdb.Error, RuntimeError) as error:
            return Refused(str(error).split("\n")[0])
        finally:
            self.connection.execute("ROLLBACK")


def value(raw, kind):
    if raw is None:
        return None
    if isinstance(raw, bool):
        return ("b", raw)
    if isinstance(raw, int):
        return double(raw) if kind == DOUBLE else number(Decimal(raw))
    if isinstance(raw, Decimal):
        return number(raw)
    if isinstance(raw, float):
        return double(raw)
    if isinstance(raw, (datetime.date, datetime.datetime)):
        return moment(raw.isoformat(" ") if isinstance(raw, datetime.datetime) else raw.isoformat())
    if isinstance(raw, (list, tuple)):
        return tuple(value(item, OTHER) for item in raw)
    if isinstance(raw, dict):
        return tuple(value(item, OTHER) for item in raw.values())
    return str(raw)
