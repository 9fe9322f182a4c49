"""DuckDB inside this process, and lakesh as a process that is asked through its standard input."""

import json
import os
import queue
import re
import signal
import subprocess
import threading
import time
import warnings
from decimal import Decimal

import duckdb

from .values import of_duckdb, of_lakesh

# How long one statement may take.
SECONDS = 10.0


class Refused(Exception):
    """The statement failed with a message."""


class Lost(Exception):
    """The process ended, or did not answer in time."""


class Duck:
    """A connection; names of connections are not told apart."""

    def __init__(self, folder):
        self.folder = folder
        self.path = ":memory:"
        self.connection = None
        self.open(":memory:")

    def open(self, path):
        if self.connection is not None:
            self.connection.close()
        self.path = path
        self.connection = duckdb.connect(path)
        self.connection.execute("SET threads = 1; SET memory_limit = '1GB'; SET TimeZone = 'UTC'")

    def ask(self, sql):
        """The names of the types and the rows."""
        timer = threading.Timer(SECONDS, self.connection.interrupt)
        timer.start()
        try:
            cursor = self.connection.execute(sql)
            described = cursor.description or []
            kinds = [str(column[1]).upper() for column in described]
            return kinds, _rows(cursor, kinds)
        except (duckdb.Error, ValueError, OverflowError, RuntimeError, TypeError, KeyError, NotImplementedError) as error:
            raise Refused(str(error).split("\n")[0]) from error
        finally:
            timer.cancel()


def _rows(cursor, kinds):
    if "INTERVAL" not in kinds:
        return [tuple(map(of_duckdb, row, kinds)) for row in cursor.fetchall()]
    # The package makes a number of days of months; Arrow keeps them.
    with warnings.catch_warnings(action="ignore"):  # It advises another way to ask.
        table = cursor.to_arrow_table()
    columns = [_arrow(column.to_pylist(), kind) for column, kind in zip(table.columns, kinds)]
    return list(zip(*columns))


def _arrow(values, kind):
    if kind != "INTERVAL":
        return [of_duckdb(value, kind) for value in values]
    seconds = [None if value is None else (Decimal(value.nanoseconds) / 10**9).normalize() for value in values]
    return [None if value is None else ("interval", value.months, value.days, second) for value, second in zip(values, seconds)]


class Lakesh:
    """One process; a mark on both outputs says where an answer ends."""

    def __init__(self, binary, working_folder, home):
        self.binary, self.working_folder, self.home = str(binary), str(working_folder), str(home)
        self.process, self.number = None, 0

    def start(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAKESH", "XDG_"))}
        catalog = os.path.join(self.home, "catalog")
        environment = kept | {"LAKESH_CATALOG": catalog, "HOME": self.home, "TZ": "UTC", "RUST_BACKTRACE": "0"}
        command = [self.binary, "--no-rc", "--quiet", "--keep-going", "--format", "ndjson", "--threads", "1", "--memory-limit", "1GB"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, cwd=self.working_folder, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        self.out, self.err = _reader(self.process.stdout), _reader(self.process.stderr)
        self._say("SET lakesh.durable_commits = false; SET TIME ZONE 'UTC';")

    def stop(self):
        if self.process is not None:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _say(self, text):
        self.number += 1
        mark = f"~~{self.number}~~"
        try:
            self.process.stdin.write(f"{text}\n\\echo {mark}\n\\warn {mark}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise Lost("the process ended") from error
        limit = time.monotonic() + SECONDS
        return self._until(self.out, mark, limit), self._until(self.err, mark, limit)

    def _until(self, lines, mark, limit):
        found = []
        while True:
            try:
                line = lines.get(timeout=max(0.01, limit - time.monotonic()))
            except queue.Empty:
                raise Lost("no answer in time") from None
            if line is None:
                raise Lost("the process ended: " + " ".join(found)[:300])
            if line == mark:
                return found
            found.append(line)

    def ask(self, sql, kinds):
        """The rows, read by the types that DuckDB gives them."""
        if self.process is None:
            self.start()
        try:
            out, err = self._say(sql.rstrip().removesuffix(";") + "\n;")
        except Lost:
            self.stop()
            raise
        errors = [line for line in err if line.startswith(("error", "thread '"))]
        if errors:
            hints = [line for line in err if line.startswith("hint")]
            message = errors[0].removeprefix("error: ")
            raise Refused(message + (f" ({hints[0]})" if hints else ""))
        rows = [list(_object(line).values()) for line in out if line.startswith("{")]
        return [tuple(of_lakesh(value, kind) for value, kind in zip(row, kinds + [""] * len(row))) for row in rows]


def _object(line):
    return json.loads(line, parse_int=Decimal, parse_float=Decimal)


def _reader(stream):
    lines = queue.Queue()

    def read():
        for line in stream:
            lines.put(line.decode(errors="replace").rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def places(sql, folder):
    """Puts a folder of one side in for the suite's names of it."""
    return re.sub(r"__TEST_DIR__|\$?\{TEST_DIR\}|\$?\{TEMP_DIR\}", str(folder), sql)
