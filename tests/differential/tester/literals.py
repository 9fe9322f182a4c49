"""Values as SQL literals, the same text for all engines where that is possible."""

import datetime
import math
from decimal import Decimal

from .types import LIST, STRUCT, SQL


def text(value):
    return "'" + value.replace("'", "''") + "'"


def double(value):
    if math.isnan(value):
        return "CAST('NaN' AS DOUBLE PRECISION)"
    if math.isinf(value):
        return f"CAST('{'-' if value < 0 else ''}Infinity' AS DOUBLE PRECISION)"
    # A literal with a point is a decimal in most dialects; the cast says what is meant.
    return f"CAST({value!r} AS DOUBLE PRECISION)" if value >= 0 and math.copysign(1, value) > 0 else f"CAST('{value!r}' AS DOUBLE PRECISION)"


def literal(value, column, engine):
    """A value of a column, as it stands in VALUES."""
    if value is None:
        return f"CAST(NULL AS {column.spelled(engine)})"
    if column.family == LIST:
        items = ", ".join("NULL" if item is None else str(item) for item in value)
        return f"CAST(ARRAY[{items}] AS {column.spelled(engine)})" if value else f"CAST({'ARRAY[]' if engine == 'postgres' else '[]'} AS {column.spelled(engine)})"
    if column.family == STRUCT:
        return structure(value, column, engine)
    return plain(value, column.sql)


def structure(value, column, engine):
    a, b = ("NULL" if item is None else text(item) if isinstance(item, str) else str(item) for item in value.values())
    if engine == "lakesh":
        a, b = f"CAST({a} AS BIGINT)", f"CAST({b} AS VARCHAR)"
        return f"named_struct('a', {a}, 'b', {b})"
    return f"CAST(ROW({a}, {b}) AS {column.spelled(engine)})"


def plain(value, sql):
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        # The smallest integer has no literal: the minus is an operator.
        return f"CAST({value} AS {sql})" if value >= 0 else f"CAST('{value}' AS {sql})"
    if isinstance(value, Decimal):
        return f"CAST('{value:f}' AS {sql})"
    if isinstance(value, float):
        return double(value)
    if isinstance(value, datetime.datetime):
        return f"TIMESTAMP '{value.isoformat(' ')}'"
    if isinstance(value, datetime.date):
        return f"DATE '{value.isoformat()}'"
    return text(value)


def null(family):
    return f"CAST(NULL AS {SQL[family]})"
