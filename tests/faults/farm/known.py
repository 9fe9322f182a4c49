"""Defects that are known and not mended yet: counted and named at the end, and no failure. Best is an empty list."""

from collections import Counter

# What is known, each with the reason.
KNOWN = {}

seen = Counter()


def is_known(name):
    """Notes a defect; says whether it is known."""
    if name in KNOWN:
        seen[name] += 1
        return True
    return False
