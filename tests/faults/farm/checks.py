"""Looks at what is there when nobody works, through lakesh, through the deltalake package and as files."""

import csv
import json
import pathlib

import pyarrow.dataset
import pyarrow.parquet
from deltalake import DeltaTable

from .known import KNOWN, is_known
from .lake import STAGED, Finding, Session
from .model import as_list, difference

# lakesh does not list views with a location, nor managed tables without one.
CATALOG = "select name, kind, location from system.tables where schema = 'main'"
COLUMNS = ("id", "part", "v", "s")


def rows_of_lines(lines):
    """The rows of CSV lines, without the header."""
    rows = [(int(row[0]), int(row[1]), int(row[2]), row[3] or None) for row in csv.reader(lines)]
    return sorted(rows, key=lambda row: (row[0], row[1], row[2], row[3] or ""))


def rows_of_arrow(table):
    columns = [table.column(name).to_pylist() for name in COLUMNS]
    return sorted(zip(*columns), key=lambda row: (row[0], row[1], row[2], row[3] or ""))


def rows_of_delta(path):
    """The rows as the deltalake package reads them, and the version."""
    table = DeltaTable(str(path))
    return rows_of_arrow(table.to_pyarrow_table()), table.version()


def rows_of_file(path):
    """The rows of a target of COPY; nothing if it is not there."""
    path = pathlib.Path(path)
    if not path.exists():
        return None
    if path.is_dir() and (path / "_delta_log").is_dir():
        return rows_of_delta(path)[0]
    if path.is_dir():
        data = pyarrow.dataset.dataset(path, format="parquet", partitioning="hive")
        return rows_of_arrow(data.to_table())
    text = path.read_text() if path.suffix != ".parquet" else ""
    if path.suffix == ".csv":
        # A query without rows leaves no header.
        return rows_of_lines(text.splitlines()[1:])
    if path.suffix == ".json":
        rows = [json.loads(line) for line in text.splitlines()]
        return sorted((tuple(row.get(name) for name in COLUMNS) for row in rows),
                      key=lambda row: (row[0], row[1], row[2], row[3] or ""))
    return rows_of_arrow(pyarrow.parquet.read_table(path))


class Reader:
    """A new process without faults, for as long as a `with` lasts."""

    def __init__(self, lake):
        self.session = Session(lake, "reader")
        self.answer = self.session.answer

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure:
            self.session.kill()
        elif self.session.end() != 0:
            raise Finding(f"a later process fails in the end: {self.session.new_messages()}")


class Snapshot:
    """What is there, read by a new process; tables also by the deltalake package, which has to agree."""

    def __init__(self, reader, lake, world):
        listed = csv.reader(reader.answer(CATALOG)[1:])
        self.catalog = {name: (kind, location) for name, kind, location in listed}
        tables = {name: location for name, (kind, location) in self.catalog.items() if kind != "view"}
        self.things, self.versions, self.locations = {}, {}, tables
        for name, location in tables.items():
            rows = rows_of_lines(reader.answer(f"select id, part, v, s from {name}")[1:])
            others, version = rows_of_delta(location)
            if rows != others:
                raise Finding(f"lakesh and deltalake read `{name}` otherwise: {difference(rows, others)}")
            self.things[("table", name)] = rows
            self.versions[name] = version
        self.things[("view", "w")] = int(reader.answer("select n from w")[1]) if "w" in self.catalog else None
        for what, name in world.things:
            if what == "file":
                self.things[(what, name)] = rows_of_file(lake.work / name)
            elif what == "big":
                path = lake.work / name
                self.things[(what, name)] = pyarrow.parquet.read_table(path).num_rows if path.exists() else None

    def fits(self, thing, value):
        """Says whether a thing is as the model has it."""
        return self.things.get(thing) == shown(thing, value)


def shown(thing, value):
    """What a snapshot has for a value of the model."""
    is_rows = thing[0] in ("table", "file") and value is not None
    return as_list(value) if is_rows else value


def compare(snapshot, world):
    """Raises if anything is not as the model has it."""
    for thing, value in world.things.items():
        if not snapshot.fits(thing, value):
            found = snapshot.things.get(thing)
            text = f"expected {value}, found {found}"
            if thing[0] in ("table", "file"):
                text = difference(shown(thing, value), found)
            raise Finding(f"{thing[0]} `{thing[1]}` is wrong: {text}")
    known = {name for what, name in world.things if what == "table"}
    more = [name for name, (kind, _) in snapshot.catalog.items() if kind != "view" and name not in known]
    if more:
        raise Finding(f"tables that nobody made: {more}")


def check_all(lake, world, compare):
    """Checks all that is left when nobody works: rows, tables, files; `compare` raises if rows are wrong."""
    with Reader(lake) as reader:
        snapshot = Snapshot(reader, lake, world)
        compare(snapshot)
        tables = dict(snapshot.locations)
        # Tables of COPY have no name.
        tables |= {f"'{path.parent.name}'": str(path.parent) for path in lake.work.glob("copied/_delta_log")}
        check_tables(reader, tables, False)
        reader.answer("set lakesh.vacuum_retention_check = false")
        for name in tables:
            reader.answer(f"vacuum {name} retain 0 hours")
        check_tables(reader, tables, True)
        compare(Snapshot(reader, lake, world))
    check_files(tables)
    check_left_behind(lake, snapshot)


def check_tables(reader, tables, vacuumed):
    """CHECK TABLE finds no more than orphans, and after VACUUM nothing."""
    for name in tables:
        for check, verdict, _, _, finding, remedy in csv.reader(reader.answer(f"check table {name}")[1:]):
            is_orphan = check == "orphans" and verdict == "note"
            if verdict in ("warning", "error") or (is_orphan and (vacuumed or "VACUUM" not in remedy)):
                raise Finding(f"CHECK TABLE {name}{' after VACUUM' if vacuumed else ''}: {check} {verdict}: "
                              f"{finding}; {remedy}")


def check_files(tables):
    """After VACUUM a table's folder holds the files of its newest version and no others."""
    for name, location in tables.items():
        needed = {pathlib.Path(path.removeprefix("file://")).name for path in DeltaTable(location).file_uris()}
        files = {path.name for path in pathlib.Path(location).rglob("*.parquet*") if "_delta_log" not in path.parts}
        left = {name for name in files - needed if not (STAGED.search(name) and is_known("staged files"))}
        if left:
            raise Finding(f"`{name}`: files that VACUUM leaves: {sorted(left)[:5]}")


def is_tolerated(path, counts):
    """Says whether something is left behind for a reason that is known, and counts it."""
    name = None
    if STAGED.search(path.name):
        name = "staged files"
    elif path.parent.parent.name == "warehouse":
        name = "unnamed folders"
    return name is not None and (is_known(name) if counts else name in KNOWN)


def check_left_behind(lake, snapshot):
    """Nothing is left behind after the next starts: a short process may end before its sweep has."""
    known = {location.rstrip("/") for location in snapshot.locations.values()}
    left = [path for path in lake.left_behind(known) if not is_tolerated(path, True)]
    if not left:
        return

    def is_clean():
        return all(is_tolerated(path, False) for path in lake.left_behind(known))

    lake.age(left)
    lake.start_until(is_clean)
    left = [path for path in lake.left_behind(known) if not is_tolerated(path, False)]
    if not left:
        return
    shown = [str(path.relative_to(lake.root)) for path in left]
    raise Finding(f"left behind: {shown[:6]}{' …' if len(shown) > 6 else ''}")
