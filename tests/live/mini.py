"""Small projects that have much of what makes tests depend on each other's sources."""

FILES = {
    "pyproject.toml": """\
[tool.coverage.run]
branch = true
source = ["."]

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
""",
    "README.md": "# Mini\n",
    "pkg/__init__.py": '"""A package."""\n\nfrom pkg.money import Money\n\n__all__ = ["Money"]\n',
    "pkg/registry.py": '''\
"""Functions by name."""

RULES = {}
LIMIT = 3


def rule(name, *, weight=1):
    """Register a function."""

    def register(function):
        RULES[name] = (weight, function)
        return function

    return register


def heaviest():
    return max(RULES, key=lambda name: (RULES[name][0], name))


def within(count):
    if count > LIMIT:
        return False
    return True
''',
    "pkg/money.py": '''\
"""Amounts."""

from dataclasses import dataclass
from functools import lru_cache, total_ordering

CENTS = 100


@total_ordering
@dataclass(frozen=True)
class Money:
    """An amount."""

    cents: int
    currency: str = "EUR"

    def __add__(self, other):
        if self.currency != other.currency:
            raise ValueError("another currency")
        return Money(self.cents + other.cents, self.currency)

    def __lt__(self, other):
        return self.cents < other.cents

    @property
    def text(self):
        whole, part = divmod(self.cents, CENTS)
        return f"{whole}.{part:02} {self.currency}"

    @classmethod
    def parse(cls, text):
        amount, _, currency = text.partition(" ")
        whole, _, part = amount.partition(".")
        return cls(int(whole) * CENTS + int(part or 0), currency or "EUR")


@lru_cache(maxsize=None)
def rate(currency):
    rates = {"EUR": 100, "USD": 110}
    if currency in rates:
        return rates[currency]
    raise KeyError(currency)


def exchanged(money, currency):
    cents = money.cents * rate(currency) // rate(money.currency)
    return Money(cents, currency)
''',
    "pkg/cart.py": '''\
"""A cart, and what it costs."""

import contextlib

from pkg.money import Money, exchanged
from pkg.registry import RULES, rule, within


class Base:
    kind = "base"

    def describe(self):
        return f"{self.kind}: {self.count()}"

    def count(self):
        raise NotImplementedError


class Cart(Base):
    kind = "cart"

    def __init__(self, items=()):
        self.items = list(items)

    def add(self, price, *, times=1):
        for _ in range(times):
            self.items.append(price)
        return self

    def count(self):
        return len(self.items)

    def total(self, rules=()):
        total = Money(0)
        for item in self.items:
            total = total + (item if item.currency == "EUR" else exchanged(item, "EUR"))
        for name in rules:
            total = RULES[name][1](total)
        return total

    def dear(self):
        return [item for item in self.items if item > Money(1000)]

    @contextlib.contextmanager
    def emptied(self):
        items, self.items = self.items, []
        try:
            yield self
        finally:
            self.items = items


@rule("half", weight=2)
def half(total):
    return Money(total.cents // 2, total.currency)


@rule("gift")
def gift(total):
    if total.cents < 500:
        return total
    return Money(total.cents - 500, total.currency)


def may_ship(cart):
    match cart.count():
        case 0:
            return False
        case count if not within(count):
            return False
        case _:
            return True
''',
    "pkg/stream.py": '''\
"""Generators and coroutines."""

import asyncio


def numbers(stop):
    number = 0
    while True:
        if number >= stop:
            return
        yield number
        number += 1


async def slow(value):
    await asyncio.sleep(0)
    return value


def gather(*values):
    async def all_of():
        return [await slow(value) for value in values]

    return asyncio.run(all_of())


def parsed(words):
    found = []
    for word in words:
        try:
            found.append(int(word))
        except ValueError:
            continue
        else:
            found.append(0)
    return found
''',
    "pkg/lazy.py": '''\
"""Imported where it is needed."""


class Value:
    one = 1


def value():
    return Value.one


def other():
    return value() + 1
''',
    "pkg/never.py": '"""Nobody imports this."""\n\n\ndef never():\n    return 1\n',
    "tests/conftest.py": """\
import pytest
from pkg.cart import Cart
from pkg.money import Money


@pytest.fixture
def cart():
    return Cart([Money(300), Money(2000)])


@pytest.fixture(scope="session")
def gift_rule():
    from pkg.registry import RULES

    return RULES["gift"][1]
""",
    "tests/helpers.py": """\
from pkg.money import Money


def euros(amount):
    return Money(amount * 100)


def check_total(cart, amount, *rules):
    assert cart.total(rules) == euros(amount)
""",
    "tests/test_money.py": """\
import pytest
from pkg import Money
from pkg.money import exchanged, rate


@pytest.mark.parametrize(("text", "cents"), [("1.50 EUR", 150), ("2 USD", 200), ("3", 300)])
def test_parse(text, cents):
    assert Money.parse(text).cents == cents


def test_text():
    assert Money(1234).text == "12.34 EUR"


class TestSums:
    one = Money(1)

    def test_same(self):
        assert self.one + Money(2) == Money(3)

    def test_other(self):
        with pytest.raises(ValueError):
            self.one + Money(1, "USD")

    def test_order(self):
        assert self.one < Money(2)
        assert self.one >= Money(1)


def test_rate():
    assert rate("EUR") == 100


def test_rate_again():
    assert rate("EUR") == 100
    with pytest.raises(KeyError):
        rate("XYZ")


def test_exchanged():
    assert exchanged(Money(100), "USD").cents == 110
""",
    "tests/test_cart.py": """\
import pytest
from helpers import check_total, euros
from pkg.cart import Cart, may_ship
from pkg.money import Money


@pytest.fixture(scope="module")
def full():
    cart = Cart()
    cart.add(euros(5), times=3)
    return cart


def test_total(cart):
    check_total(cart, 23)


def test_half(cart):
    check_total(cart, 11.5, "half")


def test_gift(cart, gift_rule):
    check_total(cart, 18, "gift")
    assert gift_rule(euros(1)) == euros(1)


def test_dollars(cart):
    cart.add(Money(110, "USD"))
    assert cart.total().cents == 2400


def test_full(full):
    assert full.count() == 3
    assert may_ship(full)


def test_full_total(full):
    check_total(full, 15)


class TestShips:
    def test_empty(self):
        assert not may_ship(Cart())

    def test_many(self):
        assert not may_ship(Cart([1, 2, 3, 4]))


def test_describe(cart):
    assert cart.describe() == "cart: 2"


def test_emptied(cart):
    with cart.emptied() as empty:
        assert empty.count() == 0
    assert cart.count() == 2


def test_dear(cart):
    assert cart.dear() == [Money(2000)]
""",
    "tests/test_stream.py": """\
from pkg.stream import gather, numbers, parsed


def test_numbers():
    assert list(numbers(3)) == [0, 1, 2]


def test_first():
    assert next(numbers(3)) == 0


def test_gather():
    assert gather(1, 2) == [1, 2]


def test_parsed():
    assert parsed(["1", "x"]) == [1, 0]
""",
    "tests/test_lazy.py": """\
def test_value():
    from pkg.lazy import value

    assert value() == 1


def test_other():
    from pkg.lazy import other

    assert other() == 2


def test_heaviest():
    from pkg.registry import heaviest

    import pkg.cart  # noqa: F401

    assert heaviest() == "half"
""",
}

