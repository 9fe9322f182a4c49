"""What is asked of a file, and what each answer must be where a peer read it."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from . import values

# Columns of wide files that are asked one by one.
COLUMNS = 12
# A literal that is longer proves nothing more.
LONGEST_TEXT = 40


@dataclass(frozen=True)
class Question:
    """A statement, and the JSON object or the number of lines that must come, None where nobody knows."""

    name: str
    sql: str
    expected: object = None


def literal(scalar):
    """A value as SQL of its type, or None where a literal could not say it exactly."""
    kind, value = scalar.type, scalar
    if not scalar.is_valid:
        return None
    if pa.types.is_boolean(kind):
        return str(value.as_py()).lower()
    if pa.types.is_integer(kind):
        return str(value.as_py())
    if pa.types.is_decimal(kind):
        return f"cast('{value.as_py():f}' as decimal({min(kind.precision, 38)}, {kind.scale}))" if kind.scale >= 0 else None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        text = value.as_py()
        usable = len(text) <= LONGEST_TEXT and text.isprintable()
        return "'" + text.replace("'", "''") + "'" if usable else None
    if pa.types.is_date32(kind):
        return f"date '{value.as_py().isoformat()}'"
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind) or pa.types.is_binary_view(kind):
        data = value.as_py()
        return f"x'{data.hex()}'" if 0 < len(data) <= LONGEST_TEXT else None
    return None


def quoted(name):
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def whole(source, copied):
    """Questions of the whole file; the last one leaves its rows in a file that Python can read."""
    return [
        Question("describe", f"describe select * from {source}"),
        Question("count", f"select count(*) as n from {source}"),
        Question("rows", f"select * from {source}"),
        Question("copy", f"copy (select * from {source}) to '{copied}'"),
    ]


def of_columns(source, names, table):
    """Questions of each column; `table` is a peer's, or None."""
    found = []
    for at, name in enumerate(names[:COLUMNS]):
        column = table.column(at).combine_chunks() if table is not None and at < table.num_columns else None
        found += _of_column(source, name, column)
    return found


def _of_column(source, name, column):
    this = quoted(name)
    rows = nulls = None
    if column is not None:
        rows, nulls = len(column), len(column) - sum(value is not None for value in values.column(column))
    yield Question("one column", f"select {this} from {source}", rows)
    yield Question("is null", f"select count(*) as n from {source} where {this} is null", _object(n=nulls))
    kept = None if rows is None else rows - nulls
    yield Question("is not null", f"select count(*) as n from {source} where {this} is not null", _object(n=kept))
    yield Question("min and max", f"select count({this}) as n, min({this}) as low, max({this}) as high from {source}")
    yield from _filters(source, this, column)


def _filters(source, this, column):
    """Filters with values that are there: none may lose a row by bounds, pages or bloom filters."""
    if column is None or not len(column):
        return
    for place in {0, len(column) // 2, len(column) - 1}:
        text = literal(column[place])
        if text is None:
            continue
        try:
            equal = pc.sum(pc.equal(column, column[place])).as_py() or 0
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            continue
        yield Question(f"= {text}", f"select count(*) as n from {source} where {this} = {text}", _object(n=equal))
    try:
        bounds = pc.min_max(column)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return
    low, high = literal(bounds["min"]), literal(bounds["max"])
    if low is None or high is None or pa.types.is_boolean(column.type):
        return
    sql = f"select count(*) as n, min({this}) = {low} as low, max({this}) = {high} as high from {source}"
    kept = len(column) - column.null_count
    yield Question("bounds", sql, _object(n=len(column), low=True, high=True))
    yield Question("between", f"select count(*) as n from {source} where {this} between {low} and {high}", _object(n=kept))


def _object(**members):
    return None if any(value is None for value in members.values()) else members
