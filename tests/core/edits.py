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


FORMATTING: Sequence[Edit] = (add_comments, reformat, unparse)
MOVING: Sequence[Edit] = (move_block, duplicate_block)
CHANGING: Sequence[Edit] = (
    insert, delete, duplicate, move_lines, comment_out, rename, indent, quote, join,
    change_character,
)  # fmt: skip
