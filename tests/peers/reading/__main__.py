"""Reads the files of a folder with lakesh and others, and prints a table of what differs."""

import argparse
import fnmatch
import json
import os
import pathlib
import sys
import tempfile
from collections import Counter

from .judge import VERDICTS, judge
from .lake import Lake, Limits

# Which reader a file is for, by its name; the first pattern that fits.
READERS = (
    ("*.parquet", "read_parquet"),
    ("*.parquet.encrypted", "read_parquet"),
    ("*parquet/fuzzing/*", "read_parquet"),
    ("*parquet/encoding-fuzzing/*", "read_parquet"),
    ("*.avro", "read_avro"),
    ("*.arrow", "read_arrow"),
    ("*.arrow_file", "read_arrow"),
    ("*.feather", "read_arrow"),
    ("*.stream", "read_arrow"),
    ("*arrow-ipc-file/*-fuzz-*", "read_arrow"),
    ("*arrow-ipc-stream/*-fuzz-*", "read_arrow"),
)


def options():
    """The command line."""
    target = pathlib.Path(os.environ.get("LAKESH_TARGET", "target"))
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="a folder of files, as a checked-out apache/parquet-testing")
    parser.add_argument("--lakesh", type=pathlib.Path, default=target / "debug" / "lakesh", help="the binary")
    parser.add_argument("--only", default="*", help="a pattern that the files' paths below the folder have to fit")
    parser.add_argument("--seconds", type=float, default=120, help="how long one process may take")
    parser.add_argument("--megabytes", type=int, default=2048, help="how much memory one process may hold")
    parser.add_argument("--report", type=pathlib.Path, help="write everything that was found to this JSON file")
    parser.add_argument("--verbose", action="store_true", help="show all findings, and files that are right")
    return parser.parse_args()


def reader_of(path):
    """The reader function for a path, or None."""
    return next((reader for pattern, reader in READERS if fnmatch.fnmatch(path, pattern)), None)


def show(report, verbose):
    """A line for a file, and what was found below it."""
    if report.verdict == "right" and not verbose:
        return
    peers = "; ".join(f"{peer}: {said}" for peer, said in report.peers.items())
    print(f"{report.verdict:14} {report.name}  ({report.asked} asked; {peers})")
    worst = [found for found in report.findings if found.verdict == report.verdict]
    for found in report.findings if verbose else worst[:3]:
        print(f"    {found.question}\n        {found.text}")
    sys.stdout.flush()


def main():
    """Reads everything; the status is 1 if anything is worse than refused."""
    chosen = options()
    folder = chosen.folder.resolve()
    limits = Limits(chosen.seconds, chosen.megabytes << 20)
    reports = []
    with tempfile.TemporaryDirectory(prefix="lakesh-peers-") as temporary:
        lake = Lake(temporary, chosen.lakesh.resolve(), limits)
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = str(path.relative_to(folder))
            reader = reader_of(name)
            if reader is None or not fnmatch.fnmatch(name, chosen.only):
                continue
            reports.append(judge(lake, reader, str(path), name))
            show(reports[-1], chosen.verbose)
        peak = lake.peak >> 20
    if chosen.report:
        chosen.report.write_text(json.dumps([{"file": report.name, "verdict": report.verdict, "peers": report.peers,
                                              "findings": [vars(found) for found in report.findings]}
                                             for report in reports], indent=1))
    counts = Counter(report.verdict for report in reports)
    print(f"{len(reports)} files, " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
          + f"; {peak} MiB at most")
    bad = sum(counts[verdict] for verdict in ("unclear", "wrong", "crashed"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
