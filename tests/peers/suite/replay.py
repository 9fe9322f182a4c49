"""Replays one file in both databases and judges every query."""

import dataclasses
import json
import os
import pathlib
import re
import sys
import tempfile
import time

from .engines import Duck, Lakesh, Lost, Refused, places
from .kinds import FOLDERS, is_own, kind_of, mentions, target
from .records import Unsupported, read
from .values import same_rows, same_set

# How long one file may take.
SECONDS = 90.0

SAME, ORDER, DIFFERENT, REFUSED, LOST, OWN = "same", "same rows in another order", "different", "refused", "no answer", "DuckDB's own"
NOT_ASKED = "not asked"
# A statement that is no query, which lakesh refuses.
STATEMENT = "statement refused"


@dataclasses.dataclass
class Verdict:
    """What became of a query."""

    verdict: str
    file: str
    line: int
    sql: str
    kind: str = ""
    message: str = ""
    duckdb: str = ""
    lakesh: str = ""


class Replay:
    """The state of one file: both databases, and what could not be made in lakesh."""

    def __init__(self, path, name, checkout, binary, home):
        self.name = name
        self.checkout = checkout
        self.home = pathlib.Path(home)
        self.folders = {side: self.home / side for side in ("duckdb", "lakesh")}
        for folder in self.folders.values():
            folder.mkdir()
        self.duck = Duck(self.folders["duckdb"])
        self.lakesh = Lakesh(binary, checkout, self.home)
        self.records = read(path.read_text(errors="replace"))
        self.missing = {}  # name -> (kind, message, whether it is DuckDB's own)
        self.block = None
        self.reason = ""  # Why the rest of the file cannot be asked.

    def run(self):
        limit = time.monotonic() + SECONDS
        several = any(record.connection for record in self.records) and any("BEGIN" in record.sql.upper() for record in self.records)
        for record in self.records:
            if several:
                self.reason = "several connections with transactions"
            if time.monotonic() > limit:
                self.reason = "takes too long"
            if record.kind in ("load", "restart"):
                self._load(record)
            elif record.kind == "query":
                yield self._query(record)
            elif record.kind in ("ok", "maybe") and not self.reason:
                yield from self._statement(record)
            # A statement that is to fail is not run: where one side took it, the other would answer differently.
        self.lakesh.stop()

    def _load(self, record):
        if record.kind == "restart":
            if self.duck.path == ":memory:":
                self.duck.open(":memory:")
                self.reason = "restarts without a file"
            else:
                self.duck.open(self.duck.path)
            return
        path = places(record.sql, self.folders["duckdb"])
        if self.duck.path != ":memory:" and path != self.duck.path or (path and not path.startswith(str(self.home))):
            self.reason = "opens a database of DuckDB's"
        elif path:
            self.duck.open(path)

    def _ask_duckdb(self, sql):
        return self.duck.ask(self._in_checkout(places(sql, self.folders["duckdb"])))

    def _in_checkout(self, sql):
        return re.sub(r"__WORKING_DIRECTORY__|\$?\{WORKING_DIRECTORY\}|\$?\{DATA_DIR\}", str(self.checkout), sql)

    def _ask_lakesh(self, sql, kinds):
        return self.lakesh.ask(self._in_checkout(places(sql, self.folders["lakesh"])), kinds)

    def _statement(self, record):
        try:
            self._ask_duckdb(record.sql)
        except Refused:
            return
        try:
            self._ask_lakesh(record.sql, [])
        except (Refused, Lost) as error:
            name = target(record.sql)
            own = is_own(record.sql) or any(mentions(record.sql, known) and lack[2] for known, lack in self.missing.items())
            message = str(error)
            yield Verdict(STATEMENT, self.name, record.line, record.sql, ("(own) " if own else "") + kind_of(message), message)
            if re.match(r"\s*(BEGIN|COMMIT|ROLLBACK|START|ABORT|END)", record.sql, re.IGNORECASE):
                self.missing["\0"] = ("transactions", message, False)
            elif name:
                self.missing.setdefault(name, (kind_of(message), message, own))
        else:
            name = target(record.sql)
            if name and re.match(r"\s*(CREATE|DROP)", record.sql, re.IGNORECASE):
                self.missing.pop(name, None)

    def _query(self, record):
        verdict = Verdict(NOT_ASKED, self.name, record.line, record.sql)
        folder = self.name.split("/")[2] if self.name.count("/") > 2 else ""
        if self.reason or record.connection:
            verdict.kind = self.reason or "another connection"
            return verdict
        try:
            kinds, expected = self._ask_duckdb(record.sql)
        except Refused as error:
            verdict.kind = "DuckDB's package refuses it"
            verdict.message = str(error)
            return verdict
        lack = next((lack for name, lack in self.missing.items() if mentions(record.sql, name)), None)
        if folder in FOLDERS or is_own(record.sql) or (lack and lack[2]):
            verdict.verdict, verdict.kind = OWN, f"test/sql/{folder}" if folder in FOLDERS else "by its words"
            return verdict
        try:
            rows = self._ask_lakesh(record.sql, kinds)
        except Refused as error:
            verdict.verdict, verdict.message = REFUSED, str(error)
            verdict.kind = kind_of(verdict.message)
        except Lost as error:
            verdict.verdict, verdict.message, verdict.kind = LOST, str(error), str(error)[:60]
        else:
            verdict.verdict = self._compared(record, kinds, expected, rows, verdict)
        changed = target(record.sql)
        if verdict.verdict in (REFUSED, LOST) and changed:
            # What comes behind misses the change.
            self.missing.setdefault(changed, (verdict.kind, verdict.message, is_own(record.sql)))
        if verdict.verdict in (REFUSED, DIFFERENT) and (lack or "\0" in self.missing):
            kind, message, _ = lack or self.missing["\0"]
            verdict.verdict, verdict.kind, verdict.message = REFUSED, f"(before) {kind}", message
        return verdict

    def _compared(self, record, kinds, expected, rows, verdict):
        if not kinds or re.match(r"\s*(INSERT|UPDATE|DELETE|COPY|CREATE|MERGE)\b(?!.*\bRETURNING\b)", record.sql, re.IGNORECASE | re.DOTALL):
            return SAME  # A count of rows is shown on another output.
        if same_rows(expected, rows):
            return SAME
        verdict.duckdb, verdict.lakesh = shown(expected), shown(rows)
        verdict.kind = ", ".join(kinds)[:80]
        if same_set(expected, rows):
            return SAME if record.order != "nosort" else ORDER
        return DIFFERENT


def shown(rows):
    """The first rows as text."""
    return "\n".join(" | ".join(str(value)[:80] for value in row) for row in rows[:6]) + ("\n…" if len(rows) > 6 else "")


def main():
    """Replays the files that standard input names, a line each, and prints a line of JSON for each of them."""
    checkout, binary = pathlib.Path(sys.argv[1]), sys.argv[2]
    os.chdir(checkout)
    for line in sys.stdin:
        name = line.rstrip("\n")
        with tempfile.TemporaryDirectory(prefix="lakesh-suite-") as home:
            replay = None
            try:
                replay = Replay(checkout / name, name, checkout, binary, home)
                found = [dataclasses.asdict(verdict) for verdict in replay.run()]
                print(json.dumps({"file": name, "verdicts": found}), flush=True)
            except Unsupported as reason:
                print(json.dumps({"file": name, "reason": str(reason)}), flush=True)
            finally:
                if replay is not None:
                    replay.lakesh.stop()
                    replay.duck.connection.close()


if __name__ == "__main__":
    main()
