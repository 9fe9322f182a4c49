"""The shared memory through which one process's file calls are made to fail; the fields are those of shim.c."""

import mmap
import struct
from dataclasses import dataclass

CALLS = {"write": 1, "rename": 2, "link": 4, "unlink": 8, "sync": 16, "open": 32, "truncate": 64, "copy": 128,
         "mkdir": 256, "read": 512}
PLACES = {"data": 1, "log": 2, "catalog": 4, "target": 8, "spill": 16, "home": 32, "other": 64}
FAULTS = {"none": 0, "kill before": 1, "kill after": 2, "torn": 3, "short": 4, "full": 5, "broken": 6, "lost": 7,
          "interrupted": 8, "slow": 9}
CALLS_ALL = tuple(CALLS)
# All that changes something.
WRITES_ALL = tuple(name for name in CALLS if name != "read")
KILLS = ("kill before", "kill after", "torn")

# Faults that a program has to live with: nothing may fail because of them.
HARMLESS = ("none", "short", "interrupted", "slow")

# armed, calls, places, fault, number, times, delay, seen, fired, last_call
FIELDS = struct.Struct("=10I")
PATH = 1024
# More than any statement makes calls.
FOR_GOOD = 1_000_000


@dataclass(frozen=True)
class Rule:
    """From the `number`-th call of some kinds on some places, `times` calls are hit."""

    fault: str
    number: int = 1
    times: int = 1
    calls: tuple = CALLS_ALL
    places: tuple = tuple(PLACES)
    delay: int = 0

    def __str__(self):
        calls = {CALLS_ALL: "any call", WRITES_ALL: "any change"}.get(self.calls, " or ".join(self.calls))
        places = "anywhere" if len(self.places) == len(PLACES) else "on " + " or ".join(self.places)
        times = {1: "", FOR_GOOD: " and all later ones"}.get(self.times, f" and {self.times - 1} more")
        return f"{self.fault} at number {self.number}{times} of {calls} {places}"


@dataclass(frozen=True)
class Hit:
    """What became of a rule: how many calls it looked at, how many it hit, and the first of those."""

    seen: int
    fired: int
    where: str


class Control:
    """A mapped file; the shim of one process at a time reads it."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.write(bytes(FIELDS.size + PATH))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), FIELDS.size + PATH)

    def arm(self, rule):
        """Makes a rule hold from now on."""
        self.memory[:] = bytes(len(self.memory))
        calls = sum(CALLS[name] for name in rule.calls)
        places = sum(PLACES[name] for name in rule.places)
        FIELDS.pack_into(self.memory, 0, 0, calls, places, FAULTS[rule.fault], rule.number, rule.times, rule.delay,
                         0, 0, 0)
        struct.pack_into("=I", self.memory, 0, 1)

    def disarm(self):
        """Ends the rule and says what became of it."""
        struct.pack_into("=I", self.memory, 0, 0)
        values = FIELDS.unpack_from(self.memory, 0)
        path = self.memory[FIELDS.size:].split(b"\0", 1)[0].decode(errors="replace")
        call = next((name for name, bit in CALLS.items() if bit == values[9]), "")
        return Hit(values[7], values[8], f"{call} {path}".strip())

    def close(self):
        self.memory.close()
