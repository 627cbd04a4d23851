"""The skeleton of a test for a function: what to import, what to call, and where it goes."""

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

from covls.core.coverage import State
from covls.core.lines import LineRange, split_lines
from covls.core.marks import Freshness, Mark, missing_near

Awaiting = Literal["auto", "asyncio", "anyio", "run"]
"""How tests of pytest's await: by themselves, marked, or by `asyncio.run`."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_LINE: Final = 88
"""Longer lines of imports are broken, as most formatters have it."""

T = TypeVar("T")

_SAFE_FIELD_BASES: Final = ("dataclass", "define", "frozen", "attrs", "s", "mutable")


@dataclass(frozen=True, slots=True)
class Target:
    """A function or method that a test is to be written for."""

    name: str
    """With the names of its classes: `Basket.total`."""
    lines: LineRange
    """Its body, from the first statement to the last."""
    call: str
    """The call, with `...` in the place of arguments: `.total(vat=...)` of a method."""
    made: str | None
    """How the object is made whose method it is, `Basket(items=...)`; None where it needs none."""
    is_async: bool
    yields: bool
    returns: bool
    """Whether there is a value to look at."""

    @property
    def imported(self) -> str:
        """The name to import: of the function, or of the outermost class."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Style:
    """How the tests around are written.

    `base` is the class that tests are derived from, None where tests are functions; `base_import`
    is the statement that brings its name. `function` is the beginning of a test's name.
    """

    base: str | None = None
    base_import: str = ""
    awaiting: Awaiting = "run"
    function: str = "test_"


@dataclass(frozen=True, slots=True)
class Insertion:
    """Text that comes behind so many lines of a file, in the place of some that follow."""

    after: int
    text: str
    replaced: int = 0
    """How many lines it stands for."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A test to be put into a file, and where its name will stand: line from 1, and column."""

    name: str
    insertions: tuple[Insertion, ...]
    line: int

    def applied(self, text: str) -> str:
        """The text with the test in."""
        lines = split_lines(text)
        for insertion in sorted(self.insertions, key=lambda each: each.after, reverse=True):
            end = insertion.after + insertion.replaced
            lines[insertion.after : end] = insertion.text.split("\n")[:-1]
        return "\n".join(lines)


def target_at(text: str, found: Sequence[Mark], line: int) -> Target | None:
    """The function around a line, from 1, if no test runs any of it.

    Of a function in a function it is the outer one, as nobody can import the inner. None also
    where the text does not parse.
    """
    if not missing_near(found, line, line):
        return None
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    classes: list[ast.ClassDef] = []
    body: Sequence[ast.stmt] = tree.body
    while True:
        node = next((each for each in _definitions(body) if _covers(each, line)), None)
        if node is None:
            return None
        if isinstance(node, ast.ClassDef):
            classes.append(node)
            body = node.body
            continue
        if _is_uncovered(node, found):
            return _target(node, classes)
        return None


def _is_uncovered(node: _Function, found: Iterable[Mark]) -> bool:
    first, last = _body(node)
    inside = [mark for mark in found if mark.start <= last and mark.end >= first]
    return bool(inside) and all(
        mark.state is State.MISSING and mark.freshness is not Freshness.EDITED for mark in inside
    )


def _body(node: _Function) -> LineRange:
    statements = node.body
    if ast.get_docstring(node, clean=False) is not None and len(statements) > 1:
        statements = statements[1:]
    return statements[0].lineno, node.end_lineno or node.lineno


def _definitions(body: Sequence[ast.stmt]) -> Iterator[_Function | ast.ClassDef]:
    """The definitions of a block, also those under an `if` or a `try`."""
    for node in body:
        if isinstance(node, _Function | ast.ClassDef):
            yield node
        elif isinstance(node, ast.If | ast.Try | ast.With):
            inner = ast.iter_child_nodes(node)
            yield from _definitions([each for each in inner if isinstance(each, ast.stmt)])


def _covers(node: _Function | ast.ClassDef, line: int) -> bool:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return first <= line <= (node.end_lineno or node.lineno)


