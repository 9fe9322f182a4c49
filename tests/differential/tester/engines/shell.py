"""lakesh: one process that is asked question after question through its standard input.

`\\echo` and `\\warn` mark where an answer ends on standard output and on standard error.
"""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from decimal import Decimal

from ..answers import Crashed, Refused, Rows

TIMEOUT = 30.0
PANICS = ("panicked", "internal error", "this was likely caused by a bug", "likely caused by a bug")


class Died(Exception):
    """The process ended, or gave no answer in time."""


class Shell:
    name = "lakesh"

    def __init__(self, binary, folder, arguments=()):
        self.binary, self.folder, self.arguments = binary, folder, list(arguments)
        self.number = 0
        self.timeout = TIMEOUT
        self.process = None
        self.zone = "UTC"
        self.setup = []  # What a new process has to be told again, such as what is cached.

    def start(self):
        os.makedirs(os.path.join(self.folder, "catalog"), exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAKESH", "XDG_"))}
        environment = kept | {"LAKESH_CATALOG": os.path.join(self.folder, "catalog"), "HOME": self.folder, "TZ": "UTC", "RUST_BACKTRACE": "0"}
        command = [self.binary, "--no-rc", "--quiet", "--keep-going", "--format", "ndjson", *self.arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
        self.out, self.err = self._reader(self.process.stdout), self._reader(self.process.stderr)
        for sql in (f"SET TIME ZONE '{self.zone}'", *self.setup):
            self.run(sql)

    def set_zone(self, zone):
        self.zone = zone
        if self.process is not None:
            self.run(f"SET TIME ZONE '{zone}'")

    def _reader(self, stream):
        lines = queue.Queue()

        def read():
            for line in stream:
                lines.put(line.decode(errors="replace").rstrip("\n"))
            lines.put(None)

        threading.Thread(target=read, daemon=True).start()
        return lines

    def stop(self):
        if self.process is not None:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def say(self, text):
        """Sends statements, each ended by `;`; gives the lines of standard output and of standard error."""
        if self.process is None:
            self.start()
        self.number += 1
        mark = f"~~{self.number}~~"
        try:
            self.process.stdin.write(f"{text}\n\\echo {mark}\n\\warn {mark}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise Died("the process ended") from error
        limit = time.monotonic() + self.timeout
        return self._until(self.out, mark, limit), self._until(self.err, mark, limit)

    def _until(self, lines, mark, limit):
        found = []
        while True:
            try:
                line = lines.get(timeout=max(0.01, limit - time.monotonic()))
            except queue.Empty:
                raise Died(f"no answer in {self.timeout:.0f} s") from None
            if line is None:
                raise Died("the process ended: " + " ".join(found)[:300])
            if line == mark:
                return found
            found.append(line)

    def run(self, sql):
        """Runs statements that give no rows; a failure is the tester's own."""
        answer = self.ask(sql)
        if not isinstance(answer, Rows):
            raise RuntimeError(f"lakesh: {answer.message}\n{sql[:500]}")
        return answer

    def ask(self, sql):
        try:
            out, err = self.say(sql if sql.rstrip().endswith(";") else sql + ";")
        except Died as death:
            status = self.process.poll() if self.process else None
            self.stop()
            return Crashed(f"{death} (status {status})")
        errors = [line for line in err if line.startswith(("error", "thread '")) or "panicked" in line]
        if errors:
            text = "\n".join(err).lower()
            message = errors[0].removeprefix("error: ")
            return Crashed(" ".join(err)[:400]) if any(word in text for word in PANICS) else Refused(message)
        rows = [json.loads(line, parse_int=Decimal, parse_float=Decimal) for line in out if line.startswith("{")]
        return Rows([tuple(row.values()) for row in rows], names=list(rows[0]) if rows else [])
