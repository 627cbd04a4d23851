"""Edits to real source texts, and what their statements are by Python's own parser."""

import ast
import random
import subprocess
import sys
import sysconfig
import tarfile
import tokenize
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from coverage.parser import multiline_map_from_text

from covls.core.lines import split_lines

MODULES = (
    "bisect", "colorsys", "configparser", "contextlib", "copy", "csv", "dataclasses", "fnmatch",
    "functools", "graphlib", "heapq", "netrc", "pprint", "queue", "sched", "shlex", "string",
    "textwrap", "types", "warnings",
)  # fmt: skip
"""Of the standard library: not long, and of many hands."""

SOURCES = Path.home() / ".cache/covls-dev/sources"
"""Where released sources of other projects may be, as they are published."""


@cache
def real_texts() -> Sequence[str]:
    """Sources that people wrote, without their line ends' differences."""
    folder = Path(sysconfig.get_path("stdlib"))
    found = [(folder / f"{module}.py").read_text(encoding="utf-8") for module in MODULES]
    for archive in sorted(SOURCES.glob("click-*.tar.gz")) + sorted(SOURCES.glob("attrs-*.tar.gz")):
        with tarfile.open(archive) as content:
            for member in content.getmembers():
                source = content.extractfile(member) if "/src/" in member.name else None
                if source is not None and member.name.endswith(".py"):
                    found.append(source.read().decode())
    return [text for text in found if 20 < text.count("\n") < 2000]


@cache
def code_of(text: str) -> Mapping[int, tuple[str, ...]] | None:
    """What the parser makes of each statement by its first line, bodies left out; None: nothing.

    A statement is a logical line, as coverage.py's multi-line map has it. Strings that stand alone
    are none, as nothing runs there.
    """
    try:
        tree = ast.parse(text)
        first_lines = multiline_map_from_text(text)
    except (SyntaxError, tokenize.TokenError):
        return None
    found: dict[int, list[str]] = {}

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            spoken = dict(ast.iter_fields(node))
            for name in ("body", "orelse", "finalbody", "handlers", "cases", "decorator_list"):
                if not isinstance(node, ast.Expr):
                    spoken.pop(name, None)
            nothing = isinstance(node, ast.Global | ast.Nonlocal) or (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            )
            if isinstance(node, ast.Delete) and isinstance(node.targets[0], ast.Tuple):
                # `del (a, b)` is `del a, b`.
                spoken["targets"] = node.targets[0].elts
            at = node.pattern.lineno if isinstance(node, ast.match_case) else node.lineno
            if not nothing:
                says = type(node).__name__ + repr({key: dump(val) for key, val in spoken.items()})
                found.setdefault(first_lines.get(at, at), []).append(says)
            for decorator in getattr(node, "decorator_list", ()):
                line = decorator.lineno
                found.setdefault(first_lines.get(line, line), []).append("@" + dump(decorator))
            for name in ("body", "orelse", "finalbody", "handlers", "cases"):
                below = getattr(node, name, ())
                for child in below if isinstance(below, list) else ():
                    visit(child)

    for node in tree.body:
        visit(node)
    return {line: tuple(says) for line, says in found.items()}


def dump(value: object) -> str:
    """A tree as text, positions and the `u` of `u""` left out."""
    if isinstance(value, list):
        return repr([dump(item) for item in value])
    if isinstance(value, ast.AST):
        for node in ast.walk(value):
            if isinstance(node, ast.Constant):
                node.kind = None
        return ast.dump(value)
    return repr(value)


Edit = Callable[[list[str], random.Random], list[str]]


