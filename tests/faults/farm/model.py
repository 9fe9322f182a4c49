"""What should be there: tables, files and views as plain dictionaries, and conditions that SQL and Python both know.

A row is `id -> (part, v, s)`. Values are never changed in place, so that an old one can be kept as it is.
"""

from dataclasses import dataclass, field

COLUMNS = "id bigint, part bigint, v bigint, s varchar"


def new_rows(first, count, v):
    """The rows that `rows_sql` gives."""
    return {n: (n % 4, v, None if n % 7 == 0 else f"s{n}") for n in range(first, first + count)}


def rows_sql(first, count, v):
    """A query with new rows."""
    return (f"select value as id, value % 4 as part, cast({v} as bigint) as v, "
            f"case when value % 7 = 0 then null else 's' || value end as s "
            f"from generate_series({first}, {first + count - 1})")


@dataclass(frozen=True)
class Condition:
    """A condition on rows, as SQL with an optional prefix for columns and as a function."""

    text: str
    holds: object

    def sql(self, table=""):
        return self.text.replace("@", f"{table}." if table else "")


def condition(rng, rows):
    """Chooses a condition; some hold for no row, some for most."""
    kind = rng.randrange(5)
    if kind == 0:
        step = rng.choice((2, 3, 5, 9))
        rest = rng.randrange(step)
        return Condition(f"@id % {step} = {rest}", lambda key, row: key % step == rest)
    if kind == 1:
        part = rng.randrange(5)
        return Condition(f"@part = {part}", lambda key, row: row[0] == part)
    if kind == 2:
        return Condition("@s is null", lambda key, row: row[2] is None)
    keys = sorted(rows) or [0]
    first = rng.choice(keys)
    last = first + rng.choice((0, 3, 20, 200))
    return Condition(f"@id between {first} and {last}", lambda key, row: first <= key <= last)


def updated(rows, where, add):
    return {key: (row[0], row[1] + add, row[2]) if where.holds(key, row) else row for key, row in rows.items()}


def without(rows, where):
    return {key: row for key, row in rows.items() if not where.holds(key, row)}


def as_list(rows):
    """Rows as they are read: sorted, and each as often as it is there."""
    return sorted(((key, *row) for key, row in rows.items()), key=lambda row: (row[0], row[1], row[2], row[3] or ""))


@dataclass(frozen=True)
class Statement:
    """A statement and what it changes: a new value for each thing, `None` where it is gone after it."""

    kind: str
    sql: str
    after: dict
    # Where its calls write, for choosing faults.
    places: tuple = ("data", "log")
    # Arguments of a process of its own, for what is no statement of a session.
    arguments: tuple = ()
    # After it, older versions may not be readable.
    forgets: str = ""


@dataclass
class World:
    """All that is there, by kind and name, and versions of tables whose rows are known."""

    things: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    next_id: int = 1

    def rows(self, table):
        return self.things[("table", table)]

    def fresh(self, count):
        """Keys that no row has had."""
        first = self.next_id
        self.next_id += count
        return first

    def apply(self, statement):
        self.things.update(statement.after)

    def copy(self):
        versions = {table: dict(known) for table, known in self.versions.items()}
        return World(dict(self.things), versions, self.next_id)


def difference(expected, found):
    """Says in a line how two lists of rows differ."""
    if expected is None or found is None:
        shown = ["nothing" if rows is None else f"{len(rows)} rows" for rows in (expected, found)]
        return f"expected {shown[0]}, found {shown[1]}"
    missing, more = list(expected), []
    for row in found:
        if row in missing:
            missing.remove(row)
        else:
            more.append(row)
    return (f"expected {len(expected)} rows, found {len(found)}; missing {len(missing)}: {missing[:3]}; "
            f"too many {len(more)}: {more[:3]}")
