"""How the scripts about feature functions compare two columns, and the exact arithmetic that they use."""

import math
from fractions import Fraction


class Comparison:
    """Collects what differs."""

    def __init__(self):
        self.problems = []
        self.compared = 0

    def column(self, name, found, expected, tolerance=1e-9, scale=None):
        """Compares values one by one; NULL, NaN and infinities have no tolerance."""
        found, expected = list(found), list(expected)
        if len(found) != len(expected):
            self.problems.append(f"{name}: {len(found)} rows instead of {len(expected)}")
            return
        for row, (one, other) in enumerate(zip(found, expected)):
            self.compared += 1
            size = scale[row] if scale is not None else 0.0
            if not same(one, other, tolerance, size):
                self.problems.append(f"{name}, row {row}: {one!r} instead of {other!r}")
                if len(self.problems) > 40:
                    return


def same(one, other, tolerance, size):
    if one is None or other is None:
        return one is None and other is None
    if not isinstance(one, (int, float)):
        return one == other
    one, other = float(one), float(other)
    if not math.isfinite(one) or not math.isfinite(other):
        return one == other or (math.isnan(one) and math.isnan(other))
    return abs(one - other) <= tolerance * max(abs(other), size)


def rational(values):
    """The values that are numbers, exactly."""
    return [Fraction(value) for value in values]


def root(value):
    """The square root of a fraction, rounded once."""
    if value == 0:
        return 0.0
    # An integer square root of 120 bits and more is exact enough for a double.
    shift = max(0, 240 - (value.numerator.bit_length() - value.denominator.bit_length()))
    shift += shift % 2
    return float(Fraction(math.isqrt((value.numerator << shift) // value.denominator), 1 << (shift // 2)))