def _place(lines: Sequence[str], chosen: random.Random) -> int:
    return chosen.randrange(len(lines))


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _blocks(lines: Sequence[str]) -> list[tuple[int, int]]:
    """The functions and classes, from the first line, decorators included, to behind the last."""
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return []
    return [
        (min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1, node.end_lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.end_lineno is not None
    ]


def insert(lines: list[str], chosen: random.Random) -> list[str]:
    """A line that came in, indented as the one below it."""
    place = _place(lines, chosen)
    new = chosen.choice(
        ["came_in()", "return None", "pass", "x = 1", "if x:", "else:", '"""', "f("]
    )
    return [*lines[:place], _indent(lines[place]) + new, *lines[place:]]


def delete(lines: list[str], chosen: random.Random) -> list[str]:
    """Some lines that went."""
    place = _place(lines, chosen)
    return lines[:place] + lines[place + chosen.randint(1, 5) :] or [""]


def duplicate(lines: list[str], chosen: random.Random) -> list[str]:
    """Some lines twice."""
    place = _place(lines, chosen)
    return lines[: place + chosen.randint(1, 12)] + lines[place:]


def move_lines(lines: list[str], chosen: random.Random) -> list[str]:
    """Some lines cut and pasted."""
    place = _place(lines, chosen)
    end = place + chosen.randint(1, 6)
    cut, rest = lines[place:end], lines[:place] + lines[end:]
    target = chosen.randint(0, len(rest))
    return rest[:target] + cut + rest[target:]


def comment_out(lines: list[str], chosen: random.Random) -> list[str]:
    """Some lines made comments."""
    place = _place(lines, chosen)
    end = place + chosen.randint(1, 4)
    return [*lines[:place], *("# " + line for line in lines[place:end]), *lines[end:]]


def rename(lines: list[str], chosen: random.Random) -> list[str]:
    """One word replaced on some lines."""
    place = _place(lines, chosen)
    words = [word for word in lines[place].replace("(", " ").split() if word.isidentifier()]
    word = chosen.choice(words or ["self"])
    end = place + chosen.randint(1, 40)
    return [*lines[:place], *(li.replace(word, "other") for li in lines[place:end]), *lines[end:]]


def indent(lines: list[str], chosen: random.Random) -> list[str]:
    """Some lines put into an `if`."""
    place = _place(lines, chosen)
    end = place + chosen.randint(1, 8)
    head = _indent(lines[place]) + chosen.choice(["if True:", "with a:", "for b in c:"])
    return [*lines[:place], head, *("    " + line for line in lines[place:end]), *lines[end:]]


def quote(lines: list[str], chosen: random.Random) -> list[str]:
    """Some lines put between triple quotes."""
    place = _place(lines, chosen)
    end = place + chosen.randint(1, 8)
    mark = _indent(lines[place]) + "'''"
    return [*lines[:place], mark, *lines[place:end], mark, *lines[end:]]


def join(lines: list[str], chosen: random.Random) -> list[str]:
    """Some lines joined to one statement, by a bracket or a backslash."""
    place = _place(lines, chosen)
    end = place + chosen.randint(1, 3)
    if chosen.random() < 0.5:
        return [*lines[:place], *(li + " \\" for li in lines[place:end]), *lines[end:]]
    new = [f"{_indent(lines[place])}[", *lines[place:end], "]"]
    return [*lines[:place], *new, *lines[end:]]


def change_character(lines: list[str], chosen: random.Random) -> list[str]:
    """One character put in, or taken out."""
    place = _place(lines, chosen)
    line = lines[place]
    at = chosen.randint(0, len(line))
    new = chosen.choice(["", "(", ")", "'", '"', "#", ",", " ", "\\", "x", "1", ":", "[", "}"])
    return [*lines[:place], line[:at] + new + line[at + (not new) :], *lines[place + 1 :]]


def move_block(lines: list[str], chosen: random.Random) -> list[str]:
    """A function or a class cut, and pasted in front of another."""
    blocks = _blocks(lines)
    if len(blocks) < 2:
        return lines
    (first, end), (target, _) = chosen.sample(blocks, 2)
    if first <= target < end:
        return lines
    cut = lines[first:end]
    if target > first:
        return lines[:first] + lines[end:target] + cut + lines[target:]
    return lines[:target] + cut + lines[target:first] + lines[end:]


def duplicate_block(lines: list[str], chosen: random.Random) -> list[str]:
    """A function or a class twice."""
    blocks = _blocks(lines)
    if not blocks:
        return lines
    first, end = chosen.choice(blocks)
    return lines[:end] + lines[first:]


def add_comments(lines: list[str], chosen: random.Random) -> list[str]:
    """Comments and blank lines between statements, where they are nothing but that."""
    text = "\n".join(lines)
    inside = set(multiline_map_from_text(text)) if code_of(text) is not None else set()
    new: list[str] = []
    for number, line in enumerate(lines, 1):
        if number not in inside and chosen.random() < 0.05:
            new.append(chosen.choice(["", "# a comment", "      # another: return x", ""]))
        new.append(line)
        if number not in inside and line.strip() and not line.endswith("\\"):
            new[-1] += chosen.choice(["", "", "", "  # why"])
    return new


def reformat(lines: list[str], chosen: random.Random) -> list[str]:
    """The whole text as ruff writes it, by one of many styles."""
    style = [
        f"--line-length={chosen.choice([50, 72, 88, 120, 200])}",
        "--config",
        f"format.quote-style='{chosen.choice(['single', 'double'])}'",
        "--config",
        f"format.skip-magic-trailing-comma={chosen.choice(['true', 'false'])}",
        "--config",
        f"indent-width={chosen.choice([2, 4])}",
    ]
    command = [sys.executable, "-m", "ruff", "format", "--isolated", *style, "-"]
    done = subprocess.run(
        command, input="\n".join(lines), capture_output=True, text=True, encoding="utf-8"
    )
    return split_lines(done.stdout) if not done.returncode else lines


def unparse(lines: list[str], chosen: random.Random) -> list[str]:
    """Some simple statements as `ast.unparse` writes them."""
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return lines
    simple = (ast.Assign, ast.Return, ast.Expr, ast.Raise, ast.AugAssign, ast.Assert)
    new = list(lines)
    nodes = [node for node in ast.walk(tree) if isinstance(node, simple)]
    for node in sorted(nodes, key=lambda node: -node.lineno):
        end = node.end_lineno or node.lineno
        alone = (
            not lines[node.lineno - 1][: node.col_offset].strip()
            and not lines[end - 1].encode()[node.end_col_offset :].decode().strip()
        )
        said_again = split_lines(ast.unparse(node))
        if alone and len(said_again) == 1 and chosen.random() < 0.3:
            new[node.lineno - 1 : end] = [_indent(lines[node.lineno - 1]) + said_again[0]]
    return new


def one_line(lines: list[str], chosen: random.Random) -> list[str]:
    """Some bodies of one statement on their header's line, and some statements side by side."""
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return lines
    new: list[str | None] = [*lines]
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, ())
            if not isinstance(body, list) or chosen.random() < 0.4:
                continue
            alone = [
                isinstance(each, _SIMPLE)
                and each.lineno == each.end_lineno
                and _stands_alone(lines[each.lineno - 1])
                for each in body
            ]
            for one, two, may, may_too in zip(body, body[1:], alone, alone[1:], strict=False):
                if may and may_too and two.lineno == one.lineno + 1 and chosen.random() < 0.3:
                    _join(new, one.lineno - 1, "; ")
            if len(body) == 1 and alone[0]:
                above = body[0].lineno - 2
                header = lines[above].rstrip()
                if header.endswith(":") and _indent(header) < _indent(lines[above + 1]):
                    _join(new, above, " ")
    return [line for line in new if line is not None]


