"""A folder for one round, lakesh processes in it, and what may lie there when nobody runs."""

import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass

# A debug build on a busy machine is slow; a hang takes forever.
DEADLINE = 240

# How long a process may take to remove what others have left.
PATIENCE = 20

# Names that must not be there after the next start.
TEMPORARY = re.compile(r"^\.lakesh-copy-|\.unfinished$|\.replaced$|#\d+$")
# How the store of local files calls a file until it is whole.
STAGED = re.compile(r"#\d+$")
# Some folders stay for a day, since nobody can tell whether their owner lives.
TWO_DAYS = 2 * 24 * 60 * 60

# What no message may hold.
INTERNAL = ("panicked", "internal error", "Internal error", "DataFusionError", "ArrowError", "RUST_BACKTRACE")


class Finding(Exception):
    """Something that must not be."""


@dataclass(frozen=True)
class Outcome:
    """What became of a statement: `done`, `failed` (the process lives) or `dead`, and what was said."""

    state: str
    lines: tuple
    error: str
    # The exit status of a process that has ended; negative for a signal.
    status: int = 0


class Lake:
    """The folders of a round: the working directory with a catalog of its own, the home, temporary files."""

    def __init__(self, root, binary, shim):
        self.root = pathlib.Path(root)
        self.binary = binary
        self.shim = shim
        self.work, self.home, self.temp = (self.root / name for name in ("work", "home", "temp"))
        for folder in (self.work / ".lakesh", self.work / "out", self.home, self.temp):
            folder.mkdir(parents=True, exist_ok=True)

    def environment(self, control=None):
        """The variables of a lakesh process, with the shim where its calls may fail."""
        ours = ("LAKESH", "XDG_", "AWS_", "LD_PRELOAD", "RUST_BACKTRACE", "TMPDIR", "NO_COLOR", "CLICOLOR")
        variables = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        for kind in ("config", "data", "state", "cache"):
            variables[f"XDG_{kind.upper()}_HOME"] = str(self.home / kind)
        variables |= {"HOME": str(self.home), "TMPDIR": str(self.temp), "LANG": "C.UTF-8"}
        if control:
            variables |= {"LD_PRELOAD": str(self.shim), "LAKESH_FAULTS": str(control.path),
                          "LAKESH_FAULTS_ROOT": str(self.root)}
        return variables

    def run(self, arguments, control=None):
        """Runs lakesh to its end."""
        command = [self.binary, "--no-rc", "--quiet", *arguments]
        try:
            done = subprocess.run(command, cwd=self.work, env=self.environment(control), stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=DEADLINE, check=False)
        except subprocess.TimeoutExpired as error:
            raise Finding(f"no end within {DEADLINE} s: lakesh {' '.join(arguments)}") from error
        check_message(done.stderr.decode(errors="replace"))
        return done

    def answer(self, sql):
        """Runs statements of which none may fail, without faults; returns the lines that they print."""
        done = self.run(["--format", "csv", "-c", sql])
        if done.returncode != 0:
            error = done.stderr.decode(errors="replace")
            raise Finding(f"a later process fails with status {done.returncode}: {sql}\n{error}")
        return done.stdout.decode().splitlines()

    def left_behind(self, known_folders):
        """Temporary files and folders, and folders of the warehouse that the catalog does not know."""
        found = []
        for folder, folders, files in os.walk(self.work):
            found += [pathlib.Path(folder, name) for name in folders + files if TEMPORARY.search(name)]
        for parent in (self.temp, self.home / "data/lakesh/unfinished"):
            if parent.is_dir():
                found += parent.iterdir()
        warehouse = self.work / ".lakesh/warehouse"
        if warehouse.is_dir():
            found += [path for path in warehouse.glob("*/*") if str(path) not in known_folders]
        return sorted(set(found))

    def age(self, paths):
        """Makes files and folders two days older."""
        then = time.time() - TWO_DAYS
        for path in paths:
            for inside in (path, *path.rglob("*")):
                os.utime(inside, (then, then), follow_symlinks=False)

    def start_until(self, is_done):
        """Starts a process that lives until something is so, or for long enough: a process removes what others
        have left on a thread of its own."""
        session = Session(self, "sweeper")
        session.answer("create or replace view swept as select 1 as n")
        session.answer("drop view swept")
        deadline = time.monotonic() + PATIENCE
        while not is_done() and time.monotonic() < deadline:
            time.sleep(0.05)
        session.end()

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)


def check_message(text):
    """Raises if a message shows what is inside."""
    for word in INTERNAL:
        if word in text:
            raise Finding(f"`{word}` in a message:\n{text}")


class Session:
    """A lakesh process that gets its statements one by one."""

    def __init__(self, lake, name, control=None, arguments=()):
        self.number = 0
        self.has_failed = False
        self.messages = lake.root / f"{name}.stderr"
        self.read = self.messages.stat().st_size if self.messages.exists() else 0
        command = [lake.binary, "--no-rc", "--quiet", "--keep-going", "--format", "csv", *arguments]
        with open(self.messages, "ab") as messages:
            self.process = subprocess.Popen(command, cwd=lake.work, env=lake.environment(control), bufsize=0,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=messages)
        self.buffer = b""

    def run(self, sql):
        """Runs one statement and waits for its end."""
        self.number += 1
        mark = f"mark-{self.number}"
        try:
            self.process.stdin.write(f"{sql};\nselect '{mark}' as mark;\n".encode())
        except BrokenPipeError:
            pass
        lines = self.lines_to(mark, sql)
        if lines is None:
            return self.dead()
        error = self.new_messages()
        check_message(error)
        failed = error.startswith("error") or "\nerror" in error
        self.has_failed |= failed
        return Outcome("failed" if failed else "done", lines, error)

    def lines_to(self, mark, sql):
        """The lines up to a mark; nothing if the process ends before."""
        deadline = time.monotonic() + DEADLINE
        end = f"\n{mark}\n".encode()
        while end not in b"\n" + self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                self.kill()
                raise Finding(f"no answer within {DEADLINE} s: {sql}")
            piece = os.read(self.process.stdout.fileno(), 1 << 16)
            if not piece:
                return None
            self.buffer += piece
        text, _, self.buffer = (b"\n" + self.buffer).partition(end)
        lines = [line for line in text.decode().splitlines() if line]
        return tuple(lines[:-1] if lines and lines[-1] == "mark" else lines)

    def new_messages(self):
        with open(self.messages, "rb") as file:
            file.seek(self.read)
            text = file.read()
        self.read += len(text)
        return text.decode(errors="replace")

    def dead(self):
        status = self.wait()
        error = self.new_messages()
        check_message(error)
        # The first failure makes the status of a session that goes on.
        return Outcome("dead", (), error, 3 if status == 1 and self.has_failed else status)

    def wait(self):
        try:
            return self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise Finding(f"the process does not end within {DEADLINE} s") from error
        finally:
            self.process.stdout.close()
            self.process.stdin.close()

    def answer(self, sql):
        """Runs a statement that must not fail, and returns its lines."""
        outcome = self.run(sql)
        if outcome.state != "done":
            raise Finding(f"a later process fails: {sql}\n{outcome.error}")
        return outcome.lines

    def end(self):
        """Ends the input and waits; returns the exit status."""
        self.process.stdin.close()
        return self.wait()

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
