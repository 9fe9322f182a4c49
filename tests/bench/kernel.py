"""Cells in the notebook kernel beside ipykernel running DuckDB: round trips, start, large results."""

import json
import os
import queue
import socket
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import peers

ROUND_TRIPS = 300
STARTS = 15
ROWS = int(os.environ.get("LAKESH_BENCH_ROWS", 100_000_000))
SAVED_ROWS = 1_000_000
PATIENCE = 600

prefix = peers.FOLDER / "kernels"
rows_file = peers.FOLDER / f"rows-{ROWS}.parquet"

# Before jupyter_client is imported, which reads them then: specifications of kernels are ours alone.
os.environ.update(peers.environment())
os.environ["JUPYTER_PATH"] = str(prefix / "share/jupyter")
os.environ["IPYTHONDIR"] = str(peers.FOLDER / "ipython")

from jupyter_client.manager import KernelManager  # noqa: E402


def install():
    """Makes the two kernels known, below a folder of the benchmark's own."""
    catalog = str(peers.FOLDER / "kernel-catalog")
    # Settings of the session stand behind `--`, as a user writes them.
    lakesh = [str(peers.LAKESH), "kernel", "install", "--prefix", str(prefix), "--", "--catalog", catalog]
    python = [sys.executable, "-m", "ipykernel", "install", "--prefix", str(prefix), "--name", "duckdb"]
    for command in (lakesh, python):
        subprocess.run(command, check=True, capture_output=True)


def fill():
    """Writes the large table once, through the binary itself."""
    if rows_file.exists():
        return
    copy = f"COPY (SELECT value AS id, value % 1000 AS k, value * 0.5 AS x FROM range({ROWS})) TO '{rows_file}'"
    filled = peers.run([*peers.lakesh("--catalog", ":memory:").command, "-q", "-c", copy])
    assert filled.status == 0
    print(f"{ROWS:,} rows written in {filled.seconds:.1f} s")


