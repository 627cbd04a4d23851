"""How complex functions are: McCabe's measure, taken by mccabe as for flake8 and pylint."""

import ast
import warnings
from collections.abc import Collection, Iterator
from typing import Any

import mccabe

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def parse(text: str) -> ast.Module | None:
    """The tree of a text; None for one that covls's own Python cannot parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of an invalid escape, say: it is not ours to tell.
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def complexities(tree: ast.Module, lines: Collection[int]) -> dict[int, int]:
    """The complexity of the functions whose `def` is on one of some lines, by that line.

    1 for a function without a choice, one more for each; functions within it count.
    """
    found: dict[int, int] = {}
    for node in _functions(tree.body):
        if node.lineno in lines:
            try:
                found[node.lineno] = _complexity(node)
            except RecursionError:
                continue
    return found


def _functions(body: list[ast.stmt]) -> Iterator[_Function]:
    """All functions of a block and below: expressions, which are most of a tree, hold none."""
    blocks: list[list[Any]] = [body]
    while blocks:
        for node in blocks.pop():
            if isinstance(node, _Function):
                yield node
            for name in ("body", "orelse", "finalbody", "handlers", "cases"):
                inner = getattr(node, name, None)
                if isinstance(inner, list):  # The body of a lambda or a conditional is none.
                    blocks.append(inner)


def _complexity(node: _Function) -> int:
    # One visitor a function: one for all keeps graphs by name, and loses a property's setter.
    visitor = _Visitor()
    visitor.preorder(node, visitor)
    return max((int(graph.complexity()) for graph in visitor.graphs.values()), default=1)


class _Visitor(mccabe.PathGraphingAstVisitor):  # type: ignore[misc]
    """mccabe's, and what Python has got since: `match` with a way for each case, `except*`."""

    def visitMatch(self, node: ast.Match) -> None:  # noqa: N802
        chosen = self.appendPathNode(f"Match {node.lineno}")
        ends: list[Any] = []
        for case in node.cases:
            self.tail = chosen
            self.dispatch_list(case.body)
            ends.append(self.tail)
        if not _takes_all(node.cases[-1]):
            ends.append(chosen)
        self.tail = mccabe.PathNode("", look="point")
        for end in ends:
            self.graph.connect(end, self.tail)

    visitTryStar = mccabe.PathGraphingAstVisitor.visitTry  # noqa: N815


def _takes_all(case: ast.match_case) -> bool:
    pattern = case.pattern
    return case.guard is None and isinstance(pattern, ast.MatchAs) and pattern.pattern is None
