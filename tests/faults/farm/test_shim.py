"""Tests of the shim over a small Python program: `python -m unittest farm.test_shim` in the folder above."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from .control import FOR_GOOD, Control, Rule

# Writes four bytes twice to a new file, gives it a name, and says what each call did.
PROGRAM = """
import os, sys
def call(what, *arguments):
    try:
        print(what.__name__, what(*arguments), flush=True)
    except OSError as error:
        print(what.__name__, error.errno, flush=True)
file = os.open("work/new", os.O_CREAT | os.O_WRONLY)
call(os.write, file, b"abcd")
call(os.write, file, b"efgh")
call(os.fsync, file)
call(os.rename, "work/new", "work/_delta_log")
"""


class Shim(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        (self.root / "work").mkdir()
        self.shim = self.root / "shim.so"
        source = pathlib.Path(__file__).parent.parent / "shim.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self.shim, source], check=True)

    def tearDown(self):
        self.folder.cleanup()

    def run_with(self, rule):
        """Returns what the program printed, how it ended, what the rule did and what the file holds."""
        found = [(self.root / "work" / name) for name in ("new", "_delta_log")]
        for path in found:
            path.unlink(missing_ok=True)
        control = Control(self.root / "control")
        control.arm(rule)
        variables = os.environ | {"LD_PRELOAD": str(self.shim), "LAKESH_FAULTS": str(control.path),
                                  "LAKESH_FAULTS_ROOT": str(self.root)}
        done = subprocess.run([sys.executable, "-S", "-c", PROGRAM], cwd=self.root, env=variables,
                              capture_output=True, check=False)
        hit = control.disarm()
        control.close()
        content = [path.read_bytes() if path.exists() else None for path in found]
        return done.stdout.decode().split("\n")[:-1], done.returncode, hit, content

    def check(self, rule, printed, status, new, renamed, fired=1):
        lines, code, hit, content = self.run_with(rule)
        self.assertEqual((lines, code, content, hit.fired), (printed, status, [new, renamed], fired))

    def test_nothing_happens_without_a_rule_that_fits(self):
        whole = ["write 4", "write 4", "fsync None", "rename None"]
        self.check(Rule("none"), whole, 0, None, b"abcdefgh", 0)
        self.check(Rule("broken", 3, calls=("write",)), whole, 0, None, b"abcdefgh", 0)
        self.check(Rule("broken", places=("catalog",)), whole, 0, None, b"abcdefgh", 0)
        self.check(Rule("slow", times=FOR_GOOD, delay=1), whole, 0, None, b"abcdefgh", 5)

    def test_calls_are_counted(self):
        self.assertEqual(self.run_with(Rule("none"))[2].seen, 5)

    def test_kills(self):
        write = ("write",)
        self.check(Rule("kill before", 2, calls=write), ["write 4"], -9, b"abcd", None)
        self.check(Rule("kill after", 2, calls=write), ["write 4"], -9, b"abcdefgh", None)
        self.check(Rule("torn", 2, calls=write), ["write 4"], -9, b"abcdef", None)

    def test_errors(self):
        self.check(Rule("full", 1, FOR_GOOD, calls=("write",)), ["write 2", "write 28", "fsync None", "rename None"],
                   0, None, b"ab", 2)
        self.check(Rule("broken", calls=("sync",)), ["write 4", "write 4", "fsync 5", "rename None"],
                   0, None, b"abcdefgh")
        self.check(Rule("lost", places=("log",)), ["write 4", "write 4", "fsync None", "rename 5"],
                   0, None, b"abcdefgh")
        self.check(Rule("short", calls=("write",)), ["write 2", "write 4", "fsync None", "rename None"],
                   0, None, b"abefgh")

    def test_the_first_hit_is_named(self):
        hit = self.run_with(Rule("broken", places=("log",)))[2]
        self.assertEqual((hit.seen, hit.where), (1, f"rename {self.root / 'work' / '_delta_log'}"))


if __name__ == "__main__":
    unittest.main()