def _stands_alone(line: str) -> bool:
    return "#" not in line and not line.rstrip().endswith(("\\", ";")) and ";" not in line


def _join(lines: list[str | None], place: int, between: str) -> None:
    one, two = lines[place], lines[place + 1]
    if one is not None and two is not None:
        lines[place], lines[place + 1] = None, one.rstrip() + between + two.strip()


def swap_blocks(lines: list[str], chosen: random.Random) -> list[str]:
    """Two functions or classes side by side in the other order."""
    pairs = [
        (one, two)
        for one, two in _siblings(lines)
        if isinstance(one, _BLOCKS) and isinstance(two, _BLOCKS) and one.name != two.name
    ]
    if not pairs:
        return lines
    one, two = chosen.choice(pairs)
    (first, end), (start, last) = _span(one), _span(two)
    between = lines[end:start]
    return [*lines[:first], *lines[start:last], *between, *lines[first:end], *lines[last:]]


def double_block(lines: list[str], chosen: random.Random) -> list[str]:
    """A function twice, one after the other."""
    blocks = [
        node
        for node, _ in _siblings(lines)
        if isinstance(node, ast.FunctionDef) and not node.decorator_list
    ]
    if not blocks:
        return lines
    first, end = _span(chosen.choice(blocks))
    return [*lines[:end], "", *lines[first:end], *lines[end:]]


def add_unused(lines: list[str], chosen: random.Random) -> list[str]:
    """A function that nobody calls, with lines of another one."""
    blocks = [node for node, _ in _siblings(lines) if isinstance(node, ast.FunctionDef)]
    if not blocks:
        return lines
    first, end = _span(chosen.choice(blocks))
    copied = [node for node in blocks if not node.decorator_list]
    if not copied:
        return lines
    other = chosen.choice(copied)
    start, last = _span(other)
    shift = len(_indent(lines[first])) - len(_indent(lines[start]))
    if shift or any('"""' in line for line in lines[start:last]):
        new = [_indent(lines[first]) + "def nobody_calls(a, b):"]
        new += [_indent(lines[first]) + "    " + text for text in ("if a:", "    return b")]
    else:
        new = [lines[start].replace(f"def {other.name}", "def nobody_calls", 1)]
        new += lines[start + 1 : last]
    return [*lines[:end], "", *new, "", *lines[end:]]


