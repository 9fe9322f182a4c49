"""Rounds with one statement that fails at one call after the other, each time from the same state."""

import random
import shutil

from . import checks, faults, workload
from .alone import Alone
from .control import PLACES, WRITES_ALL, Rule
from .lake import Finding, Lake

KINDS = ("kill before", "kill after", "torn", "full", "broken", "lost")


def statement_for(rng, world, kind=None):
    """Chooses the statement; `kind` asks for one of its kind."""
    while True:
        statement = workload.choose(rng, world)
        if statement.kind != "COPY with spilling" and kind in (None, statement.kind):
            return statement


def sweep(lake, base, statement, rng, story, most=None):
    """Counts the statement's calls, then lets one after the other fail; `most` limits how many."""
    hit = attempt(lake, base, statement, Rule("none", calls=WRITES_ALL), story)
    numbers = list(range(1, hit.seen + 1))
    if most is not None and len(numbers) > most:
        numbers = sorted(rng.sample(numbers, most))
    for number in numbers:
        fault = rng.choice(KINDS)
        rule = faults.rule(rng, fault, number, tuple(PLACES), WRITES_ALL)
        attempt(lake, base, statement, rule, story)


def attempt(lake, base, statement, rule, story):
    """Runs the statement from the first state and checks all that is left."""
    base.restore(lake)
    alone = Alone(lake, base.world.copy(), story)
    try:
        hit = alone.step(statement, rule)
        # The statement has drawn its ids from another copy of the world; these must be others.
        alone.world.fresh(1000)
        # Whoever works on finds nothing in the way.
        alone.step(workload.KINDS["INSERT"][0](random.Random(1), alone.world), None)
        alone.finish()
    finally:
        alone.close()
    return hit


def check_flushed(lake, base, story):
    """The data files and the entry of a commit are flushed to the disk, and a disk that fails then is heard of."""
    statement = workload.KINDS["INSERT"][0](random.Random(1), base.world.copy())
    for place in ("data", "log"):
        hit = attempt(lake, base, statement, Rule("none", calls=("sync",), places=(place,)), story)
        if not hit.seen:
            raise Finding(f"nothing is flushed to the disk ({place}): {statement.sql}")
        attempt(lake, base, statement, Rule("broken", calls=("sync",), places=(place,)), story)


class Base:
    """The first state of all rounds: a folder that is copied, and the world that describes it."""

    def __init__(self, folder, binary, shim):
        from .model import World

        self.world = World()
        lake = Lake(folder, binary, shim)
        lake.answer(";".join(workload.beginning(self.world)))
        with checks.Reader(lake) as reader:
            snapshot = checks.Snapshot(reader, lake, self.world)
        checks.compare(snapshot, self.world)
        for table in workload.LOCATED:
            self.world.versions[table] = {snapshot.versions[table]: self.world.rows(table)}
        self.folder = lake.root

    def restore(self, lake):
        """Makes a lake's folders what they are in the first state."""
        for name in ("work", "home", "temp"):
            shutil.rmtree(lake.root / name, ignore_errors=True)
            shutil.copytree(self.folder / name, lake.root / name)