def _target(node: _Function, classes: Sequence[ast.ClassDef]) -> Target:
    names = [each.name for each in classes]
    name = ".".join([*names, node.name])
    decorators = {_last_name(decorator) for decorator in node.decorator_list}
    owner = ".".join(names)
    is_method = bool(classes) and "staticmethod" not in decorators
    arguments = _arguments(node.args, skip=is_method)
    attribute = node.name
    if classes and attribute.startswith("__") and not attribute.endswith("__"):
        attribute = f"_{classes[-1].name.lstrip('_')}{attribute}"
    made = None
    if not classes:
        call = f"{node.name}({arguments})"
    elif decorators & {"staticmethod", "classmethod"} or node.name == "__new__":
        call = f"{owner}.{attribute}({arguments})"
    elif node.name == "__init__":
        call = f"{owner}({arguments})"
    else:
        made = f"{owner}({_constructor(classes[-1])})"
        is_property = bool(decorators & {"property", "cached_property"})
        call = f".{attribute}" + ("" if is_property else f"({arguments})")
    plain = not decorators - {"staticmethod", "classmethod", "override", "abstractmethod"}
    return Target(
        name=name,
        lines=_body(node),
        call=call,
        made=made,
        is_async=isinstance(node, ast.AsyncFunctionDef),
        yields=plain and _has(node, (ast.Yield, ast.YieldFrom)),
        returns=not plain or node.name == "__init__" or _has_value(node),
    )


def _has_value(node: _Function) -> bool:
    if isinstance(node.returns, ast.Constant) and node.returns.value is None:
        return False
    return _has(node, (ast.Return,), with_value=True) or _has(node, (ast.Yield, ast.YieldFrom))


def _has(node: _Function, kinds: tuple[type[ast.AST], ...], *, with_value: bool = False) -> bool:
    """Whether a function has a node of these kinds, not within another function."""
    rest: list[ast.AST] = list(node.body)
    while rest:
        each = rest.pop()
        if isinstance(each, kinds) and (not with_value or getattr(each, "value", None) is not None):
            return True
        if not isinstance(each, (*_FUNCTIONS, ast.Lambda, ast.ClassDef)):
            rest += ast.iter_child_nodes(each)
    return False


