"""Chooses by seed what fails: which calls, where, from which number on, for how long."""

from .control import CALLS_ALL, FOR_GOOD, KILLS, PLACES, WRITES_ALL, Rule

WEIGHTS = {"kill before": 3, "kill after": 3, "torn": 2, "full": 3, "broken": 3, "lost": 2, "short": 1,
           "interrupted": 1, "slow": 1}

# So many calls a statement usually makes there.
USUAL = {"data": 5, "log": 4, "catalog": 25, "target": 10, "spill": 8, "home": 10, "other": 6}

# What a full disk refuses.
GROWING = ("write", "open", "mkdir", "copy", "link", "rename", "sync")
# What a signal may interrupt, and a program has to begin anew. Reads of files are not interrupted by Linux.
INTERRUPTED = ("write", "open")
BYTES = ("write", "read", "copy")


def choose(rng, statement):
    """Chooses a rule for a statement."""
    fault = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    places = tuple(PLACES) if rng.random() < 0.25 else (rng.choice(statement.places),)
    usual = 30 if len(places) > 1 else USUAL[places[0]]
    return rule(rng, fault, rng.randint(1, usual), places)


def rule(rng, fault, number, places=tuple(PLACES), calls=None):
    """Makes a rule of a fault that is chosen already."""
    times, delay = 1, 0
    if fault == "full":
        calls, times = calls or GROWING, rng.choice((2, 5, FOR_GOOD, FOR_GOOD))
    elif fault == "broken":
        calls = calls or (("read",) if rng.random() < 0.15 else WRITES_ALL)
        times = rng.choice((1, 1, 3, FOR_GOOD))
    elif fault == "interrupted":
        calls, times = INTERRUPTED, rng.randint(1, 3)
    elif fault == "short":
        calls, times = BYTES, rng.choice((1, 5, FOR_GOOD))
    elif fault == "slow":
        calls, times, delay = calls or CALLS_ALL, rng.randint(1, 15), rng.randint(5, 40)
    elif fault in KILLS and rng.random() < 0.3:
        calls = calls or (rng.choice(("write", "rename", "link", "unlink", "sync", "open")),)
    return Rule(fault, number, times, calls or WRITES_ALL, places, delay)
