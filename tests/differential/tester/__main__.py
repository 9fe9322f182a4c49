"""The command line: what is asked for, the run, the exit status."""

import argparse
import datetime
import os
import random
import shutil
import sys
import tempfile
import time

from . import world
from .case_folder import save, script
from .engines.duck import Duck
from .engines.postgres import Postgres, program
from .engines.shell import Shell
from .findings import Finding
from .judge import CRASHED, REFUSED, WRONG, Judge
from .lake import Lake
from .oracles import Oracles
from .grammar import large
from .questions import KINDS, MEMORY, MEMORY_SHARE, draw, memory
from .report import Report
from .shapes import LARGE, SHAPES, named
from .shrink import Shrinker

# So many questions are asked of the same tables.
QUESTIONS_PER_WORLD = 40


def arguments():
    parser = argparse.ArgumentParser(prog="tests/differential/run", description="Asks lakesh, PostgreSQL and DuckDB the same random questions.")
    parser.add_argument("--seed", type=int, default=int(datetime.date.today().strftime("%Y%m%d")), help="where chance begins; the day by default")
    parser.add_argument("--queries", type=int, default=500, metavar="N", help="how many questions are asked")
    parser.add_argument("--minutes", type=float, default=None, metavar="N", help="ask no more after so long")
    parser.add_argument("--kinds", default=",".join((*KINDS, MEMORY)), help=f"of {', '.join((*KINDS, MEMORY))}")
    parser.add_argument("--shapes", default="all", help="a number (so many, drawn for each set of tables), or names of " + ", ".join(shape.name for shape in SHAPES))
    parser.add_argument("--lakesh", default=None, metavar="PATH", help="the binary; the debug build by default")
    parser.add_argument("--shrink", action="store_true", help="make what is found smaller and write a folder for each kind")
    parser.add_argument("--cases", default=None, metavar="DIR", help="where those folders go")
    parser.add_argument("--odd-doubles", action="store_true", help="put NaN, infinities and -0.0 into the tables")
    parser.add_argument("--report", default=None, metavar="FILE.json", help="write all figures and findings")
    parser.add_argument("--no-postgres", action="store_true", help="ask DuckDB alone")
    return parser.parse_args()


def binary(path):
    target = os.environ.get("LAKESH_TARGET", "target")
    found = os.path.abspath(path or os.path.join(target, "debug", "lakesh"))
    if not os.path.exists(found):
        sys.exit(f"{found} is missing: run `cargo build`, or name the binary with --lakesh")
    return found


def oracles(without_postgres):
    engines = [Duck()]
    if program("postgres") is None or program("initdb") is None:
        print("PostgreSQL is not installed (apt-get install postgresql): DuckDB alone is asked")
    elif not without_postgres:
        engines.insert(0, Postgres())
    return Oracles(engines)


def repetition(options):
    """The command that asks the same again and makes what it finds smaller."""
    words = ["tests/differential/run", "--seed", str(options.seed), "--queries", str(options.queries), "--kinds", options.kinds, "--shapes", options.shapes, "--shrink"]
    words += [word for word, wanted in (("--odd-doubles", options.odd_doubles), ("--no-postgres", options.no_postgres)) if wanted]
    return " ".join(words)


