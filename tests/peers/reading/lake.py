"""lakesh processes that answer statements, and what each of them took."""

import os
import pathlib
import resource
import signal
import subprocess
import threading
from dataclasses import dataclass

# What no message may hold.
INTERNAL = ("panicked", "thread '", "internal error", "DataFusionError", "ArrowError", "ParquetError", "External error",
            "Execution error", "RUST_BACKTRACE", "called `", "attempt to ", "out of range for")

# Stands between the answers of two statements.
MARK = '{"#":'


@dataclass(frozen=True)
class Answer:
    """What became of a statement: `done`, `failed`, or `dead`, `hung`, `greedy` with the whole process."""

    state: str
    lines: tuple
    error: str


@dataclass(frozen=True)
class Limits:
    """How long one process may take, and how much memory it may hold at its peak."""

    seconds: float
    bytes: int


class Lake:
    """Runs statements in a folder of its own."""

    def __init__(self, folder, binary, limits):
        self.folder = pathlib.Path(folder)
        self.binary = str(binary)
        self.limits = limits
        self.peak = 0
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        ours = ("LAKESH", "XDG_", "AWS_", "RUST_BACKTRACE", "NO_COLOR", "CLICOLOR")
        self.variables = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.variables |= {"HOME": str(home), "TMPDIR": str(self.folder), "LANG": "C.UTF-8"}

    def answers(self, statements):
        """Answers of statements, in their order. A failed read ends a process, so the next one takes up from there."""
        found = []
        while len(found) < len(statements):
            found += self._some(statements[len(found):])
        return found

    def _some(self, statements):
        script = "".join(f'select {number} as "#";\n{sql};\n' for number, sql in enumerate(statements))
        state, output, error = self._run(script)
        parts = _parts(output)
        if state == "done":
            return [Answer("done", tuple(lines), "") for lines in parts]
        if state == "failed" and not parts:
            # Not even the first mark came: the statement before which it should stand is not to blame.
            state = "dead"
        last = parts[-1] if parts else ()
        return [Answer("done", tuple(lines), "") for lines in parts[:-1]] + [Answer(state, tuple(last), error)]

    def _run(self, script):
        # One thread reads the batches of a file in their order.
        command = [self.binary, "--no-rc", "--quiet", "--catalog", ":memory:",
                   "--threads", "1", "--format", "ndjson", "-"]
        process = subprocess.Popen(command, cwd=self.folder, env=self.variables, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=self._bound)
        late = threading.Event()

        def stop():
            late.set()
            process.send_signal(signal.SIGKILL)

        clock = threading.Timer(self.limits.seconds, stop)
        clock.start()
        held = threading.Event()
        watch = threading.Thread(target=self._watch, args=(process, held), daemon=True)
        watch.start()
        output, error = process.communicate(script.encode())
        clock.cancel()
        watch.join()
        text = error.decode(errors="replace").strip()
        if late.is_set():
            return "hung", output, f"no end within {self.limits.seconds} s"
        if held.is_set():
            return "greedy", output, f"more than {self.limits.bytes >> 20} MiB; {text}"
        if process.returncode < 0 or process.returncode > 3:
            return "dead", output, f"ended with {process.returncode}: {text}"
        return ("done" if process.returncode == 0 else "failed"), output, text

    def _watch(self, process, held):
        """Looks at what the process holds. A short peak between two looks is seen by the kernel's own high-water mark."""
        while process.poll() is None:
            try:
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                return
            peaks = [int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM")]
            self.peak = max([self.peak, *peaks])
            if peaks and peaks[0] > self.limits.bytes:
                held.set()
                process.send_signal(signal.SIGKILL)
                return
            threading.Event().wait(0.02)

    def _bound(self):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _parts(output):
    """Lines of output, cut at the marks."""
    parts = []
    for line in output.decode(errors="replace").splitlines():
        if line.startswith(MARK):
            parts.append([])
        elif parts:
            parts[-1].append(line)
    return parts
