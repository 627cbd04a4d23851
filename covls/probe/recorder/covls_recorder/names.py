"""The names of tests, pytest's ids and unittest's dotted ones, and what stands for several."""

from __future__ import annotations

from typing import Iterable, Iterator, Set


def holders(test: str) -> Iterator[str]:
    """A test's name, and those of what it is a part of: its function, its classes, its file.

    Of a parametrised test the function is the name without the parameters.
    """
    yield test
    plain = test.partition("[")[0]
    if plain != test:
        yield plain
    separator = "::" if "::" in plain else "."
    while separator in plain:
        plain = plain.rpartition(separator)[0]
        yield plain


def is_asked(test: str, asked: Set[str]) -> bool:
    """Whether a test, or something that it is a part of, was asked for."""
    return not asked.isdisjoint(holders(test))


def not_among(asked: Set[str], tests: Iterable[str]) -> Set[str]:
    """What was asked for, and is none of some tests, nor has one of them as a part."""
    return asked.difference(name for test in tests for name in holders(test))
