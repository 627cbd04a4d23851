"""Tests of prices."""

from django.test import SimpleTestCase

from shipping.prices import price


class PriceTests(SimpleTestCase):
    def test_small(self):
        self.assertEqual(price(500), 449)

    def test_larger(self):
        self.assertEqual(price(4_000), 699)

    def test_europe(self):
        self.assertEqual(price(500, "FR"), 949)

    def test_the_world(self):
        self.assertEqual(price(500, "US"), 1_949)

    def test_discount(self):
        self.assertEqual(price(500, discount=10), 404)

    def test_too_heavy(self):
        with self.assertRaises(ValueError):
            price(40_000)
