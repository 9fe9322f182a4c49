"""Tests of the parts that decide what is right: comparison and shrinking. `python -m unittest tester.test_parts`."""

import random
import unittest
from decimal import Decimal

from . import questions, world
from .answers import DOUBLE, NUMBER, TEXT, TIME, Rows, moment
from .compare import agrees, alike, same_rows
from .findings import reason
from .grammar.queries import query
from .shrink import candidates
from .tree import POSTGRES, size, write


def number(text):
    return Decimal(text)


class Comparison(unittest.TestCase):
    def check(self, truth, kinds, got, right, ordered=False):
        self.assertEqual(agrees(Rows(truth, kinds), Rows(got), ordered), right)

    def test_rows_are_a_multiset(self):
        one, two = (number("1"),), (number("2"),)
        self.check([one, two, two], (NUMBER,), [two, one, two], True)
        self.check([one, two, two], (NUMBER,), [one, one, two], False)
        self.check([one, two], (NUMBER,), [two, one], False, ordered=True)

    def test_exact_numbers_are_equal_by_value(self):
        self.check([(number("1.5"),)], (NUMBER,), [(number("1.50"),)], True)
        self.check([(number("36.63"),)], (NUMBER,), [(number("36.629999999999995"),)], False)

    def test_doubles_have_a_tolerance(self):
        self.check([(0.1 + 0.2,)], (DOUBLE,), [(number("0.3"),)], True)
        self.check([(1.0,)], (DOUBLE,), [(number("1.00001"),)], False)

    def test_averages_are_rounded_and_not_cut(self):
        self.check([(2 / 3,)], (DOUBLE,), [(number("0.666667"),)], True)
        self.check([(2 / 3,)], (DOUBLE,), [(number("0.666666"),)], False)

    def test_null_is_no_text(self):
        self.check([(None,)], (TEXT,), [("",)], False)
        self.check([(("b", True),)], ("boolean",), [(True,)], True)

    def test_midnight_is_a_day(self):
        self.assertEqual(moment("2024-01-01T00:00:00"), moment("2024-01-01"))
        self.check([(moment("2024-01-01 01:00:00"),)], (TIME,), [("2024-01-01",)], False)

    def test_nan_equals_itself(self):
        self.assertTrue(same_rows([("NaN",)], [("NaN",)], (DOUBLE,)))

    def test_answers_of_lakesh_alone(self):
        self.assertTrue(alike(Rows([(number("0.30000000000000004"),)]), Rows([(number("0.3"),)])))
        self.assertFalse(alike(Rows([(number("1"),)]), Rows([(number("2"),)])))

    def test_reasons_have_no_names(self):
        self.assertEqual(reason("column `a1` is ambiguous"), reason("column `b2` is ambiguous"))


class Shrinking(unittest.TestCase):
    def test_candidates_are_smaller_and_never_empty(self):
        chance = random.Random(1)
        tables = world.make(chance)
        for _ in range(30):
            tree = query(chance, tables).node
            sizes = [size(candidate) for candidate in candidates(tree)]
            self.assertTrue(all(0 < one < size(tree) for one in sizes))
            self.assertEqual(sizes, sorted(sizes))

    def test_the_same_seed_asks_the_same(self):
        texts = []
        for _ in range(2):
            chance = random.Random("7.0")
            tables = world.make(chance)
            drawn = [questions.draw(chance, tables, list(questions.KINDS)) for _ in range(40)]
            texts.append([write(one.tree, POSTGRES, str) for one in drawn])
        self.assertEqual(*texts)


if __name__ == "__main__":
    unittest.main()
