"""Queries over a large table, whose sorts, groups, joins and windows have to spill when memory is low.

The result is one row of sums and counts, so that a large answer costs little to compare.
"""

from ..tree import Node, Table

ROWS = 120_000
# The same in lakesh, DuckDB and PostgreSQL, for a column `i` from 1 on.
COLUMNS = {
    "id": "i",
    "k": "CASE WHEN i % 11 = 0 THEN NULL ELSE i * 7919 % 15013 END",
    "s": "CASE WHEN i % 13 = 0 THEN NULL ELSE concat('name ', repeat(CAST(i * 31 % 5003 AS VARCHAR), 8)) END",
    "f": "CAST(i % 97 AS DOUBLE PRECISION) / 4",
}


def rows(source):
    """The query that makes the rows from numbers."""
    return "SELECT " + ", ".join(f"{formula} AS {name}" for name, formula in COLUMNS.items()) + f" FROM {source}"


def large(random):
    builder = random.choice([grouped, distinct, ranked, running, joined, sorted_rows, sets])
    return builder(random)


def around(inner, numbers, texts=()):
    items = ["count(*) AS n", *(f"sum({one}) AS sum_{one}" for one in numbers), *(f"sum(length({one})) AS length_{one}, min({one}) AS min_{one}" for one in texts)]
    return Node("query", (f"SELECT {', '.join(items)} FROM (", inner, ") AS q"))


def grouped(random):
    keys = random.choice(["k", "s", "k, s", "s, id % 3"])
    more = random.choice(["count(DISTINCT id)", "max(id)", "sum(id) FILTER (WHERE k > 7000)", "count(s)"])
    inner = Node("query", (f"SELECT count(*) AS a, {more} AS b, min(s) AS c FROM ", Table("big"), f" GROUP BY {keys}"), tag="group_by")
    return around(inner, ["a", "b"], ["c"])


def distinct(random):
    inner = Node("query", (f"SELECT DISTINCT {random.choice(['s AS c, k AS a', 's AS c, id AS a', 's AS c, k % 100 AS a'])} FROM ", Table("big")), tag="distinct")
    return around(inner, ["a"], ["c"])


def ranked(random):
    function = random.choice(["row_number()", "rank()", "lag(id)", "first_value(id)"])
    order = random.choice(["s, id", "k, id", "s DESC NULLS LAST, k, id"])
    by = random.choice(["", "PARTITION BY k ", "PARTITION BY s ", "PARTITION BY id % 5 "])
    inner = Node("query", (f"SELECT id, {function} OVER ({by}ORDER BY {order}) AS r, s AS c FROM ", Table("big")), tag="window")
    return around(inner, ["r", "id"], ["c"])


def running(random):
    frame = random.choice(["ROWS BETWEEN 3 PRECEDING AND CURRENT ROW", "ROWS UNBOUNDED PRECEDING", "ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING"])
    inner = Node("query", (f"SELECT sum(id) OVER (PARTITION BY id % 7 ORDER BY s, id {frame}) AS r, s AS c FROM ", Table("big")), tag="window")
    return around(inner, ["r"], ["c"])


def joined(random):
    kind = random.choice(["JOIN", "LEFT JOIN", "FULL JOIN", "RIGHT JOIN"])
    on = random.choice(["a.id = b.k", "a.id = b.id AND a.s = b.s", "a.id = b.id + 50000"])
    inner = Node("query", ("SELECT a.id AS a, b.id AS b, b.s AS c FROM ", Table("big"), f" AS a {kind} ", Table("big"), f" AS b ON {on}"), tag=kind.lower().replace(" ", "_"))
    return around(inner, ["a", "b"], ["c"])


def sorted_rows(random):
    order = random.choice(["s, id", "s DESC NULLS FIRST, id DESC", "k NULLS FIRST, s, id", "f DESC, s, id"])
    inner = Node("query", ("SELECT id, s AS c FROM ", Table("big"), f" ORDER BY {order} LIMIT {random.choice([1000, 60000])} OFFSET {random.choice([10, 50000])}"), tag="sort")
    return around(inner, ["id"], ["c"])


def sets(random):
    word = random.choice(["UNION", "EXCEPT", "INTERSECT", "EXCEPT ALL", "INTERSECT ALL"])
    inner = Node("query", ("SELECT s AS c, k FROM ", Table("big"), f" WHERE id % 3 > 0 {word} SELECT s, k FROM ", Table("big"), " WHERE id % 2 = 0"), tag=word.lower().replace(" ", "_"))
    return around(inner, ["k"], ["c"])
