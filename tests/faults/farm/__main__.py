"""The command: rounds by seed, a line for each failure, figures at the end."""

import argparse
import datetime
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import traceback

from . import beside, known, sweep
from .alone import Alone
from .lake import Finding, Lake
from .other_writer import OtherWriter
from .story import Counts, Story


def arguments():
    parser = argparse.ArgumentParser(prog="run", description="Lets lakesh work while its file calls fail.")
    today = int(datetime.date.today().strftime("%Y%m%d"))
    parser.add_argument("--rounds", type=int, default=100, help="how many rounds (100)")
    parser.add_argument("--seed", type=int, default=today, help="the seed; today's date by default")
    parser.add_argument("--round", type=int, help="only the round of this number")
    parser.add_argument("--seconds", type=float, help="begin no round after so many seconds")
    parser.add_argument("--lakesh", help="the binary; the debug build by default")
    parser.add_argument("--kind", choices=("alone", "sweep", "beside"), help="rounds of this kind only")
    parser.add_argument("--statement", help="sweep this kind of statement through all of its calls, such as MERGE")
    parser.add_argument("--keep", help="the folder for the folders of rounds that fail; a temporary one by default")
    parser.add_argument("--verbose", action="store_true", help="a line for each round")
    return parser.parse_args()


def compiled(folder):
    """Compiles the shim."""
    shim = folder / "shim.so"
    source = pathlib.Path(__file__).parent.parent / "shim.c"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", shim, source], check=True)
    return shim


class Farm:
    """All that rounds share."""

    def __init__(self, options, folder, keep):
        self.options, self.folder, self.keep = options, folder, keep
        target = pathlib.Path(os.environ["LAKESH_TARGET"])
        self.binary = str(pathlib.Path(options.lakesh or target / "debug/lakesh").resolve())
        self.shim = compiled(folder)
        self.base = sweep.Base(folder / "base", self.binary, self.shim)
        self.package = OtherWriter()
        self.counts = Counts()

    def kind_of(self, rng):
        chosen = rng.choices(("alone", "sweep", "beside"), (5, 2, 3))[0]
        if self.options.statement:
            return "sweep"
        return self.options.kind or chosen

    def flushed(self):
        """Looks whether commits are flushed; returns what is wrong, if anything."""
        story = Story()
        lake = Lake(self.folder / "flushed", self.binary, self.shim)
        try:
            sweep.check_flushed(lake, self.base, story)
        except Finding as found:
            return f"{found}\n" + "\n".join(story.lines)
        finally:
            self.counts.add(story.counts)
        lake.remove()
        return None

    def round(self, number):
        """Runs a round; returns what it is and what is wrong, if anything."""
        seed = f"{self.options.seed}/{number}"
        rng = random.Random(seed)
        kind = self.kind_of(rng)
        story = Story()
        lake = Lake(self.folder / f"round-{number}", self.binary, self.shim)
        finding = None
        try:
            self.play(kind, lake, rng, story, seed)
        except Finding as found:
            finding = str(found)
        except Exception:
            finding = traceback.format_exc()
        self.counts.add(story.counts)
        if finding is None:
            lake.remove()
        else:
            self.keep_round(number, kind, lake, story, finding)
        return kind, story, finding

    def play(self, kind, lake, rng, story, seed):
        if kind == "sweep":
            statement = sweep.statement_for(rng, self.base.world.copy(), self.options.statement)
            most = None if self.options.statement else 5
            sweep.sweep(lake, self.base, statement, rng, story, most)
        elif kind == "beside":
            processes = rng.choice((2, 2, 3, 3, 4, 6, 8))
            statements = max(3, 16 // processes)
            package = self.package if rng.random() < 0.6 else None
            beside.run(lake, rng, story, seed, processes, statements, package)
        else:
            self.base.restore(lake)
            alone = Alone(lake, self.base.world.copy(), story)
            try:
                alone.run(rng, rng.randint(4, 9))
            finally:
                alone.close()

    def keep_round(self, number, kind, lake, story, finding):
        """Keeps the folder of a round that fails, with its story, and says how to repeat it."""
        kept = self.keep / f"seed-{self.options.seed}-round-{number}"
        lake.root.rename(kept)
        (kept / "story.txt").write_text("\n".join(story.lines) + f"\n\n{finding}\n")
        again = f"--seed {self.options.seed} --round {number} --lakesh {self.binary}"
        if self.options.statement:
            again += f" --statement '{self.options.statement}'"
        elif self.options.kind:
            again += f" --kind {self.options.kind}"
        print(f"FAILED round {number} ({kind}): {finding}\n  again: tests/faults/run {again}\n  kept: {kept}/story.txt",
              flush=True)


def figures(counts, rounds, failed, seconds):
    """What is said at the end."""

    def listed(counter):
        return ", ".join(f"{name} {number}" for name, number in sorted(counter.items())) or "none"

    print(f"statements: {listed(counts.statements)}")
    print(f"outcomes: {listed(counts.outcomes)}")
    print(f"faults that hit: {listed(counts.faults)}")
    for name, times in known.seen.items():
        print(f"known: {name}, {times} times: {known.KNOWN[name]}")
    print(f"{rounds} rounds in {seconds:.0f} s, {sum(counts.statements.values())} statements, "
          f"{counts.processes} processes at work, {sum(counts.faults.values())} faults, "
          f"{counts.outcomes['refused']} refused, {failed} failed")


def main():
    options = arguments()
    keep = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="lakesh-faults-kept-")).resolve()
    keep.mkdir(parents=True, exist_ok=True)
    print(f"seed {options.seed}", flush=True)
    begin, rounds, failed = time.monotonic(), 0, 0
    # Where failed rounds are kept, so that a folder can be moved there.
    with tempfile.TemporaryDirectory(dir=keep, prefix="work-") as folder:
        farm = Farm(options, pathlib.Path(folder), keep)
        finding = farm.flushed() if options.round is None else None
        if finding:
            print(f"FAILED: {finding}", flush=True)
            failed += 1
        numbers = [options.round] if options.round is not None else range(options.rounds)
        for number in numbers:
            if options.seconds and time.monotonic() - begin > options.seconds:
                break
            started = time.monotonic()
            kind, story, finding = farm.round(number)
            rounds += 1
            failed += finding is not None
            if options.verbose:
                hit = sum(story.counts.faults.values())
                print(f"round {number}: {kind}, {sum(story.counts.statements.values())} statements, {hit} faults, "
                      f"{time.monotonic() - started:.1f} s, {'FAILED' if finding else 'ok'}", flush=True)
        farm.package.end()
    if not failed and not options.keep:
        keep.rmdir()
    figures(farm.counts, rounds, failed, time.monotonic() - begin)
    sys.stdout.flush()
    # Threads of the deltalake package that still run at the interpreter's end now and then abort it.
    os._exit(1 if failed else 0)


main()
