"""What an edit did to a source text: which functions, or what outside of them, and where lines are.

Two texts are compared by what Python's parser makes of them. Where it makes the same of a function,
each of its lines has one place in the current text, and what ran there runs there still.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import zip_longest
from typing import Any, Final

from covls.core.drift import drift
from covls.core.lines import LineRange, split_lines
from covls.core.statements import Text

Token = tuple[object, int]
"""Something that the parser found, and its line."""

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_UNSAID: Final = frozenset({"kind", "type_comment", "ctx"})

_KEPT: Final = 32
"""Outlines of so many texts are kept: what is current at one save is the old text at the next."""


@dataclass(slots=True)
class _Code:
    """A stretch of code: what the parser found in it, and the lines of its nodes, in order."""

    tokens: list[Token] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def same(self, other: "_Code") -> bool:
        return len(self.tokens) == len(other.tokens) and all(
            one[0] == another[0] for one, another in zip(self.tokens, other.tokens, strict=True)
        )

    def difference(self, other: "_Code") -> int | None:
        """The line of the other at which it begins to differ, None where it does not."""
        last = 1
        for one, another in zip_longest(self.tokens, other.tokens):
            if one is None or another is None or one[0] != another[0]:
                return another[1] if another is not None else last
            last = another[1]
        return None


@dataclass(frozen=True, slots=True)
class Function:
    """A function that is in no other: its name, with those of classes it is in, and its lines.

    `first` is the line of its first decorator, `start` that of its `def`. `body` is without a
    docstring, and with the functions within it.
    """

    name: str
    first: int
    start: int
    body: LineRange
    decorators: tuple[str, ...]
    """The decorators' source, without their arguments, as `pytest.fixture`."""
    scope: str
    """The `scope` that a decorator is given as a constant, as fixtures are; `?` if computed."""
    header: _Code = field(compare=False, repr=False)
    code: _Code = field(compare=False, repr=False)

    @property
    def plain_name(self) -> str:
        """The name without those of classes."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class Outline:
    """The functions of a text, and what is outside of them."""

    functions: tuple[Function, ...]
    outside: _Code = field(compare=False, repr=False)
    bases: Mapping[str, bool]
    """The classes outside of functions, by their names, and whether they have base classes."""
    first: int | None
    """The line on which the module's first statement begins, None where there is none."""
    opening: LineRange | None
    """The lines of the class or function that begins on line 1, the first that of its header."""
    opens_with_class: bool

    def function_at(self, line: int) -> Function | None:
        """The function in whose body a line is."""
        for function in self.functions:
            if function.body[0] <= line <= function.body[1]:
                return function
        return None

    def lines_of_bodies(self) -> set[int]:
        """All lines of functions' bodies, but those that belong to a header, too."""
        return {
            line
            for function in self.functions
            for line in range(function.body[0], function.body[1] + 1)
            if line > function.start
        }

    def without(self, left_out: Callable[[Function], bool]) -> _Code:
        """What is outside of functions, and their headers, but for those functions left out."""
        found = _Code()
        functions = iter(self.functions)
        for token, line in self.outside.tokens:
            if isinstance(token, _Place):
                function = next(functions)
                if left_out(function):
                    continue
                found.tokens += [(token, line), *function.header.tokens]
            else:
                found.tokens.append((token, line))
        return found

    @cached_property
    def names(self) -> Counter[object]:
        """How often each name is read or called, wherever that is."""
        found: Counter[object] = Counter()
        for code in (
            self.outside,
            *(f.header for f in self.functions),
            *(f.code for f in self.functions),
        ):
            for token, _ in code.tokens:
                if isinstance(token, _Name):
                    found[token.text] += 1
        return found


@dataclass(frozen=True, slots=True)
class _Place:
    """Stands for a function in what is outside of functions."""

    name: str


@dataclass(frozen=True, slots=True)
class _Name:
    """A name that is used."""

    text: str


@dataclass(frozen=True, slots=True)
class EditedFunction:
    """A function of the measured text whose code is another now."""

    name: str
    body: LineRange
    """Its lines in the measured text."""
    line: int
    """Where it differs in the current text."""