@contextmanager
def kernel(name):
    """A kernel with its client, and the time of its start."""
    manager = KernelManager(kernel_name=name)
    begin = time.perf_counter()
    manager.start_kernel(cwd=str(peers.FOLDER), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # A client that connects too early tries again after a time of its own choice.
    for port in (manager.iopub_port, manager.shell_port):
        wait_for(manager, port)
    client = manager.client()
    client.start_channels(stdin=False, hb=False, control=False)
    try:
        yield manager, client, begin
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def wait_for(manager, port):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            socket.create_connection((manager.ip, port), timeout=1).close()
            return
        except OSError:
            assert manager.is_alive(), "the kernel ended"
            time.sleep(0.001)
    sys.exit("a kernel does not listen")


def cell(client, code):
    """Runs a cell; returns its seconds up to both its reply and its idle, and its outputs."""
    begin = time.perf_counter()
    request = client.execute(code)
    outputs = []
    idle = False
    while not idle:
        try:
            message = client.get_iopub_msg(timeout=PATIENCE)
        except queue.Empty:
            sys.exit(f"no answer to {code!r}")
        if message["parent_header"].get("msg_id") != request:
            continue
        idle = message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
        outputs.append(message)
    while client.get_shell_msg(timeout=PATIENCE)["parent_header"].get("msg_id") != request:
        pass
    seconds = time.perf_counter() - begin
    wrong = [message["content"] for message in outputs if message["msg_type"] == "error"]
    assert not wrong, wrong
    return seconds, [message for message in outputs if message["msg_type"] in ("execute_result", "display_data")]


def peak(manager):
    """The peak memory of a kernel's process in MB."""
    status = Path(f"/proc/{manager.provisioner.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def shown(what, value, unit, most=None, peer=None):
    holds = (most is None or value <= most) and (peer is None or value <= peer)
    bound = "" if most is None else f"   at most {most:g} {unit}"
    beside = "" if peer is None else f"   ipykernel with DuckDB {peer:.1f} {unit}, lakesh takes {value / peer:.2f} times as long"
    print(f"{what:44} {value:9.1f} {unit}{bound}{beside}{'' if holds else '   FAILED'}")


FIRST = {"lakesh": "SELECT 1", "duckdb": "import duckdb\nduckdb.sql('SELECT 1')"}
NEXT = {"lakesh": "SELECT 1", "duckdb": "duckdb.sql('SELECT 1')"}


def starts():
    found = {name: [] for name in FIRST}
    for number in range(STARTS + 1):
        for name, code in FIRST.items():
            with kernel(name) as (_, client, begin):
                _, outputs = cell(client, code)
                seconds = time.perf_counter() - begin
            assert outputs, f"{name} shows nothing"
            if number > 0:  # The first round warms the file cache.
                found[name].append(seconds * 1000)
    return {name: statistics.median(times) for name, times in found.items()}


def round_trips():
    """Both kernels live at once and take turns, so that a busy moment of the machine meets both."""
    found = {name: [] for name in NEXT}
    with kernel("lakesh") as (_, lakesh, _), kernel("duckdb") as (_, duckdb, _):
        clients = {"lakesh": lakesh, "duckdb": duckdb}
        for name, client in clients.items():
            cell(client, FIRST[name])
        for _ in range(ROUND_TRIPS):
            for name, client in clients.items():
                found[name].append(cell(client, NEXT[name])[0] * 1000)
    return {name: statistics.median(times) for name, times in found.items()}


def large_results():
    with kernel("lakesh") as (_, client, _):
        cell(client, "SELECT 1")
        seconds, outputs = cell(client, f"SELECT * FROM '{rows_file}'")
        footer = outputs[-1]["content"]["data"]["text/plain"].splitlines()[-1]
        assert "more exist" in footer, footer
    target = peers.FOLDER / "saved.arrow"
    target.unlink(missing_ok=True)
    with kernel("lakesh") as (manager, client, _):
        cell(client, f"SELECT value AS id, value * 0.5 AS half, 'row ' || value AS name FROM range({SAVED_ROWS})")
        saving, _ = cell(client, f"\\save {target}")
        memory = peak(manager)
    import pyarrow.feather

    rows = pyarrow.feather.read_table(target, memory_map=True).num_rows
    assert rows == SAVED_ROWS, rows
    return seconds, saving, memory


def notebook():
    """The size of a notebook with the first rows of the large table and its counts, in kB."""
    sources = [f"SELECT * FROM '{rows_file}'", f"SELECT k, count(*) AS n FROM '{rows_file}' GROUP BY k ORDER BY k LIMIT 20"]
    cells = [
        {"cell_type": "code", "id": f"cell-{place}", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
        for place, source in enumerate(sources)
    ]
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    (peers.FOLDER / "in.ipynb").write_text(json.dumps(book))
    command = [str(peers.LAKESH), "run", "in.ipynb", "-o", "out.ipynb", "--catalog", ":memory:"]
    assert peers.run(command).status == 0
    return (peers.FOLDER / "out.ipynb").stat().st_size / 1000


peers.FOLDER.mkdir(parents=True, exist_ok=True)
install()
fill()
median = round_trips()
shown(f"{ROUND_TRIPS} cells `SELECT 1`, median", median["lakesh"], "ms", 5, median["duckdb"])
median = starts()
shown(f"start to first answer, median of {STARTS}", median["lakesh"], "ms", 300, median["duckdb"])
seconds, saving, memory = large_results()
shown(f"SELECT * over {ROWS:,} rows", seconds * 1000, "ms", 1000)
shown(f"\\save of {SAVED_ROWS:,} rows", saving * 1000, "ms")
shown("the kernel's peak memory after it", memory, "MB", 300)
shown(f"a notebook that shows {ROWS:,} rows", notebook(), "kB", 1000)
