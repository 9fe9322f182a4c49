"""Rounds with several processes at once. Each changes rows of its own, so that the order does not matter; some
statements add a number to rows that all share, a power of two each, so that the sum says which took effect.
"""

import random
import threading
from dataclasses import dataclass

from . import checks, faults
from .alone import ARGUMENTS, PREPARATION, check_failure
from .control import HARMLESS, Control
from .lake import Finding, Outcome, Session
from .model import COLUMNS, Statement, World, as_list, condition, difference, new_rows, rows_sql, updated, without

FAULTY = 0.3
# Keys of a process begin at its number times this; those of the shared rows are below.
OWN = 100_000
SHARED = range(1, 9)
# Said where a statement gave way to another writer's.
GIVES_WAY = ("conflict", "another writer", "at the same time", "meanwhile", "concurrent")


@dataclass
class Shared:
    """What all processes of a round know."""

    lake: object
    table: str
    location: str
    rng_seed: str
    faulty: bool


class Writer(threading.Thread):
    """One process and what it has done so far."""

    def __init__(self, number, shared, statements, story):
        super().__init__(name=f"writer {number}")
        self.number, self.shared, self.story, self.left = number, shared, story, statements
        self.rng = random.Random(f"{shared.rng_seed}/{number}")
        self.rows, self.mine = {}, None
        self.next_id = number * OWN
        self.bits, self.may_be = 0, 0
        self.next_bit = 0
        self.finding = None

    def run(self):
        try:
            self.begin()
            for _ in range(self.left):
                self.step()
            self.end()
        except Exception as error:
            self.finding = error
        finally:
            self.close()

    def fresh(self, count):
        first = self.next_id
        self.next_id += count
        return first

    def own(self):
        return f"id >= {self.number * OWN} and id < {self.number * OWN + OWN}"


class Lakesh(Writer):
    """A writer that is a lakesh process."""

    def begin(self):
        self.control = Control(self.shared.lake.root / f"control-{self.number}")
        self.session = None

    def open(self):
        self.session = Session(self.shared.lake, f"session-{self.number}", self.control, ARGUMENTS)
        self.story.counts.processes += 1
        if self.session.run(PREPARATION).state != "done":
            raise Finding("a session does not start")

    def statement(self):
        """Chooses a statement; also gives the bit that it adds to the shared rows."""
        table, rng = self.shared.table, self.rng
        where = condition(rng, self.rows)
        own, v = self.own(), rng.randrange(1, 50)
        what = rng.choices(("insert", "update", "delete", "merge", "shared", "optimize", "checkpoint", "vacuum",
                            "create", "drop", "copy", "read"), (5, 4, 3, 3, 3, 3, 1, 1, 2, 1, 2, 3))[0]
        rows, bit = self.rows, 0
        if what == "insert":
            count = rng.choice((1, 10))
            first = self.fresh(count)
            return Statement("INSERT", f"insert into {table} {rows_sql(first, count, v)}",
                             {"rows": rows | new_rows(first, count, v)}), 0
        if what == "update":
            return Statement("UPDATE", f"update {table} set v = v + {v} where {own} and {where.sql()}",
                             {"rows": updated(rows, where, v)}), 0
        if what == "delete":
            return Statement("DELETE", f"delete from {table} where {own} and {where.sql()}",
                             {"rows": without(rows, where)}), 0
        if what == "merge":
            first = max(rows, default=self.next_id) - 3
            first = max(first, self.number * OWN)
            self.next_id = max(self.next_id, first + 8)
            new = {key: row if key not in rows else (rows[key][0], v, rows[key][2])
                   for key, row in new_rows(first, 8, v).items()}
            return Statement("MERGE", f"merge into {table} as o using ({rows_sql(first, 8, v)}) as n on o.id = n.id "
                             "when matched then update set v = n.v when not matched then insert "
                             "(id, part, v, s) values (n.id, n.part, n.v, n.s)", {"rows": rows | new}), 0
        if what == "shared" and self.next_bit < 7:
            bit = 1 << (self.next_bit * 8 + self.number - 1)
            self.next_bit += 1
            return Statement("UPDATE of shared rows",
                             f"update {table} set v = v + {bit} where id <= {SHARED[-1]}", {}), bit
        if what == "create":
            first = self.fresh(5)
            name = f"own_{self.number}"
            return Statement("CREATE OR REPLACE", f"create or replace table {name} as {rows_sql(first, 5, v)}",
                             {"mine": new_rows(first, 5, v)}, places=("data", "log", "catalog")), 0
        if what == "drop" and self.mine is not None:
            return Statement("DROP", f"drop table own_{self.number}", {"mine": None}, places=("catalog", "data")), 0
        if what == "copy":
            target = f"out/own_{self.number}.parquet"
            return Statement("COPY", f"copy (select id, part, v, s from {table} where {own}) to '{target}'", {},
                             places=("target", "home")), 0
        if what in ("optimize", "checkpoint", "vacuum"):
            order = rng.choice(("", " zorder by (id)")) if what == "optimize" else ""
            return Statement(what.upper(), f"{what} {table}{order}", {}), 0
        return Statement("SELECT", f"select id, part, v, s from {table} where {own}", {}), 0

    def step(self):
        statement, bit = self.statement()
        rule = None
        if self.shared.faulty and statement.kind != "SELECT" and self.rng.random() < FAULTY:
            rule = faults.choose(self.rng, statement)
        if not self.session:
            self.open()
        if rule:
            self.control.arm(rule)
        outcome = self.session.run(statement.sql)
        hit = self.control.disarm() if rule else None
        if outcome.state == "dead":
            self.session = None
        harmless = not hit or not hit.fired or rule.fault in HARMLESS
        refused = outcome.state == "failed" and any(word in outcome.error for word in GIVES_WAY)
        self.story.statement(self.name, statement, rule, hit, outcome, "refused" if harmless and refused else "")
        if outcome.state == "done":
            self.apply(statement)
            self.bits |= bit
            if statement.kind == "SELECT":
                self.check_read(outcome)
        elif not harmless:
            if not refused:
                check_failure(statement, rule, outcome)
            self.may_be |= bit
            self.learn(statement)
        elif not refused:
            raise Finding(f"fails although nothing stood in its way: {statement.sql}\n{outcome.error}")

    def apply(self, statement):
        for name, value in statement.after.items():
            setattr(self, name, value)

    def check_read(self, outcome):
        found = checks.rows_of_lines(outcome.lines[1:])
        if found != as_list(self.rows):
            raise Finding(f"{self.name} reads its own rows otherwise: {difference(as_list(self.rows), found)}")

    def learn(self, statement):
        """Finds out by another process whether a statement took effect."""
        lines = self.shared.lake.answer(f"select id, part, v, s from {self.shared.table} where {self.own()}")
        found = checks.rows_of_lines([line for line in lines[1:] if line])
        there = self.shared.lake.answer("select name from system.tables")
        mine = None
        if f"own_{self.number}" in there:
            lines = self.shared.lake.answer(f"select id, part, v, s from own_{self.number}")
            mine = checks.rows_of_lines([line for line in lines[1:] if line])
        for values in ({}, statement.after):
            rows = values.get("rows", self.rows)
            own = values.get("mine", self.mine)
            if found == as_list(rows) and mine == (None if own is None else as_list(own)):
                self.rows, self.mine = rows, own
                self.story.tell(f"    {self.name}: {'took effect' if values else 'had no effect, or none that shows'}")
                return
        raise Finding(f"{self.name}: half of a statement took effect: {statement.sql}: "
                      f"{difference(as_list(self.rows), found)}; own table: {mine}")

    def end(self):
        if self.session:
            session, self.session = self.session, None
            status = session.end()
            if status not in (0, 1, 3):
                raise Finding(f"{self.name} ends with status {status}: {session.new_messages()}")

    def close(self):
        if self.session:
            self.session.kill()
        self.control.close()