@dataclass(frozen=True)
class Edit:
    """What became of the measured text of one file.

    `outside` is the line of the current text at which something differs that is in no function's
    body: a signature, a decorator, a default, a constant, an import, a docstring. None: nothing.
    `lines` is the current line of each measured line by its number, 0 where its text is another.
    """

    outside: int | None
    functions: tuple[EditedFunction, ...]
    lines: Sequence[int]
    before: Outline | None
    """None where the measured text is no Python that can be parsed."""
    after: Outline | None

    @property
    def changed(self) -> bool:
        """Whether anything differs that runs."""
        return self.outside is not None or bool(self.functions)


@lru_cache(maxsize=_KEPT)
def outline(text: str) -> Outline | None:
    """The functions of a source text; None where it cannot be parsed."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = _Walk(text)
    try:
        found.visit(tree, found.outside, "")
    except RecursionError:
        return None
    begins = [(_first_line(node), node) for node in tree.body]
    opening = None
    if begins and begins[0][0] == 1 and isinstance(begins[0][1], (*_FUNCTIONS, ast.ClassDef)):
        opening = begins[0][1].lineno, begins[0][1].end_lineno or 1
    return Outline(
        tuple(found.functions),
        found.outside,
        found.bases,
        begins[0][0] if begins else None,
        opening,
        opening is not None and isinstance(begins[0][1], ast.ClassDef),
    )


def compare(before: str, after: str, *, python: bool = True) -> Edit:
    """Compare the measured text with the current one.

    With `python` false, as for templates that a plugin measures, and where either text cannot be
    parsed, any change is one outside of functions.
    """
    lines = split_lines(before)
    if before == after:
        same = outline(before) if python else None
        return Edit(None, (), range(len(lines) + 1), same, same)
    line_map = drift(Text(lines, python=python), Text(split_lines(after), python=python))
    current = list(line_map.current)
    old, new = (outline(before), outline(after)) if python else (None, None)
    if old is None or new is None:
        first = line_map.changes[0].after[0] if line_map.changes else 1
        return Edit(first, (), current, old, new)
    places = _Places()
    outside = _outside(old, new, places)
    edited: list[EditedFunction] = []
    for was, now in _paired(old, new):
        if now is None:
            edited.append(EditedFunction(was.name, was.body, outside or 1))
            continue
        if outside is not None:
            # Its header need not be what it was.
            places.add(was.header, now.header)
        differs = was.code.difference(now.code)
        if differs is None and not places.add(was.code, now.code):
            differs = now.body[0]
        if differs is not None:
            edited.append(EditedFunction(was.name, was.body, differs))
    for line, place in places.found.items():
        if line < len(current):
            current[line] = place
    return Edit(outside, tuple(edited), current, old, new)


class _Places:
    """Lines and where they are now: each in one place, and no two in the same."""

    def __init__(self) -> None:
        self.found: dict[int, int] = {}
        self._taken: dict[int, int] = {}

    def add(self, before: _Code, after: _Code) -> bool:
        """Add the lines of the same code; where one would be in two places, add none of them.

        Such is code that is laid out otherwise, so that other lines of it run.
        """
        if not before.same(after):
            return False
        found, taken = dict(self.found), dict(self._taken)
        for line, place in zip(before.lines, after.lines, strict=True):
            if found.setdefault(line, place) != place or taken.setdefault(place, line) != line:
                return False
        self.found, self._taken = found, taken
        return True


def _outside(old: Outline, new: Outline, places: _Places) -> int | None:
    """The line at which the texts differ outside of functions' bodies."""
    differs = old.outside.difference(new.outside)
    if differs is not None:
        return differs
    codes = [(old.outside, new.outside)]
    for was, now in zip(old.functions, new.functions, strict=True):
        differs = was.header.difference(now.header)
        if differs is not None:
            return differs
        codes.append((was.header, now.header))
    for one, other in codes:
        if not places.add(one, other):
            return next(
                (line for line, at in zip(other.lines, one.lines, strict=True) if line != at), 1
            )
    return None


def _paired(old: Outline, new: Outline) -> Iterator[tuple[Function, Function | None]]:
    """Each function of the measured text and what it is now, found by its name."""
    by_name: dict[str, list[Function]] = {}
    for function in new.functions:
        by_name.setdefault(function.name, []).append(function)
    for function in old.functions:
        namesakes = by_name.get(function.name)
        yield function, namesakes.pop(0) if namesakes else None