UNITTEST_FILES = {
    **{name: text for name, text in FILES.items() if not name.startswith("tests/")},
    "pyproject.toml": '[tool.coverage.run]\nbranch = true\nsource = ["."]\n',
    "tests/__init__.py": "",
    "tests/base.py": """\
import unittest

from pkg.cart import Cart
from pkg.money import Money


class CartCase(unittest.TestCase):
    prices = (300, 2000)

    def setUp(self):
        self.cart = Cart([Money(price) for price in self.prices])

    def check_total(self, cents, *rules):
        self.assertEqual(self.cart.total(rules).cents, cents)


class Shared:
    def test_describe(self):
        self.assertIn("cart", self.cart.describe())
""",
    "tests/test_cart.py": """\
import unittest

from pkg.cart import Cart, may_ship
from pkg.money import Money
from tests.base import CartCase, Shared


class TestTotals(Shared, CartCase):
    def test_total(self):
        self.check_total(2300)

    def test_rules(self):
        for rule, cents in (("half", 1150), ("gift", 1800)):
            with self.subTest(rule):
                self.check_total(cents, rule)

    def test_dear(self):
        self.assertEqual(self.cart.dear(), [Money(2000)])


class TestFull(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.full = Cart().add(Money(500), times=3)

    def test_count(self):
        self.assertEqual(self.full.count(), 3)

    def test_ships(self):
        self.assertTrue(may_ship(self.full))

    def test_empty(self):
        self.assertFalse(may_ship(Cart()))
""",
    "tests/test_money.py": """\
import unittest

from pkg import Money
from pkg.money import exchanged, rate


def setUpModule():
    rate("USD")


class TestMoney(unittest.TestCase):
    def test_parse(self):
        self.assertEqual(Money.parse("1.50 EUR").cents, 150)

    def test_text(self):
        self.assertEqual(Money(1234).text, "12.34 EUR")

    def test_sum(self):
        self.assertEqual(Money(1) + Money(2), Money(3))

    def test_exchanged(self):
        self.assertEqual(exchanged(Money(100), "USD").cents, 110)


class TestRate(unittest.TestCase):
    def test_unknown(self):
        with self.assertRaises(KeyError):
            rate("XYZ")

    def test_known(self):
        self.assertEqual(rate("EUR"), 100)
""",
    "tests/test_stream.py": """\
import unittest

from pkg.stream import gather, numbers, parsed


class TestStream(unittest.TestCase):
    def test_numbers(self):
        self.assertEqual(list(numbers(3)), [0, 1, 2])

    def test_gather(self):
        self.assertEqual(gather(1, 2), [1, 2])

    def test_parsed(self):
        self.assertEqual(parsed(["1", "x"]), [1, 0])


class TestLazy(unittest.TestCase):
    def test_value(self):
        from pkg.lazy import value

        self.assertEqual(value(), 1)

    def test_other(self):
        from pkg.lazy import other

        self.assertEqual(other(), 2)
""",
}
