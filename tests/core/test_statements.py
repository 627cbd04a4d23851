"""Statements as coverage.py counts them, and when two of them are the same code."""

import sys
import sysconfig
import tokenize
import warnings
from pathlib import Path

import pytest
from coverage.parser import multiline_map_from_text

from covls.core.lines import split_lines
from covls.core.statements import (
    NotLexedError,
    Text,
    key_of,
    logical_lines,
    may_have_parts,
    names_of,
    parts_of,
    runs,
)
from covls.core.statements import same_code as same_tree


def same(one: str, other: str) -> bool:
    """Whether two statements are taken for the same, by either way."""
    if key_of(one) == key_of(other):
        return True
    return names_of(key_of(one)) == names_of(key_of(other)) and same_tree(one, other)


SAME = [
    ("a docstring's indentation", '"""a\n    b"""', '"""a\n  b\n"""'),
    ("what is deleted, in brackets", "del a, b", "del (\n  a,\n  b,\n)"),
    ("the sign of an exponent", "a = 1.5E+3 + .5e3", "a = 1.5e3 + 0.5e3"),
    ("spaces", "a=b [ 1 ]", "a = b[1]"),
    ("quotes", "f('a')", 'f("a")'),
    ("quotes that have to be escaped", "f('it\\'s')", 'f("it\'s")'),
    ("three quotes", "f('''a''')", 'f("a")'),
    ("a string's prefix in capitals, or of no meaning", "f(R'a', u'b', B'c')", "f('a', 'b', b'c')"),
    ("a raw string", r"f(r'\d')", r'f(r"\d")'),
    ("strings side by side", "f('a' 'b')", "f('ab')"),
    ("a comment", "f(a,  # why\n  b)", "f(a, b)"),
    ("a comment behind one that is heeded", "a  # pragma: x", "a  # pragma: x  # b"),
    ("a backslash", "a = \\\n  b", "a = b"),
    ("brackets", "return (a)", "return a"),
    ("brackets around a tuple", "for a in (b, c):", "for (a) in b, c:"),
    ("a class's empty brackets", "class A():", "class A:"),
    ("a call's trailing comma", "f(a,)", "f(a)"),
    ("a definition's", "def f(a,):", "def f(a):"),
    ("an import's", "from a import (b,)", "from a import b"),
    ("a tuple's, of two", "a = (b, c,)", "a = b, c"),
    ("a list's", "a = [b,]", "a = [b]"),
    ("a header's, with else", "elif (a):", "elif a:"),
    ("a handler's", "except (A):", "except A:"),
    ("a case's", "case (1):", "case 1:"),
    ("a subject's", "match (a):", "match a:"),
    ("a decorator's", "@(a)", "@a"),
    ("numbers", "a = 0XFF + 1E5 + .5", "a = 0xff + 1e5 + 0.5"),
    ("a semicolon", "a;", "a"),
    ("braces that open nothing", "a == '{'  # why", 'a == "{"'),
    ("a field's spaces", "f'{ a }'", "f'{a}'"),
]


@pytest.mark.parametrize(("why", "one", "other"), SAME, ids=[row[0] for row in SAME])
def test_the_same(why: str, one: str, other: str) -> None:
    assert same(one, other)
    assert same(other, one)


DIFFERENT = [
    ("a string's spaces", "x = 'a b'", "x = 'a  b'"),
    ("a string's prefix", r"f('\n')", r"f(r'\n')"),
    ("text and bytes", "f('a')", "f(b'a')"),
    ("a tuple of one", "a = (b,)", "a = (b)"),
    ("a subscript's tuple", "a[b,]", "a[b]"),
    ("of something named match", "match[b,]", "match[b]"),
    ("a tuple of a function", "(lambda a, b: a,)", "(lambda a, b: a)"),
    ("if and elif", "if a:", "elif a:"),
    ("a generator and a tuple", "f((a for a in b))", "f((a for a in b), )[0]"),
    ("True and 1", "f((True))", "f(1)"),
    ("1 and 1.0", "f((1))", "f(1.0)"),
    ("order of arithmetic", "(a + b) * c", "a + (b * c)"),
    ("comparisons in a chain", "(a < b) < c", "a < b < c"),
    ("strings that begin a comment", "f('#a')", "f('#b')"),
    ("what coverage.py is told", "a", "a  # pragma: no cover"),
    ("what follows on the line below it", "f(  # pragma: x\n a)", "f(  # pragma: x a\n)"),
    ("an f-string's text", "f'{a} b'", "f'{a}  b'"),
    ("strings in an f-string, alike to older Pythons", "f'{a['b c']}'", "f'{a['b  c']}'"),
]


@pytest.mark.parametrize(("why", "one", "other"), DIFFERENT, ids=[row[0] for row in DIFFERENT])
def test_not_the_same(why: str, one: str, other: str) -> None:
    assert not same(one, other)
    assert not same(other, one)


