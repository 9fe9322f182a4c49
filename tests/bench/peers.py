"""The programs that are compared, and how one run of them is measured."""

import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(os.environ.get("LAKESH_BENCH", "target/lakesh-bench")).absolute()
LAKESH = Path(os.environ.get("LAKESH_BINARY", "target/release/lakesh")).absolute()


@dataclass
class Run:
    """One run of a program: wall time in seconds, peak memory of the process in MB, exit status."""

    seconds: float
    peak: float
    status: int
    output_bytes: int = 0


@dataclass
class Program:
    """Something that takes SQL and answers on standard output."""

    name: str
    command: list
    quiet: list = field(default_factory=list)


def lakesh(*arguments):
    if not LAKESH.exists():
        sys.exit(f"{LAKESH} is missing: run `cargo build --release`, or set LAKESH_BINARY")
    return Program("lakesh", [str(LAKESH), "--no-rc", *arguments])


def duckdb():
    """The real binary inside the Python package; its wrapper costs 30 ms."""
    specification = importlib.util.find_spec("duckdb_cli")
    if specification is None or specification.origin is None:
        sys.exit("the package duckdb-cli is missing: start the benchmarks with tests/bench/run")
    for path in sorted(Path(specification.origin).parent.rglob("duckdb*")):
        if path.is_file() and os.access(path, os.X_OK) and path.suffix != ".py":
            return Program("duckdb", [str(path), "-no-init"])
    sys.exit("no binary inside the package duckdb-cli")


def datafusion():
    """datafusion-cli, when it is on the path: `cargo install datafusion-cli` takes half an hour."""
    path = shutil.which("datafusion-cli")
    return Program("datafusion-cli", [path, "--quiet"]) if path else None


def environment():
    """Folders of the benchmark's own, so that nothing of the user's is read or written."""
    home = FOLDER / "home"
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAKESH", "XDG_"))}
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    return kept | folders | {"HOME": str(home)}


def run(command, folder=FOLDER, output=os.devnull, keep=False):
    """Runs a command and measures it; its peak memory comes from wait4, in kB on Linux."""
    with open(output, "wb") as out:
        begin = time.perf_counter()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, cwd=folder, env=environment())
        message = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.stderr.write(f"{' '.join(map(str, command))[:300]}\nstatus {child.returncode}: {message.decode(errors='replace')[:2000]}\n")
    size = os.path.getsize(output) if output != os.devnull else 0
    return Run(seconds, usage.ru_maxrss / 1024, child.returncode, size)


def in_turn(commands, rounds, **more):
    """Runs commands by name in turn, so that a busy moment of the machine meets all of them."""
    runs = {name: [] for name in commands}
    for round_number in range(rounds + 1):
        for name, command in commands.items():
            measured = run(command, **more)
            if round_number > 0:  # The first round warms the file cache.
                runs[name].append(measured)
    return runs


def median(runs, attribute="seconds"):
    return statistics.median(getattr(one, attribute) for one in runs)


def failed(runs):
    return any(one.status != 0 for one in runs)


def tpch(scale=1):
    """Makes the TPC-H tables as Parquet, once."""
    folder = FOLDER / f"tpch-{scale}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        tool = Path(sys.executable).with_name("tpchgen-cli")
        subprocess.run([tool, "parquet", "-s", str(scale), "--output-dir", folder], check=True)
        (folder / "complete").touch()
    return folder


def tpcds(scale=1):
    """Makes the TPC-DS tables as Parquet, once."""
    folder = FOLDER / f"tpcds-{scale}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        tool = Path(sys.executable).with_name("tpcgen-cli")
        subprocess.run([tool, "tpcds", "parquet", "-s", str(scale), f"--output-dir={folder}"], check=True)
        (folder / "complete").touch()
    return folder