def into_if(lines: list[str], chosen: random.Random) -> list[str]:
    """Some statements put into an `if` that is always true."""
    bodies = _bodies(lines)
    body = chosen.choice(bodies) if bodies else []
    place = chosen.randrange(1, len(body)) if len(body) > 1 else 0
    if not place:
        return lines
    end = chosen.randrange(place, len(body))
    first, last = _span(body[place])[0], _span(body[end])[1]
    moved = lines[first:last]
    text = "\n".join(moved)
    if any(quote in text for quote in ('"""', "'''", "\\", "__future__")) or ";" in lines[first]:
        return lines
    head = _indent(moved[0]) + chosen.choice(["if True:", "if __name__:", "if 1 < 2:"])
    return [
        *lines[:first],
        head,
        *("    " + line if line else line for line in moved),
        *lines[last:],
    ]


def rename_local(lines: list[str], chosen: random.Random) -> list[str]:
    """A local name of a function, wherever it is used there."""
    functions = []
    for body in _bodies(lines):
        functions += [node for node in body if isinstance(node, ast.FunctionDef)]
    function = chosen.choice(functions) if functions else None
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)] if function else []
    stored = sorted({node.id for node in names if isinstance(node.ctx, ast.Store)})
    if not stored or function is None:
        return lines
    name = chosen.choice(stored)
    for node in ast.walk(function):
        if isinstance(node, ast.Global | ast.Nonlocal | ast.JoinedStr | ast.Lambda | ast.alias):
            return lines
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node is not function:
            return lines
        if name in (getattr(node, "arg", ""), getattr(node, "name", "")):
            return lines
    new = [line.encode() for line in lines]
    for node in sorted(names, key=lambda node: (node.lineno, -node.col_offset)):
        if node.id == name:
            line, at = new[node.lineno - 1], node.col_offset
            new[node.lineno - 1] = line[:at] + b"renamed_" + line[at:]
    return [line.decode() for line in new]


def change_message(lines: list[str], chosen: random.Random) -> list[str]:
    """Another text in an error that is raised."""
    raised = [
        place
        for place, line in enumerate(lines)
        if "raise " in line and line.rstrip().endswith(("')", '")'))
    ]
    if not raised:
        return lines
    place = chosen.choice(raised)
    line = lines[place].rstrip()
    return [*lines[:place], f"{line[:-2]} indeed{line[-2:]}", *lines[place + 1 :]]


def put_in_assignment(lines: list[str], chosen: random.Random) -> list[str]:
    """A line of no consequence between others."""
    bodies = [body for body in _bodies(lines) if len(body) > 1]
    if not bodies:
        return lines
    body = chosen.choice(bodies)
    first = _span(chosen.choice(body[1:]))[0]
    if "__future__" in "\n".join(lines[first:]) or ";" in lines[first]:
        return lines
    return [*lines[:first], _indent(lines[first]) + "came_in = None", *lines[first:]]


_SIMPLE = (
    ast.Assign, ast.Return, ast.Expr, ast.Raise, ast.AugAssign, ast.Assert, ast.Pass,
    ast.Continue, ast.Break, ast.Delete,
)  # fmt: skip
_BLOCKS = (ast.FunctionDef, ast.ClassDef)


def _span(node: ast.stmt) -> tuple[int, int]:
    """From the first line of a statement, decorators included, to behind its last."""
    decorators = getattr(node, "decorator_list", ())
    first = min([node.lineno, *(each.lineno for each in decorators)])
    return first - 1, node.end_lineno or node.lineno


def _bodies(lines: Sequence[str]) -> list[list[ast.stmt]]:
    """The bodies of modules, classes and functions whose statements have lines of their own."""
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return []
    bodies = [
        node.body
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
    ]
    return [
        body
        for body in bodies
        if all(_span(one)[1] <= _span(two)[0] for one, two in pairwise(body))
        and not any(";" in lines[_span(each)[0]] for each in body)
    ]


def _siblings(lines: Sequence[str]) -> list[tuple[ast.stmt, ast.stmt]]:
    return [pair for body in _bodies(lines) for pair in pairwise(body)]


PRESERVING: Sequence[Edit] = (
    swap_blocks, double_block, add_unused, into_if, rename_local, change_message,
    put_in_assignment,
)  # fmt: skip
"""What changes nothing that a program does, unless it looks at itself."""

FORMATTING: Sequence[Edit] = (add_comments, reformat, unparse)
MOVING: Sequence[Edit] = (move_block, duplicate_block)
CHANGING: Sequence[Edit] = (
    insert, delete, duplicate, move_lines, comment_out, rename, indent, quote, join,
    change_character,
)  # fmt: skip
