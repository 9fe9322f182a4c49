"""Rounds with one session: each statement may meet a fault, and the model knows each outcome exactly."""

from . import checks, faults, workload
from .control import HARMLESS, KILLS, Control
from .known import is_known
from .lake import Finding, Outcome, Session

# How many of the statements meet a fault.
FAULTY = 0.6

# What makes a session ready for the workload.
PREPARATION = "set lakesh.vacuum_retention_check = false"
ARGUMENTS = ("--memory-limit", "20MiB", "--threads", "2")


def check_failure(statement, rule, outcome):
    """A statement that met a fault was killed, or says why it failed: a failure of a file ends the process
    with status 3."""
    killed = outcome.status == -9 and rule.fault in KILLS
    if outcome.state == "dead" and outcome.status != 3 and not killed:
        raise Finding(f"the process ended with status {outcome.status}: {statement.sql}\n{outcome.error}")
    if outcome.state == "failed":
        raise Finding(f"status 1 where a file failed: {statement.sql}\n{outcome.error}")
    if not killed and not outcome.error.strip():
        raise Finding(f"fails without a word: {statement.sql}")


def check_read(statement, rule):
    """A full disk under the catalog is in no reader's way."""
    is_stopped = statement.kind == "SELECT" and rule.fault == "full" and rule.places == ("catalog",)
    if is_stopped and not is_known("reads of a full catalog"):
        raise Finding(f"a full disk under the catalog stops a read: {statement.sql}")


class Alone:
    """One session in a lake whose first state a world describes."""

    def __init__(self, lake, world, story):
        self.lake, self.world, self.story = lake, world, story
        self.control = Control(lake.root / "control")
        self.session = None

    def run(self, rng, statements):
        """Runs statements chosen by seed, and checks all that is left."""
        for _ in range(statements):
            statement = workload.choose(rng, self.world)
            rule = faults.choose(rng, statement) if rng.random() < FAULTY else None
            self.step(statement, rule)
        return self.finish()

    def step(self, statement, rule):
        """Runs a statement, and learns from what is there whether one that met a fault took effect."""
        if statement.forgets:
            self.world.versions.pop(statement.forgets, None)
        outcome, hit = self.attempt(statement, rule)
        self.story.statement("session", statement, rule, hit, outcome)
        harmless = not hit or not hit.fired or rule.fault in HARMLESS
        if outcome.state == "done":
            self.world.apply(statement)
        elif harmless:
            raise Finding(f"fails although nothing stood in its way: {statement.sql}\n{outcome.error}")
        else:
            check_read(statement, rule)
            check_failure(statement, rule, outcome)
            self.learn(statement)
        return hit

    def attempt(self, statement, rule):
        if statement.arguments:
            return self.attempt_process(statement, rule)
        if not self.session:
            self.session = Session(self.lake, "session", self.control, ARGUMENTS)
            self.story.counts.processes += 1
            prepared = self.session.run(PREPARATION)
            if prepared.state != "done":
                raise Finding(f"a session does not start: {prepared.error}")
        if rule:
            self.control.arm(rule)
        outcome = self.session.run(statement.sql)
        hit = self.control.disarm() if rule else None
        if outcome.state == "dead":
            self.session = None
        return outcome, hit

    def attempt_process(self, statement, rule):
        """Runs a process of its own, which meets the fault from its start on."""
        if rule:
            self.control.arm(rule)
        self.story.counts.processes += 1
        done = self.lake.run(statement.arguments, self.control)
        hit = self.control.disarm() if rule else None
        error = done.stderr.decode(errors="replace")
        state = {0: "done", 1: "failed"}.get(done.returncode, "dead")
        return Outcome(state, (), error, done.returncode), hit

    def learn(self, statement):
        """The statement took effect as a whole or not at all: finds out which."""
        with checks.Reader(self.lake) as reader:
            snapshot = checks.Snapshot(reader, self.lake, self.world)
        if all(snapshot.fits(thing, value) for thing, value in statement.after.items()):
            self.world.apply(statement)
            self.story.tell("    took effect")
        else:
            self.story.tell("    had no effect")
        checks.compare(snapshot, self.world)
        self.remember(snapshot)

    def remember(self, snapshot):
        for table in workload.LOCATED:
            known = self.world.versions.setdefault(table, {})
            known[snapshot.versions[table]] = self.world.rows(table)

    def finish(self):
        """Ends the session and checks everything."""
        if self.session:
            session, self.session = self.session, None
            status = session.end()
            if status not in (0, 1, 3):
                raise Finding(f"the session ends with status {status}: {session.new_messages()}")
        self.control.close()
        checks.check_all(self.lake, self.world, lambda snapshot: checks.compare(snapshot, self.world))

    def close(self):
        if self.session:
            self.session.kill()
