"""Statements as trees: text with children in it, which can be written for each dialect and made smaller.

A tree knows nothing of SQL's meaning. What the shrinker may do with a node is said by its sort (an
expression may become another one of its type, a clause may go) and by `Many` (items may go, down to a number).
"""

from dataclasses import dataclass, field, replace

POSTGRES, DUCKDB, LAKESH = "postgres", "duckdb", "lakesh"


@dataclass(frozen=True)
class Table:
    """The name of a base table; what stands in a statement depends on the shape that is asked."""

    name: str


@dataclass(frozen=True)
class Spelling:
    """A piece of text that one dialect spells in its own way."""

    usual: str
    own: tuple  # of pairs (dialect, text)

    def of(self, dialect):
        return dict(self.own).get(dialect, self.usual)


@dataclass(frozen=True)
class Many:
    """Items with a separator between them, of which at least `minimum` have to stay."""

    items: tuple
    separator: str = ", "
    minimum: int = 1


@dataclass(frozen=True)
class Node:
    """A piece of a statement. `forms` holds other orders of the parts for single dialects, by their index."""

    sort: str
    parts: tuple
    type: str | None = None
    tag: str = ""
    forms: tuple = field(default=())


def spelling(usual, **own):
    return Spelling(usual, tuple(own.items()))


def optional(*parts):
    """A clause that may go."""
    return Many((Node("clause", parts),), "", 0)


def nothing():
    return Many((), "", 0)


def many(items, separator=", ", minimum=1):
    return Many(tuple(items), separator, minimum)


def total(items):
    """A list that has to stay whole, such as the keys of an order without ties."""
    items = tuple(items)
    return Many(items, ", ", len(items))


def write(part, dialect, tables):
    """Writes a tree as text; `tables` maps the name of a base table to what stands for it."""
    if isinstance(part, str):
        return part
    if isinstance(part, Table):
        return tables(part.name)
    if isinstance(part, Spelling):
        return part.of(dialect)
    if isinstance(part, Many):
        return part.separator.join(write(item, dialect, tables) for item in part.items)
    parts = part.parts
    form = dict(part.forms).get(dialect)
    if form is not None:
        parts = [parts[piece] if isinstance(piece, int) else piece for piece in form]
    return "".join(write(piece, dialect, tables) for piece in parts)


def children(part):
    if isinstance(part, Node):
        return part.parts
    if isinstance(part, Many):
        return part.items
    return ()


def with_child(part, index, child):
    kept = list(children(part))
    kept[index] = child
    if isinstance(part, Node):
        return replace(part, parts=tuple(kept))
    return replace(part, items=tuple(kept))


def walk(part, path=()):
    """All nodes and lists with their paths, parents first."""
    if isinstance(part, (Node, Many)):
        yield path, part
        for index, child in enumerate(children(part)):
            yield from walk(child, (*path, index))


def replaced(part, path, new):
    """The tree with another part at a path."""
    if not path:
        return new
    return with_child(part, path[0], replaced(children(part)[path[0]], path[1:], new))


def tables_of(part):
    """The names of the base tables, in the order in which they occur."""
    if isinstance(part, Table):
        return [part.name]
    found = []
    for child in children(part):
        found += [name for name in tables_of(child) if name not in found]
    return found


def size(part):
    return len(write(part, LAKESH, lambda name: name))


def tags(part):
    return {node.tag for _, node in walk(part) if isinstance(node, Node) and node.tag}
