"""lakesh with the tables of a world in every shape: makes them, asks queries of them, changes copies of them."""

import os
import shutil
import sys

from .answers import Rows
from .tree import LAKESH, write


class Lake:
    """The shapes of the tables at hand. Each making has names of its own, so that none has to be dropped."""

    def __init__(self, shell, shapes):
        self.shell, self.shapes = shell, shapes
        self.making = 0
        self.copies = 0
        self.missing = {}  # Tables that a shape cannot be made of, with the reason.

    def load(self, tables, shapes=None):
        """Makes tables anew, in all shapes or in some."""
        self.making += 1
        self.shell.setup.clear()
        self.missing.clear()
        self.world = {table.name: table for table in tables}
        for shape in shapes or self.shapes:
            for table in tables:
                if not shape.wants(table):
                    self.missing[shape.name, table.name] = "not wanted"
                    continue
                self.make(shape, table)

    def make(self, shape, table):
        for step in shape.steps(table, self.name(shape, table.name)):
            try:
                self.take(step)
            except Exception as error:  # A writer that cannot write this table is no finding about queries.
                self.missing[shape.name, table.name] = f"{type(error).__name__}: {error}"
                return

    def take(self, step):
        if step.language == "python":
            run_python(step.text, self.shell.folder)
            return
        self.shell.run(step.text)
        if step.session:
            self.shell.setup.append(step.text)

    def name(self, shape, table):
        return f"{table}_{shape.name}_{self.making}"

    def has(self, shape, names):
        return not any((shape.name, name) in self.missing for name in names)

    def text(self, tree, shape, own=None):
        """A statement over the tables in a shape; `own` has names that go before."""
        own = own or {}
        return write(tree, LAKESH, lambda name: own.get(name) or shape.relation.format(name=self.name(shape, name)))

    def ask(self, tree, shape, setting):
        on, off = setting.on(), setting.off()
        answer = self.shell.ask(f"{on} {self.text(tree, shape)}; {off}")
        return answer

    def change(self, tree, target, shape, setting):
        """The rows of a copy of a table after a change."""
        self.copies += 1
        origin = self.name(shape, target)
        copy = f"{target}_copy_{self.copies}"
        shutil.copytree(os.path.join(self.shell.folder, origin), os.path.join(self.shell.folder, copy))
        self.shell.run(f"CREATE EXTERNAL TABLE {copy} STORED AS DELTA LOCATION '{copy}'")
        changed = self.shell.ask(f"{setting.on()} {self.text(tree, shape, {target: copy})}; {setting.off()}")
        if isinstance(changed, Rows):
            changed = self.shell.ask(f"SELECT * FROM {copy}")
        self.shell.ask(f"DROP TABLE IF EXISTS {copy}")
        shutil.rmtree(os.path.join(self.shell.folder, copy), ignore_errors=True)
        return changed


def run_python(text, folder):
    """Runs a step of another writer in lakesh's folder."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        exec(compile(text, "<shape>", "exec"), {"__name__": "shape"})  # The text is this tester's own.
    finally:
        os.chdir(before)
        sys.stdout.flush()
