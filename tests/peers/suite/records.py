"""Reads a file of DuckDB's dialect of sqllogictest into records, with its loops unrolled."""

import dataclasses
import re

# What `foreach x <name>` stands for, as the runner of the suite has it.
INTEGRAL = "tinyint smallint integer bigint hugeint utinyint usmallint uinteger ubigint uhugeint".split()
SIGNED = "tinyint smallint integer bigint hugeint".split()
COLLECTIONS = {
    "<integral>": INTEGRAL,
    "<signed>": SIGNED,
    "<unsigned>": "utinyint usmallint uinteger ubigint uhugeint".split(),
    "<numeric>": [*INTEGRAL, "float", "double"],
    "<alltypes>": [*INTEGRAL, "float", "double", "bool", "interval", "varchar"],
    "<compression>": ["none"],
}
# Extensions that DuckDB's Python package has built in, and conditions that hold here.
PRESENT = {
    "parquet", "json", "icu", "core_functions", "skip_reload", "noforcestorage", "no_force_storage", "notwindows",
    "notmingw", "64bit", "no_alternative_verify", "no_vector_verification", "no_extension_autoloading",
    "strinline", "longdouble", "block_size", "no_latest_storage",
}  # fmt: skip
# How often a loop is run at most: the rest of a longer one asks the same again.
TURNS = 12


@dataclasses.dataclass
class Record:
    """A statement or a query, or one of the commands `load` and `restart`."""

    kind: str  # `ok`, `error`, `maybe`, `query`, `load`, `restart`
    sql: str
    line: int
    order: str = "nosort"
    connection: str = ""


class Unsupported(Exception):
    """The file needs what is not there: an extension, a file of DuckDB's own format."""


def read(text):
    """The records of a file; raises Unsupported with the reason for which it cannot be replayed."""
    lines = text.splitlines()
    return list(_unroll(_blocks(lines), {}))


def _blocks(lines):
    """Splits a file into (line number, lines) at blank lines; words of one line stand alone."""
    blocks, block, start = [], [], 0
    for number, line in enumerate(lines, 1):
        if not block and line.startswith("#"):
            continue
        if line.strip():
            start = start if block else number
            block.append(line)
        elif block:
            blocks.append((start, block))
            block = []
    if block:
        blocks.append((start, block))
    return [piece for start, block in blocks for piece in _commands(start, block)]


def _commands(start, block):
    """Commands of one line may stand directly before a record."""
    while block and not block[0].startswith(("statement", "query")):
        if not block[0].startswith("#"):
            yield start, block[:1]
        start, block = start + 1, block[1:]
    if block:
        yield start, block


def _unroll(blocks, values):
    position, skipping = 0, False
    while position < len(blocks):
        line, block = blocks[position]
        words = _replaced(block[0], values).split()
        position += 1
        if not words:
            continue
        word = words[0]
        if word == "mode":
            skipping = words[1:2] == ["skip"] or (skipping and words[1:2] != ["unskip"])
        elif word in ("loop", "foreach", "concurrentloop", "concurrentforeach"):
            end = _end_of(blocks, position)
            for value in [] if skipping else _turns(words):
                yield from _unroll(blocks[position:end], values | dict(zip(words[1].split(","), value.split(","))))
            position = end + 1
        elif skipping:
            continue
        elif word == "require":
            _require(words)
        elif word in ("onlyif", "skipif"):
            if _holds(words[1:], values) == (word == "skipif"):
                position += 1
        elif word in ("load", "restart"):
            yield Record(word, words[1] if len(words) > 1 else "", line)
        elif word in ("include", "unzip", "template", "require-env", "test-env"):
            raise Unsupported(f"needs `{word}`")
        elif word in ("statement", "query"):
            yield _record(words, [_replaced(text, values) for text in block], line)


def _replaced(text, values):
    for name, value in values.items():
        text = text.replace("${" + name + "}", value).replace("{" + name + "}", value)
    return text


def _end_of(blocks, position):
    depth = 1
    for at in range(position, len(blocks)):
        word = blocks[at][1][0].split()[0]
        depth += word in ("loop", "foreach", "concurrentloop", "concurrentforeach")
        depth -= word == "endloop"
        if depth == 0:
            return at
    raise Unsupported("has a loop without an end")


def _turns(words):
    if words[0].endswith("loop"):
        try:
            first, last = int(words[2]), int(words[3])
        except ValueError as error:
            raise Unsupported("counts a loop by something that is no number") from error
        return [str(number) for number in range(first, min(last, first + TURNS))]
    named = [value for word in words[2:] for value in COLLECTIONS.get(word, [word])]
    without = {value[1:] for value in named if value.startswith("!")}
    return [value for value in named if value not in without and not value.startswith("!")][:TURNS]


def _holds(words, values):
    condition = re.fullmatch(r"(\w+)\s*(=|!=|<>|<|>|<=|>=)\s*(\S+)", "".join(words))
    if not condition or condition[1] not in values:
        return words == ["duckdb"]
    left, right = values[condition[1]], condition[3]
    if condition[2] in ("=", "!=", "<>"):
        return (left == right) == (condition[2] == "=")
    left, right = int(left), int(right)
    return {"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[condition[2]]


def _require(words):
    if words[1] in PRESENT or words[1:3] == ["vector_size", "2048"] or words[1:2] == ["exact_vector_size"]:
        return
    raise Unsupported(f"needs `{' '.join(words[1:3])}`")


def _record(words, block, line):
    sql = []
    for text in block[1:]:
        if text.startswith("----"):
            break
        sql.append(text)
    rest = [word for word in words[2:] if not word.startswith("#")]
    connection = next((word for word in rest if re.fullmatch(r"con\w*", word)), "")
    order = next((word for word in rest if word in ("rowsort", "sort", "valuesort")), "nosort")
    kind = "query" if words[0] == "query" else words[1]
    return Record(kind, "\n".join(sql), line, order, connection)
