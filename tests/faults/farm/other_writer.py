"""The deltalake package as a writer: gets a change as a line of JSON, answers `done`, `refused` or `failed`.

It packs no files: its OPTIMIZE does not look whether others have replaced the same files meanwhile, and doubles
rows then.
"""

import json
import os
import subprocess
import sys


class OtherWriter:
    """A process with the package in it, as the driver sees it."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-m", "farm.other_writer"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def ask(self, **change):
        """Makes a change and says what became of it."""
        self.process.stdin.write(json.dumps(change).encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        return json.loads(answer) if answer else {"state": "failed", "error": "the package's process has ended"}

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)


def change(what, table, condition=None, rows=None, add=0):
    import pyarrow
    from deltalake import DeltaTable, write_deltalake

    if what == "append":
        columns = list(zip(*rows))
        types = (pyarrow.int64(), pyarrow.int64(), pyarrow.int64(), pyarrow.string())
        arrays = [pyarrow.array(column, kind) for column, kind in zip(columns, types)]
        write_deltalake(table, pyarrow.table(arrays, names=["id", "part", "v", "s"]), mode="append")
    elif what == "delete":
        DeltaTable(table).delete(condition)
    elif what == "update":
        DeltaTable(table).update(updates={"v": f"v + {add}"}, predicate=condition)
    else:
        raise ValueError(what)


def main():
    from deltalake.exceptions import CommitFailedError

    for line in sys.stdin:
        try:
            change(**json.loads(line))
            answer = {"state": "done", "error": ""}
        except CommitFailedError as error:
            answer = {"state": "refused", "error": str(error)}
        except Exception as error:
            answer = {"state": "failed", "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
    # Threads of the package that still run at the interpreter's end now and then abort it.
    os._exit(0)


if __name__ == "__main__":
    main()