class Package(Writer):
    """A writer that is the deltalake package."""

    def __init__(self, number, shared, statements, story, process):
        super().__init__(number, shared, statements, story)
        self.process = process

    def begin(self):
        pass

    def step(self):
        where = condition(self.rng, self.rows)
        what = self.rng.choices(("append", "update", "delete"), (4, 2, 2))[0]
        add = self.rng.randrange(1, 50)
        if what == "append":
            first = self.fresh(5)
            new = new_rows(first, 5, add)
            after, more = self.rows | new, {"rows": as_list(new)}
        else:
            text = f"{self.own()} and {where.sql()}"
            after = updated(self.rows, where, add) if what == "update" else without(self.rows, where)
            more = {"condition": text, "add": add}
        answer = self.process.ask(what=what, table=self.shared.location, **more)
        statement = Statement(f"deltalake {what}", f"{what} {more}", {})
        state = {"done": "done", "refused": "failed"}.get(answer["state"], "failed")
        then = "refused" if answer["state"] != "done" else ""
        self.story.statement("the package", statement, None, None, Outcome(state, (), answer["error"]), then)
        if answer["state"] == "done":
            self.rows = after

    def end(self):
        pass

    def close(self):
        pass


def run(lake, rng, story, seed, processes, statements, package):
    """Runs a round, and checks all that is left."""
    partitions = rng.choice(("", " partitioned by (part)"))
    lake.answer(f"create table b ({COLUMNS}){partitions} location 'b'; "
                f"insert into b {rows_sql(SHARED[0], len(SHARED), 0)}")
    shared = Shared(lake, "b", str(lake.work / "b"), seed, rng.random() < 0.7)
    writers = [Lakesh(number, shared, statements, story) for number in range(1, processes + 1)]
    if package:
        writers.append(Package(processes + 1, shared, statements, story, package))
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    for writer in writers:
        if writer.finding:
            raise writer.finding
    checks.check_all(lake, World(), lambda snapshot: compare(snapshot, writers))
    for file in (lake.work / "out").iterdir():
        checks.rows_of_file(file)


def compare(snapshot, writers):
    """Compares the table with what each process knows, and the shared rows with the sums."""
    rows = snapshot.things[("table", "b")]
    for writer in writers:
        low = writer.number * OWN
        found = [row for row in rows if low <= row[0] < low + OWN]
        if found != as_list(writer.rows):
            raise Finding(f"rows of {writer.name} are wrong: {difference(as_list(writer.rows), found)}")
        mine = snapshot.things.get(("table", f"own_{writer.number}"))
        if mine != (None if writer.mine is None else as_list(writer.mine)):
            raise Finding(f"`own_{writer.number}` is wrong: expected {writer.mine}, found {mine}")
    shared = [row for row in rows if row[0] <= SHARED[-1]]
    certain = sum(writer.bits for writer in writers)
    possible = certain | sum(writer.may_be for writer in writers)
    sums = {row[2] for row in shared}
    if [row[0] for row in shared] != list(SHARED) or len(sums) != 1:
        raise Finding(f"shared rows are wrong: {shared}")
    found = sums.pop()
    if found & certain != certain or found & ~possible:
        raise Finding(f"shared rows hold {found:b}, certain is {certain:b}, possible {possible:b}")
    if len(rows) != len(shared) + sum(len(writer.rows) for writer in writers):
        raise Finding(f"`b` has {len(rows)} rows, more than its writers know")