def _arguments(arguments: ast.arguments, *, skip: bool) -> str:
    """Dots for every argument that must be given; `skip` the first, which is the object."""
    positional = [*arguments.posonlyargs, *arguments.args]
    needed = positional[: len(positional) - len(arguments.defaults)][1 if skip else 0 :]
    words = ["..." if each in arguments.posonlyargs else f"{each.arg}=..." for each in needed]
    words += [
        f"{each.arg}=..."
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    return ", ".join(words)


def _constructor(node: ast.ClassDef) -> str:
    """The arguments that making an object needs, as far as the class itself says."""
    for each in node.body:
        if isinstance(each, _FUNCTIONS) and each.name == "__init__":
            return _arguments(each.args, skip=True)
    if {_last_name(decorator) for decorator in node.decorator_list} & set(_SAFE_FIELD_BASES):
        return ", ".join(
            f"{each.target.id}=..."
            for each in node.body
            if isinstance(each, ast.AnnAssign)
            and each.value is None
            and isinstance(each.target, ast.Name)
            and "ClassVar" not in ast.unparse(each.annotation)
        )
    return ""


def _last_name(node: ast.expr) -> str:
    called = node.func if isinstance(node, ast.Call) else node
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def write_test(
    target: Target, module: str, style: Style, existing: str = "", here: Sequence[str] = ()
) -> Skeleton | None:
    """Write the test of a function of a module, into a new file or behind what is there.

    `here` is the package of the test file, for imports relative to it. None where what is there
    does not parse. The test fails until it is written, before it calls anything: what the function
    does with dots for arguments nobody knows.
    """
    try:
        tree = ast.parse(existing)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    file = _File(tree, split_lines(existing), here)
    imports: dict[str, str] = {}
    name = file.name_of(target.imported, module, imports)
    own = dict(imports)
    body = _Body(target, name, module)
    if style.base is None:
        return _as_function(body, style, file, own)
    return _as_method(body, style, file, own)


def _as_function(body: "_Body", style: Style, file: "_File", imports: dict[str, str]) -> Skeleton:
    file.need("pytest", imports)
    test = _free(f"{style.function}{_snake(body.target.name)}", file.bound)
    awaits = body.target.is_async and style.awaiting != "run"
    if body.target.is_async and not awaits:
        file.need("asyncio", imports)
    lines = [f"@pytest.mark.{style.awaiting}"] if awaits and style.awaiting != "auto" else []
    lines.append(f"{'async ' if awaits else ''}def {test}():")
    lines += [
        f"    {line}" for line in body.lines("pytest.fail", "assert {} == ...", awaits=awaits)
    ]
    return file.skeleton(test, lines, imports)


def _as_method(body: "_Body", style: Style, file: "_File", imports: dict[str, str]) -> Skeleton:
    target, base = body.target, style.base or ""
    *classes, function = target.name.split(".")
    wanted = "".join(classes) or _camel(function)
    own = file.test_class(wanted, base)
    awaits = target.is_async
    if awaits and "django" not in style.base_import and "IsolatedAsyncio" not in base:
        if own is None and base in ("unittest.TestCase", "TestCase"):
            base, style = "unittest.IsolatedAsyncioTestCase", replace(style, base_import="")
        else:
            awaits = False
            file.need("asyncio", imports)
    method = f"test_{_snake(function)}"
    taken = {each.name for each in own.body if isinstance(each, _FUNCTIONS)} if own else set()
    method = _free(method, taken)
    inner = [f"{'async ' if awaits else ''}def {method}(self):"]
    inner += [
        f"    {line}"
        for line in body.lines("self.fail", "self.assertEqual({}, ...)", awaits=awaits)
    ]
    if own is not None:
        indent = " " * own.body[0].col_offset
        return file.skeleton_in(own, method, [f"{indent}{line}" for line in inner], imports)
    if style.base_import:
        file.need_statement(base.partition(".")[0], style.base_import, imports)
    else:
        file.need("unittest", imports)
    lines = [f"class {_free(f'Test{wanted}', file.bound)}({base}):"]
    return file.skeleton(method, [*lines, *(f"    {line}" for line in inner)], imports)


@dataclass(frozen=True, slots=True)
class _Body:
    """What a test does."""

    target: Target
    name: str
    """The name by which the test file knows the function or the outermost class."""
    module: str

    def lines(self, fail: str, compare: str, *, awaits: bool) -> list[str]:
        """The statements of the test, in the words of its style."""
        target = self.target
        lines = [f'{fail}("To be written: a test of {self.module}.{target.name}.")']
        call = target.call
        if target.made is not None:
            instance = _snake(target.name.split(".")[-2])
            lines.append(f"{instance} = {self._known(target.made)}")
            call = f"{instance}{call}"
        else:
            call = self._known(call)
        if target.is_async and target.yields:
            call = f"[each async for each in {call}]"
            if not awaits:
                lines += ["", "async def collect():", f"    return {call}", ""]
                call = "asyncio.run(collect())"
        elif target.is_async:
            call = f"await {call}" if awaits else f"asyncio.run({call})"
        elif target.yields:
            call = f"list({call})"
        if target.name.endswith(".__init__"):
            return [*lines, f"{_snake(target.name.split('.')[-2])} = {call}"]
        if not target.returns:
            return [*lines, call]
        return [*lines, compare.format(call)]

    def _known(self, call: str) -> str:
        return self.name + call.removeprefix(self.target.imported)


class _File:
    """A test file, and what is added to it."""

    def __init__(self, tree: ast.Module, lines: Sequence[str], here: Sequence[str]) -> None:
        self._tree = tree
        self._lines = lines
        self._here = here
        self.bound = set(_bound(tree.body))

    def name_of(self, name: str, module: str, imports: dict[str, str]) -> str:
        """How the file knows something of a module; what it has to import comes to `imports`."""
        package, _, last = module.rpartition(".")
        relative = ""
        for node in self._tree.body:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name == module:
                        return f"{alias.asname or module}.{name}"
            elif isinstance(node, ast.ImportFrom):
                written = "." * node.level + (node.module or "")
                source = self._absolute(node)
                if source == module:
                    relative = written
                for alias in node.names:
                    if source == module and alias.name == name:
                        return alias.asname or name
                    if package and source == package and alias.name == last:
                        return f"{alias.asname or last}.{name}"
        source = relative or module
        if name not in self.bound:
            imports[name] = f"from {source} import {name}"
            return name
        other = _free(f"{last}_{name}", self.bound)
        imports[other] = f"from {source} import {name} as {other}"
        return other

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        above = list(self._here[: len(self._here) - node.level + 1])
        return ".".join([*above, *([node.module] if node.module else [])])

    def need(self, module: str, imports: dict[str, str]) -> None:
        """Import a module unless the file has it."""
        self.need_statement(module, f"import {module}", imports)

    def need_statement(self, name: str, statement: str, imports: dict[str, str]) -> None:
        """Import a name by a statement unless the file has it."""
        if name not in self.bound:
            imports[name] = statement

    def test_class(self, wanted: str, base: str) -> ast.ClassDef | None:
        """The class that holds the tests of this already."""
        names = {f"Test{wanted}", f"{wanted}Test", f"{wanted}Tests", f"{wanted}TestCase"}
        for node in self._tree.body:
            if isinstance(node, ast.ClassDef) and node.name in names:
                bases = {_last_name(each) for each in node.bases}
                if base.rpartition(".")[2] in bases:
                    return node
        return None

    def skeleton(self, name: str, test: list[str], imports: dict[str, str]) -> Skeleton:
        """The test behind all that is there, but before what a script does at its end."""
        body = self._tree.body
        end = len(self._lines) - 1 if not self._lines[-1] else len(self._lines)
        if not body and end == 0:
            head = _sorted_imports(imports.values())
            return _placed(name, [Insertion(0, "\n".join([*head, "", "", *test, ""]))])
        if body and _is_main(body[-1]):
            before = min(body[-1].lineno, body[-1].lineno) - 1
            return self._with_imports(
                name, Insertion(before, "\n".join([*test, "", "", ""])), imports
            )
        blank = 0
        while blank < 2 and end - blank > 0 and not self._lines[end - blank - 1].strip():
            blank += 1
        text = "\n".join([*[""] * (2 - blank), *test, ""])
        return self._with_imports(name, Insertion(end, text), imports)

    def skeleton_in(
        self, owner: ast.ClassDef, name: str, test: list[str], imports: dict[str, str]
    ) -> Skeleton:
        """The test as the last method of a class."""
        insertion = Insertion(owner.end_lineno or owner.lineno, "\n".join(["", *test, ""]))
        return self._with_imports(name, insertion, imports)

    def _with_imports(self, name: str, test: Insertion, imports: dict[str, str]) -> Skeleton:
        joined: dict[ast.ImportFrom, list[str]] = {}
        apart = []
        for statement in imports.values():
            node, member = self._joins(statement)
            if node is None:
                apart.append(statement)
            else:
                joined.setdefault(node, []).append(member)
        groups = enumerate(_groups(apart))
        needed = [self._import(group, statements) for group, statements in groups if statements]
        needed += [self._longer(node, members) for node, members in joined.items()]
        return _placed(name, [*needed, test])

    def _joins(self, statement: str) -> tuple[ast.ImportFrom | None, str]:
        """The statement that imports from the same module, which can be made longer by a name.

        Names under other names stay apart, as isort and ruff have them by default.
        """
        words = statement.split()
        if words[0] != "from" or "as" in words:
            return None, ""
        for node in self._tree.body:
            if not isinstance(node, ast.ImportFrom):
                continue
            plain = [alias.asname is None and alias.name != "*" for alias in node.names]
            if "." * node.level + (node.module or "") == words[1] and all(plain):
                first, last = self._lines[node.lineno - 1], self._lines[_end(node) - 1]
                rest = last.encode()[node.end_col_offset :].decode().strip()
                alone = first.startswith("from") and (not rest or rest.startswith("#"))
                if alone and (node.lineno == _end(node) or self._one_a_line(node)):
                    return node, words[3]
        return None, ""

    def _one_a_line(self, node: ast.ImportFrom) -> bool:
        """Whether names stand in brackets, each on a line of its own."""
        lines = [alias.lineno for alias in node.names]
        return node.lineno < lines[0] and len({*lines}) == len(lines) and lines[-1] < _end(node)

    def _longer(self, node: ast.ImportFrom, members: Iterable[str]) -> Insertion:
        """An import with some more names, among the others as isort and ruff sort them."""
        lines = self._lines[node.lineno - 1 : _end(node)]
        names = [alias.name for alias in node.names]
        begin = f"from {'.' * node.level}{node.module or ''} import "
        if node.lineno < _end(node):
            starts = [alias.lineno - node.lineno for alias in node.names]
            head, tail = lines[: starts[0]], lines[starts[-1] + 1 :]
            written = [
                list(lines[start:end])
                for start, end in zip(starts, [*starts[1:], starts[-1] + 1], strict=True)
            ]
            code, hash_, comment = written[-1][0].partition("#")
            if not code.rstrip().endswith(","):
                written[-1][0] = f"{code.rstrip()},{'  #' if hash_ else ''}{comment}"
            indent = lines[starts[0]][: node.names[0].col_offset]
            new = [*_among(names, written, members, lambda name: [f"{indent}{name},"])]
            lines = [*head, *(line for each in new for line in each), *tail]
        else:
            comment = lines[0].encode()[node.end_col_offset :].decode()
            all_names = [*_among(names, names, members, str)]
            lines = [f"{begin}{', '.join(all_names)}{comment}"]
            if len(lines[0]) - len(comment) > _LINE:
                lines = [f"{begin}({comment}", *(f"    {name}," for name in all_names), ")"]
        return Insertion(node.lineno - 1, "\n".join([*lines, ""]), _end(node) - node.lineno + 1)

    def _import(self, group: int, statements: Sequence[str]) -> Insertion:
        """Imports behind those of their group, or else between the groups around it."""
        above: ast.Import | ast.ImportFrom | None = None
        first: ast.Import | ast.ImportFrom | None = None
        for node in self._tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                first = first or node
                if self._group(node) <= group:
                    above = node
        lines = list(statements)
        if above is not None:
            blank = [""] if self._group(above) < group else []
            return Insertion(_end(above), "\n".join([*blank, *lines, ""]))
        if first is not None:
            return Insertion(first.lineno - 1, "\n".join([*lines, "", ""]))
        top = self._tree.body[0] if self._tree.body else None
        if isinstance(top, ast.Expr) and isinstance(top.value, ast.Constant):
            return Insertion(_end(top), "\n".join(["", *lines, ""]))
        # Comments at the top, the encoding's for one, stay there.
        return Insertion(top.lineno - 1 if top else 0, "\n".join([*lines, "", "", ""]))

    def _group(self, node: ast.Import | ast.ImportFrom) -> int:
        if isinstance(node, ast.ImportFrom):
            return 2 if node.level else _group_of(node.module or "")
        return _group_of(node.names[0].name)


def _among(
    names: Sequence[str], written: Sequence[T], added: Iterable[str], write: Callable[[str], T]
) -> Iterator[T]:
    """What is written of names, with some more: in order, or at the end where the names are not."""
    pairs = list(zip(names, written, strict=True))
    sorts = list(names) == sorted(names, key=_sorted_as)
    for name in sorted(added, key=_sorted_as):
        later = (
            place for place, (each, _) in enumerate(pairs) if _sorted_as(each) > _sorted_as(name)
        )
        pairs.insert(next(later, len(pairs)) if sorts else len(pairs), (name, write(name)))
    return (each for _, each in pairs)


def _sorted_as(name: str) -> tuple[int, list[str | int]]:
    """The place of a name among others: constants, classes, and all else, as isort tells them."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    parts = re.split(r"(\d+)", name.lower())
    return kind, [int(part) if part.isdigit() else part for part in parts]


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _placed(name: str, insertions: Sequence[Insertion]) -> Skeleton:
    """A skeleton of insertions, the test last, with the line that its name comes to."""
    merged: dict[int, Insertion] = {}
    for each in insertions:
        # What comes to one place is one text, so that nobody can put it in another order.
        one = merged.get(each.after, Insertion(each.after, ""))
        merged[each.after] = Insertion(
            each.after, one.text + each.text, one.replaced + each.replaced
        )
    test = insertions[-1]
    pattern = re.compile(rf"\s*(async )?def {re.escape(name)}\(")
    lines = test.text.split("\n")
    offset = next(place for place, line in enumerate(lines) if pattern.match(line))
    above = sum(
        each.text.count("\n") - each.replaced
        for each in merged.values()
        if each.after <= test.after
    )
    line = test.after + above - test.text.count("\n") + offset + 1
    return Skeleton(name, tuple(merged.values()), line)


def _groups(statements: Iterable[str]) -> tuple[list[str], list[str], list[str]]:
    """Import statements of the standard library, of test frameworks, and all others, sorted."""
    groups: tuple[list[str], list[str], list[str]] = ([], [], [])
    for statement in statements:
        module = statement.split()[1]
        groups[2 if module.startswith(".") else _group_of(module)].append(statement)
    return (sorted(groups[0]), sorted(groups[1]), sorted(groups[2]))


def _group_of(module: str) -> int:
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return 0
    return 1 if top in ("pytest", "django") else 2


def _sorted_imports(statements: Iterable[str]) -> list[str]:
    """Imports of a new file, a blank line between groups."""
    lines: list[str] = []
    for group in _groups(statements):
        lines += ["", *group] if lines and group else group
    return lines


def _bound(body: Iterable[ast.stmt]) -> Iterator[str]:
    """The names that the statements of a module bind."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from ((each.asname or each.name).partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (each.asname or each.name for each in node.names)
        elif isinstance(node, _Function | ast.ClassDef):
            yield node.name
        else:
            for each in ast.walk(node):
                if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                    yield each.id
                elif isinstance(each, ast.Import | ast.ImportFrom):
                    yield from _bound([each])


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def _free(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def _snake(name: str) -> str:
    """`Basket.total` → `basket_total`, `HTTPClient.__call__` → `http_client_call`."""
    parts = [
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", part).lower()
        for part in name.split(".")
    ]
    return "_".join(stripped for part in parts if (stripped := part.strip("_"))) or "it"


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_") if part) or "It"
