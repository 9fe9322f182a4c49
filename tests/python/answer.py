"""What the scripts of this folder share: giving the answer and leaving."""

import json
import os
import sys


def give(value):
    """Prints the answer as JSON and ends the process at once.

    The libraries' own threads may still run when the interpreter takes itself down, which now and
    then aborts the process ("terminate called without an active exception"), so it does not.
    """
    print(json.dumps(value))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