NESTED = ("f'{f' {a}\\n' if a else ''} b'", "f\"{f' {a}\\n' if a else ''} b\"")


@pytest.mark.parametrize("one", NESTED)
@pytest.mark.parametrize("other", NESTED)
def test_strings_in_f_strings_as_formatters_quote_them(one: str, other: str) -> None:
    """Which only Python 3.12 and later parse, if the quotes are the same."""
    assert names_of(key_of(f"c( {one})")) == names_of(key_of(f"c({other} )"))
    if one == other or sys.version_info >= (3, 12):
        assert same(f"c( {one})", f"c({other} )")


def test_comparing_warns_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not same("f('\\d' 'a')", "f('\\da')"), "an escape that Python warns of"
        assert same("f('\\\\d' 'a')", "f('\\\\da')")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("else:", False),
        ("finally:", False),
        ("try:", True),
        ("'''a\nb'''", False),
        ("('a' 'b')", False),
        ("f'{a}'", True),
        ("'a'.b()", True),
        ("global a", False),
        ("globals()", True),
    ],
)
def test_runs(source: str, expected: bool) -> None:
    assert runs(key_of(source)) is expected


PARTS = [
    ("a = 1; b = 2;", ["a = 1", "b = 2"]),
    ("if a: b; c", ["if a:", "b", "c"]),
    ("class A(B): pass  # why", ["class A(B):", "pass  # why"]),
    ("else: b", ["else:", "b"]),
    ("if (a := {1: 2}[b:c]): d", ["if (a := {1: 2}[b:c]):", "d"]),
    ("if a := b: c", ["if a := b:", "c"]),
    ("if lambda: a: b", ["if lambda: a:", "b"]),
    ("def f(a: b = ';') -> c: return d", ["def f(a: b = ';') -> c:", "return d"]),
    ("if a:  # b", ["if a:"]),
    ("if a:  # pragma: no cover", ["if a:  # pragma: no cover"]),
    ("if a: f'{f'{b:c}'}'; d", ["if a:", "f'{f'{b:c}'}'", "d"]),
    ("a: b = c", ["a: b = c"]),
    ("iffy: b = c", ["iffy: b = c"]),
]


@pytest.mark.parametrize(("source", "expected"), PARTS, ids=[row[0] for row in PARTS])
def test_parts(source: str, expected: list[str]) -> None:
    assert parts_of(source) == expected
    assert len(expected) == 1 or may_have_parts(key_of(source))


TEXTS = [
    ("a comment in brackets may hold any", "f(  # don't (\n  a)\nb", [(1, 2), (3, 3)]),
    ("a string may hold a comment", "a = '# (' \nb", [(1, 1), (2, 2)]),
    ("a string that goes on in the next line", "a = 'b\\\nc'\nd", [(1, 2), (3, 3)]),
    ("strings in an f-string of the same quotes", "a = f'{b['(']}'\nc", [(1, 1), (2, 2)]),
    ("and with more in them", "a = f'{b[f'{c!r:>{d}}'] + '}'}' # '\ne", [(1, 1), (2, 2)]),
    ("braces that are text", "a = f'{{{b}' \nc", [(1, 1), (2, 2)]),
    ("an f-string of many lines", "a = f'''{\nb['x']} {{\n'''\nc", [(1, 3), (4, 4)]),
    ("a backslash before a statement", "a\n\\\nb", [(1, 1), (3, 3)]),
    ("a form feed", "\fa\nb", [(1, 1), (2, 2)]),
]


@pytest.mark.parametrize(("why", "text", "expected"), TEXTS, ids=[row[0] for row in TEXTS])
def test_logical_lines(why: str, text: str, expected: list[tuple[int, int]]) -> None:
    assert list(logical_lines(text.split("\n"))) == expected


@pytest.mark.parametrize(
    "text", ["a = (b", "a = 'b", "a = '''b\nc", "f(\ndef g():\n  a)", "a = f'{b", "a = f'{b}{'\n'"]
)
def test_a_text_that_does_not_end(text: str) -> None:
    with pytest.raises(NotLexedError):
        list(logical_lines(text.split("\n")))
    assert not Text(text.split("\n")).lexed


def test_statements_of_the_standard_library_are_those_of_coverage() -> None:
    folder = Path(sysconfig.get_path("stdlib"))
    for path in sorted(folder.glob("*.py"))[::4]:
        with tokenize.open(path) as file:
            text = file.read()
        wanted = multiline_map_from_text(text)
        text_of = Text(split_lines(text))
        assert text_of.lexed
        found = {
            line: start
            for start, end in zip(text_of.starts, text_of.ends, strict=True)
            if end > start
            for line in range(start, end + 1)
        }
        assert found == wanted, path