class _Walk:
    """Goes through a parsed text, functions' bodies apart from what is outside."""

    def __init__(self, text: str) -> None:
        self._may_yield = "yield" in text
        self.functions: list[Function] = []
        self.outside = _Code()
        self.bases: dict[str, bool] = {}

    def visit(self, node: Any, code: _Code, scope: str | None) -> None:
        """Add a node; `scope` is the names of classes it is in, None within a function."""
        if isinstance(node, _FUNCTIONS) and scope is not None:
            self._function(node, code, scope)
            return
        line = getattr(node, "lineno", 0)
        if line:
            code.lines.append(line)
            if not isinstance(getattr(node, "body", None), list):
                # Of a statement with a body the end is the body's, which may be a function's.
                code.lines.append(node.end_lineno)
        here = line or (code.tokens[-1][1] if code.tokens else 1)
        kind = type(node)
        if kind is ast.Constant:
            # By its spelling, for 0.0 equals -0.0 and 1 equals True.
            code.tokens.append(((kind, type(node.value), repr(node.value)), here))
            return
        code.tokens.append((kind, here))
        within = scope
        if kind is ast.ClassDef and scope is not None:
            within = f"{scope}{node.name}."
            self.bases[f"{scope}{node.name}"] = bool(node.bases or node.keywords)
        for name in node._fields:
            if name in _UNSAID:
                continue
            value = getattr(node, name, None)
            if isinstance(value, list):
                code.tokens.append((len(value) if name not in ("body", "orelse") else name, here))
                for each in value:
                    if isinstance(each, ast.AST):
                        self.visit(each, code, within)
                    else:
                        code.tokens.append((each, here))
                code.tokens.append(("end", here))
            elif isinstance(value, ast.AST):
                self.visit(value, code, within)
            elif kind in (ast.Name, ast.Attribute) and isinstance(value, str):
                code.tokens.append((_Name(value), here))
            else:
                code.tokens.append((value, here))

    def _function(self, node: Any, code: _Code, scope: str) -> None:
        code.tokens.append((_Place(node.name), node.lineno))
        header, body = _Code(), _Code()
        header.lines.append(node.lineno)
        header.tokens.append((type(node), node.lineno))
        for name in ("decorator_list", "args", "returns", "type_params"):
            value = getattr(node, name, None)
            for each in value if isinstance(value, list) else [value]:
                if each is not None:
                    self.visit(each, header, None)
            header.tokens.append((name, node.lineno))
        statements = list(node.body)
        if ast.get_docstring(node, clean=False) is not None:
            # It belongs to what others see of the function: many tools show or obey it.
            self.visit(statements.pop(0), header, None)
        # What calling it means depends on this, whatever is run of it.
        header.tokens.append((self._may_yield and _yields(node), node.lineno))
        for each in statements:
            self.visit(each, body, None)
        begin = _first_line(statements[0] if statements else node.body[0])
        self.functions.append(
            Function(
                f"{scope}{node.name}",
                _first_line(node),
                node.lineno,
                (begin, node.end_lineno),
                tuple(_called(each) for each in node.decorator_list),
                next(filter(None, map(_scope, node.decorator_list)), ""),
                header,
                body,
            )
        )


def _first_line(node: ast.stmt) -> int:
    """The line on which a statement begins, with its decorators."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


def _called(node: ast.expr) -> str:
    """What a decorator is, its arguments left out."""
    return ast.unparse(node.func if isinstance(node, ast.Call) else node)


def _scope(node: ast.expr) -> str:
    for keyword in node.keywords if isinstance(node, ast.Call) else ():
        if keyword.arg == "scope":
            value = keyword.value
            constant = isinstance(value, ast.Constant) and isinstance(value.value, str)
            return value.value if constant else "?"  # type: ignore[attr-defined]
    return ""


def _yields(node: ast.AST) -> bool:
    """Whether a function is a generator: what is within other functions does not count."""
    rest: list[ast.AST] = list(getattr(node, "body", ()))
    while rest:
        each = rest.pop()
        if isinstance(each, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(each, (*_FUNCTIONS, ast.Lambda, ast.ClassDef)):
            rest.extend(ast.iter_child_nodes(each))
    return False
