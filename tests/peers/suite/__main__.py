"""Replays DuckDB's own tests in DuckDB and lakesh, and says how many queries give the same answer."""

import argparse
import json
import os
import pathlib
import queue
import random
import signal
import subprocess
import sys
import threading
from collections import Counter, defaultdict

from .replay import DIFFERENT, LOST, NOT_ASKED, ORDER, OWN, REFUSED, SAME, STATEMENT

# How long one file may take before its process is ended.
SECONDS = 150


def options():
    """The command line."""
    target = pathlib.Path(os.environ.get("LAKESH_TARGET", "target"))
    parser = argparse.ArgumentParser(prog="duckdb-suite", description=__doc__)
    parser.add_argument("checkout", type=pathlib.Path, help="a checkout of duckdb/duckdb")
    parser.add_argument("--lakesh", type=pathlib.Path, default=target / "release" / "lakesh", help="the binary")
    parser.add_argument("--only", default="", help="a part of the path that files must have")
    parser.add_argument("--sample", type=int, default=0, help="so many files, drawn by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="how many processes")
    parser.add_argument("--report", type=pathlib.Path, help="write what became of each query to this file, a line of JSON each")
    parser.add_argument("--kinds", type=int, default=60, help="how many kinds of refusals to print")
    return parser.parse_args()


def files(arguments):
    """The files to replay, as paths below the checkout."""
    root = arguments.checkout
    found = sorted(str(path.relative_to(root)) for path in (root / "test" / "sql").rglob("*.test"))
    found = [name for name in found if arguments.only in name]
    if arguments.sample:
        found = sorted(random.Random(arguments.seed).sample(found, min(arguments.sample, len(found))))
    return found


class Worker(threading.Thread):
    """Feeds a process with files; one that does not answer is ended and its file given up."""

    def __init__(self, arguments, names, answers):
        super().__init__(daemon=True)
        self.command = [sys.executable, "-m", "suite.replay", str(arguments.checkout.resolve()), str(arguments.lakesh.resolve())]
        self.names, self.answers, self.process = names, answers, None

    def run(self):
        while True:
            try:
                name = self.names.get_nowait()
            except queue.Empty:
                return self.end()
            if self.process is None:
                self.process = subprocess.Popen(
                    self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
                )
            timer = threading.Timer(SECONDS, self.end)
            timer.start()
            process = self.process
            process.stdin.write(name + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            timer.cancel()
            if not line:
                self.end()
                self.answers.put({"file": name, "reason": "ended the process of DuckDB, or takes too long"})
            else:
                self.answers.put(json.loads(line))

    def end(self):
        if self.process is not None:
            # The process of lakesh leads a group of its own, and ends with its standard input.
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


def replayed(arguments, names):
    """The answers of all files, as they come."""
    waiting, answers = queue.Queue(), queue.Queue()
    for name in names:
        waiting.put(name)
    for _ in range(arguments.jobs):
        Worker(arguments, waiting, answers).start()
    for _ in names:
        yield answers.get()


def main():
    arguments = options()
    names = files(arguments)
    totals, kinds, examples, reasons = Counter(), defaultdict(Counter), {}, Counter()
    report = arguments.report.open("w") if arguments.report else None
    for count, answer in enumerate(replayed(arguments, names), 1):
        if "reason" in answer:
            reasons[answer["reason"]] += 1
        for verdict in answer.get("verdicts", []):
            totals[verdict["verdict"]] += 1
            kinds[verdict["verdict"]][verdict["kind"]] += 1
            examples.setdefault((verdict["verdict"], verdict["kind"]), verdict)
            if report:
                report.write(json.dumps(verdict) + "\n")
        if count % 50 == 0:
            print(f"{count} of {len(names)} files, {sum(totals.values())} queries", file=sys.stderr)
    show(arguments, names, totals, kinds, examples, reasons)


def show(arguments, names, totals, kinds, examples, reasons):
    """Prints the share and the tables."""
    for verdict in (REFUSED, STATEMENT, LOST, OWN, NOT_ASKED):
        print(f"\n{verdict}, by kind:")
        for kind, number in kinds[verdict].most_common(arguments.kinds if verdict in (REFUSED, STATEMENT) else 8):
            example = " ".join(examples[(verdict, kind)]["sql"].split())[:90]
            print(f"{number:7}  {kind:60}  {example}")
    print("\nfiles that were not replayed:")
    for reason, number in reasons.most_common(12):
        print(f"{number:7}  {reason}")
    asked = sum(totals[verdict] for verdict in (SAME, ORDER, DIFFERENT, REFUSED, LOST))
    drawn = f", drawn with seed {arguments.seed}" if arguments.sample else ""
    print(f"\n{len(names)} files{drawn}; {sum(totals.values()) - totals[STATEMENT]} queries, {asked} of them for both")
    for verdict in (SAME, ORDER, DIFFERENT, REFUSED, LOST):
        print(f"{totals[verdict]:7}  {100 * totals[verdict] / max(1, asked):5.1f} %  {verdict}")
    for verdict in (OWN, NOT_ASKED):
        print(f"{totals[verdict]:7}           {verdict}")


if __name__ == "__main__":
    main()