class Run:
    def __init__(self, options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="lakesh-differential-")
        self.shell = Shell(binary(options.lakesh), self.folder)
        self.oracles = oracles(options.no_postgres)
        self.report = Report()
        asked = options.kinds.split(",")
        self.kinds = [kind for kind in KINDS if kind in asked]
        self.memory = MEMORY in asked
        self.seen = {}

    def go(self):
        left, number = self.options.queries, 0
        began = time.monotonic()
        if self.memory:
            few = max(1, left // MEMORY_SHARE) if self.kinds else left
            self.ask_large(few)
            left -= few
        limit = None if self.options.minutes is None else began + 60 * self.options.minutes
        while left > 0:
            if limit is not None and time.monotonic() > limit:
                print(f"{self.options.minutes:g} minutes are over: {left} of {self.options.queries} questions were not asked", file=sys.stderr)
                break
            seed = f"{self.options.seed}.{number}"
            self.ask_world(seed, min(left, QUESTIONS_PER_WORLD))
            left, number = left - QUESTIONS_PER_WORLD, number + 1
            print(f"{self.report.summary()}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    def ask_world(self, seed, count):
        """One set of tables and the questions that are asked of it."""
        # Two streams of chance: the questions of a seed are the same, whatever shapes they are asked of.
        chance, ways = random.Random(seed), random.Random(f"{seed}.ways")
        tables = list(world.make(chance, self.options.odd_doubles).values())
        judge = Judge(self.oracles, Lake(self.shell, self.shapes(ways)), ways)
        self.set_zone(world.zone(chance))
        judge.load(tables)
        for (shape, table), why in judge.lake.missing.items():
            if why != "not wanted":
                print(f"no {shape} of {table} (seed {seed}): {why.splitlines()[0][:200]}", file=sys.stderr)
        wrong, refused = [], []
        for _ in range(count):
            judgement = judge.judge(draw(chance, {table.name: table for table in tables}, self.kinds))
            self.report.add(judgement, seed)
            if judgement.verdict in (WRONG, CRASHED):
                wrong.append(judgement)
            elif judgement.verdict == REFUSED and self.report.is_new(judgement):
                refused.append(judgement)
        for judgement in wrong:
            self.found(judge, judgement, tables, seed)
        if self.options.shrink:
            for judgement in refused:
                self.smaller_refusal(judge, judgement, tables, seed)
        self.clear()

    def set_zone(self, zone):
        self.shell.set_zone(zone)
        self.oracles.set_zone(zone)

    def ask_large(self, count):
        """Questions that have to spill, with DuckDB's answers as the truth."""
        chance = random.Random(f"{self.options.seed}.large")
        duck = next(engine for engine in self.oracles.engines if engine.name == "duckdb")
        duck.ask("CREATE OR REPLACE TABLE big AS " + large.rows(f"(SELECT i FROM range(1, {large.ROWS + 1}) AS r(i)) AS series"))
        judge = Judge(Oracles([duck]), Lake(self.shell, [LARGE]), chance)
        judge.lake.load([world.large()])
        for _ in range(count):
            judgement = judge.judge(memory(chance))
            self.report.add(judgement, f"{self.options.seed}.large")
            if judgement.verdict in (WRONG, CRASHED):
                self.report.findings.append(Finding.of(judgement, [world.large()], f"{self.options.seed}.large", "UTC"))
        self.clear()

    def shapes(self, chance):
        wanted = self.options.shapes
        if wanted == "all":
            return list(SHAPES)
        if wanted.isdigit():
            return chance.sample(SHAPES, min(int(wanted), len(SHAPES)))
        return named(wanted.split(","))

    def found(self, judge, judgement, tables, seed):
        finding = Finding.of(judgement, tables, seed, self.shell.zone)
        if self.options.shrink:
            small = Shrinker(judge, tables, judgement.worst()).shrink(judgement.question)
            if small is not None:
                shapes = finding.shapes
                finding = Finding.of(small[0], small[1], seed, self.shell.zone, True)
                finding.shapes = shapes
        self.report.findings.append(finding)
        kind = finding.kind()
        self.seen[kind] = self.seen.get(kind, 0) + 1
        if self.options.shrink and self.seen[kind] == 1:
            self.show(finding, kind)

    def smaller_refusal(self, judge, judgement, tables, seed):
        small = Shrinker(judge, tables, judgement.worst(), seconds=12.0).shrink(judgement.question)
        if small is not None:
            self.report.explain(small[0], seed)

    def show(self, finding, kind):
        print(f"== {finding.verdict}: {kind}\n{script(finding)[1]}-- right: {finding.right()}\n-- ours:  {finding.ours()}\n", flush=True)
        if self.options.cases:
            name = "-".join(kind.replace(" + ", " ").split())[:80]
            save(finding, os.path.join(self.options.cases, name))

    def clear(self):
        """Tables of questions that were asked are not needed again; the process that knew them ends."""
        self.shell.stop()
        for entry in os.scandir(self.folder):
            shutil.rmtree(entry.path, ignore_errors=True) if entry.is_dir() else os.remove(entry.path)

    def stop(self):
        self.shell.stop()
        self.oracles.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    options = arguments()
    print(f"seed {options.seed}", file=sys.stderr)
    run = Run(options)
    try:
        run.go()
    except KeyboardInterrupt:
        print("interrupted: the figures are those of what was asked", file=sys.stderr)
    finally:
        run.stop()
        print(run.report.text())
        if options.report:
            run.report.save(options.report)
    if run.report.failed():
        print(f"again: {repetition(options)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
