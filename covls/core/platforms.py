"""Code that another platform runs, and not this one, as the conditions around it say."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from covls.core.lines import LineRange

_FLAG: Final = re.compile(
    r"_*(?:IS_?|ON_?)?(?:(?P<win32>WIN(?:32|DOWS)?|MSWINDOWS)|(?P<darwin>MAC(?:OS)?|OSX|DARWIN)|"
    r"(?P<linux>LINUX))",
    re.IGNORECASE,
)
"""Names that projects give to what they found out once: WIN, IS_WINDOWS, on_macos."""

_SYSTEMS: Final = {"Windows": "win32", "Darwin": "darwin", "Linux": "linux"}
"""What `platform.system()` answers."""

_WINDOWS_ONLY: Final = {"msvcrt", "winreg", "_winapi", "winsound", "nt"}
"""Modules of the standard library."""


@dataclass(frozen=True, slots=True)
class OtherPlatforms:
    """Where a text is not for this platform."""

    lines: tuple[LineRange, ...] = ()
    """Statements that do not run here."""
    choices: frozenset[int] = frozenset()
    """The lines of conditions that always turn out the same here."""

    def holds(self, line: int) -> bool:
        """Whether a statement does not run here."""
        return any(first <= line <= last for first, last in self.lines)


def other_platforms(tree: ast.Module, platform: str) -> OtherPlatforms:
    """What of a module does not run on a platform, as `sys.platform` names it.

    Conditions are understood that compare `sys.platform`, `os.name` or `platform.system()` with
    texts, or ask for a flag with a name such as WIN. A module that asserts such a condition, or
    imports what only Windows has outside of all blocks, is for others as a whole.
    """
    for node in tree.body:
        modules = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        if (isinstance(node, ast.Assert) and _holds(node.test, platform) is False) or (
            platform != "win32" and not _WINDOWS_ONLY.isdisjoint(modules)
        ):
            return OtherPlatforms(((1, tree.body[-1].end_lineno or 1),))
    lines: list[LineRange] = []
    choices: set[int] = set()
    for node in _choices(tree.body):
        holds = _holds(node.test, platform)
        if holds is not None:
            choices.add(node.lineno)
            block = node.orelse if holds else node.body
            if block:
                lines.append((block[0].lineno, block[-1].end_lineno or block[-1].lineno))
    return OtherPlatforms(tuple(lines), frozenset(choices))


def _choices(body: list[ast.stmt]) -> Iterator[ast.If]:
    """The conditions of a block and below, outside of expressions."""
    blocks: list[list[ast.stmt]] = [body]
    while blocks:
        for node in blocks.pop():
            if isinstance(node, ast.If):
                yield node
            for name in ("body", "orelse", "finalbody", "handlers", "cases"):
                inner = getattr(node, name, None)
                if isinstance(inner, list):
                    blocks.append(inner)


def _holds(test: ast.expr, platform: str) -> bool | None:
    """Whether a condition holds on a platform; None where that depends on other things, too."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _holds(operand, platform)
            return None if inner is None else not inner
        case ast.BoolOp(op=op, values=values):
            found = [_holds(value, platform) for value in values]
            decisive = isinstance(op, ast.Or)
            if decisive in found:
                return decisive
            return None if None in found else not decisive
        case ast.Compare(left=left, ops=[op], comparators=[ast.expr() as right]):
            here, texts = _named(left, platform), _texts(right)
            if here is None or not texts:
                return None
            if isinstance(op, ast.Eq | ast.In):
                return here in texts
            return here not in texts if isinstance(op, ast.NotEq | ast.NotIn) else None
        case ast.Call(func=ast.Attribute(value=value, attr="startswith"), args=[argument]):
            here, texts = _named(value, platform), _texts(argument)
            return None if here is None or not texts else here.startswith(tuple(texts))
        case ast.Name(id=name) | ast.Attribute(attr=name):
            flag = _FLAG.fullmatch(name)
            return None if flag is None else flag.lastgroup == platform
    return None


def _named(node: ast.expr, platform: str) -> str | None:
    """What an expression says the platform is."""
    match node:
        case ast.Attribute(value=ast.Name(id="sys"), attr="platform"):
            return platform
        case ast.Attribute(value=ast.Name(id="os"), attr="name"):
            return "nt" if platform == "win32" else "posix"
        case ast.Call(func=ast.Attribute(value=ast.Name(id="platform"), attr="system"), args=[]):
            return next((name for name, each in _SYSTEMS.items() if each == platform), platform)
    return None


def _texts(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return [text for each in node.elts for text in _texts(each)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    return []
