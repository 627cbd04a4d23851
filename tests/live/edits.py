"""Random edits of a project's sources and tests, such as people make; all from one seed."""

import ast
import random
import re
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.live.projects import Project

T = TypeVar("T")

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_OPPOSITE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OTHER: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


class NothingToEditError(Exception):
    """There is no place for such an edit."""


@dataclass
class Editor:
    """A project that is edited at random."""

    project: Project
    root: Path
    chosen: random.Random
    written: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        return (self.root / name).read_text()

    def write(self, name: str, text: str) -> None:
        """Write a source; it has to be Python, and another than before."""
        path = self.root / name
        try:
            ast.parse(text)
        except SyntaxError as error:
            raise NothingToEditError from error
        if path.exists() and path.read_text() == text:
            raise NothingToEditError
        save(path, text)
        self.written.append(name)

    def one(self, things: Sequence[T]) -> T:
        if not things:
            raise NothingToEditError
        return self.chosen.choice(things)

    def source(self) -> str:
        return self.one(self.project.files(self.root, self.project.sources))

    def tests(self) -> str:
        files = self.project.files(self.root, self.project.tests)
        return self.one([name for name in files if "/test_" in name])

    def file(self) -> str:
        """A source, or at times a file of tests."""
        return self.tests() if self.chosen.random() < 0.25 else self.source()

    def number(self) -> int:
        return self.chosen.randrange(10**6)

    def replace(self, name: str, node: Any, new: str) -> None:
        """Write something else in the place of a node."""
        text = self.text(name)
        start, end = span(text, node)
        self.write(name, text[:start] + new + text[end:])

    def insert(self, name: str, line: int, *new: str) -> None:
        """Put lines before a line."""
        lines = self.text(name).split("\n")
        lines[line - 1 : line - 1] = new
        self.write(name, "\n".join(lines))


def save(path: Path, text: str) -> None:
    """Write a file so that Python can tell by its time whether bytecode is of this text."""
    while path.exists() and int(path.stat().st_mtime) == int(time.time()):
        time.sleep(0.02)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def span(text: str, node: Any) -> tuple[int, int]:
    """Where a node stands, in characters."""
    lines = text.split("\n")

    def at(line: int, column: int) -> int:
        before = sum(len(each) + 1 for each in lines[: line - 1])
        return before + len(lines[line - 1].encode()[:column].decode())

    return at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset)


def nodes(text: str, *kinds: type[ast.AST]) -> list[Any]:
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]


def functions(text: str, *, tests: bool | None = None) -> list[Any]:
    return [
        node
        for node in nodes(text, *_FUNCTIONS)
        if tests is None or node.name.startswith("test") is tests
    ]


def in_functions(text: str, *kinds: type[ast.AST]) -> list[Any]:
    """The nodes of functions' bodies."""
    found = {}
    for function in functions(text):
        for statement in function.body:
            for node in ast.walk(statement):
                if isinstance(node, kinds) and hasattr(node, "lineno"):
                    found[id(node)] = node
    # Both f-strings' parts and documentation are text that is not theirs alone.
    hidden = {
        id(inner)
        for outer in ast.walk(ast.parse(text))
        if isinstance(outer, ast.JoinedStr)
        for inner in ast.walk(outer)
    }
    return [node for key, node in found.items() if key not in hidden]


def first_line(node: Any) -> int:
    return int(min([node.lineno, *(each.lineno for each in node.decorator_list)]))


def taken_out(text: str, node: Any) -> tuple[str, list[str]]:
    """A text without a function, and the function's lines."""
    lines = text.split("\n")
    first = first_line(node)
    own = lines[first - 1 : node.end_lineno]
    return "\n".join(lines[: first - 1] + lines[node.end_lineno :]), own


def movable(text: str) -> list[Any]:
    """The functions that stand in no other, and are not the only thing in their class."""
    tree = ast.parse(text)
    found = [node for node in tree.body if isinstance(node, _FUNCTIONS)]
    for owner in tree.body:
        if isinstance(owner, ast.ClassDef) and len(owner.body) > 1:
            found += [node for node in owner.body if isinstance(node, _FUNCTIONS)]
    return found


# Edits of what runs.


def change_condition(editor: Editor) -> None:
    name = editor.file()
    text = editor.text(name)
    node = editor.one([each.test for each in in_functions(text, ast.If, ast.While, ast.IfExp)])
    said = ast.get_source_segment(text, node)
    new = [f"not ({said})", f"({said}) and True", f"({said}) or False", "True", "False"]
    editor.replace(name, node, editor.one(new))


def change_comparison(editor: Editor) -> None:
    name = editor.source()
    text = editor.text(name)
    found = [
        node
        for node in in_functions(text, ast.Compare)
        if len(node.ops) == 1 and type(node.ops[0]) in _OPPOSITE
    ]
    node = editor.one(found)
    node.ops = [_OPPOSITE[type(node.ops[0])]()]
    editor.replace(name, node, f"({ast.unparse(node)})")


def change_operator(editor: Editor) -> None:
    name = editor.source()
    found = [node for node in in_functions(editor.text(name), ast.BinOp) if type(node.op) in _OTHER]
    node = editor.one(found)
    node.op = _OTHER[type(node.op)]()
    editor.replace(name, node, f"({ast.unparse(node)})")


def other_constant(node: ast.Constant) -> str:
    match node.value:
        case bool():
            return repr(not node.value)
        case int() | float():
            return repr(node.value + 1)
        case str() if "\n" not in node.value:
            return repr(node.value + "x")
        case _:
            raise NothingToEditError


def change_constant(editor: Editor) -> None:
    name = editor.file()
    node = editor.one(in_functions(editor.text(name), ast.Constant))
    editor.replace(name, node, other_constant(node))


def change_return(editor: Editor) -> None:
    name = editor.source()
    found = [node for node in in_functions(editor.text(name), ast.Return) if node.value]
    editor.replace(name, editor.one(found), "return None")


def drop_statement(editor: Editor) -> None:
    name = editor.source()
    found = in_functions(editor.text(name), ast.Assign, ast.AugAssign, ast.Expr, ast.Raise)
    editor.replace(name, editor.one(found), "pass")


def add_statement(editor: Editor) -> None:
    name = editor.file()
    node = editor.one(functions(editor.text(name))).body[-1]
    number, indent = editor.number(), " " * node.col_offset
    added = editor.one(
        [
            ["_added = {}"],
            ["if {} > 500_000:", "    _added = 1"],
            ["for _added in range({} % 3):", "    pass"],
            ["try:", "    _added = {}", "finally:", "    pass"],
            ["_added = [", "    {},", "]"],
            ["_added = lambda: {}"],
            ["def _added():", "    return {}", "", "_added()"],
            ["assert {} >= 0"],
        ]
    )
    if node.lineno != first_line_of(node):
        raise NothingToEditError
    editor.insert(name, node.lineno, *(indent + line.format(number) for line in added))


def first_line_of(node: Any) -> int:
    return first_line(node) if hasattr(node, "decorator_list") else int(node.lineno)


def wrap_body(editor: Editor) -> None:
    name = editor.source()
    text = editor.text(name)
    node = editor.one(functions(text))
    body = node.body[1:] if ast.get_docstring(node) else node.body
    if not body or body[0].lineno == node.lineno:
        raise NothingToEditError
    lines = text.split("\n")
    first, last = first_line_of(body[0]), body[-1].end_lineno
    if any(isinstance(each, ast.Constant) and "\n" in str(each.value) for each in ast.walk(node)):
        raise NothingToEditError
    indent = " " * body[0].col_offset
    inner = ["    " + line if line.strip() else line for line in lines[first - 1 : last]]
    head = editor.one(["if True:", "with __import__('contextlib').suppress(OSError):"])
    lines[first - 1 : last] = [indent + head, *inner]
    editor.write(name, "\n".join(lines))


# Edits of what is around functions.


def _header(editor: Editor, name: str, node: Any) -> None:
    """Write a function's header anew, as its node is now."""
    text = editor.text(name)
    body = node.body[0]
    if first_line_of(body) == node.lineno:
        raise NothingToEditError
    kind = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    lines = text.split("\n")
    header = f"{' ' * node.col_offset}{kind} {node.name}({ast.unparse(node.args)}){returns}:"
    lines[node.lineno - 1 : first_line_of(body) - 1] = [header]
    editor.write(name, "\n".join(lines))


def change_signature(editor: Editor) -> None:
    name = editor.source()
    node = editor.one(functions(editor.text(name)))
    node.args.kwonlyargs.append(ast.arg(f"extra{editor.number()}"))
    node.args.kw_defaults.append(ast.Constant(editor.number()))
    _header(editor, name, node)


def change_default(editor: Editor) -> None:
    name = editor.file()
    found = [
        node
        for node in functions(editor.text(name))
        if any(isinstance(each, ast.Constant) for each in node.args.defaults)
    ]
    node = editor.one(found)
    for place, default in enumerate(node.args.defaults):
        if isinstance(default, ast.Constant):
            node.args.defaults[place] = ast.parse(other_constant(default), mode="eval").body
    _header(editor, name, node)


def add_decorator(editor: Editor) -> None:
    name = editor.file()
    node = editor.one(functions(editor.text(name)))
    indent = " " * node.col_offset
    decorator = editor.one(["(lambda function: function)", "__import__('functools').cache"])
    editor.insert(name, first_line(node), f"{indent}@{decorator}")


def drop_decorator(editor: Editor) -> None:
    name = editor.file()
    found = [node for node in functions(editor.text(name)) if node.decorator_list]
    decorator = editor.one(editor.one(found).decorator_list)
    lines = editor.text(name).split("\n")
    del lines[decorator.lineno - 1 : decorator.end_lineno]
    editor.write(name, "\n".join(lines))


def change_module_constant(editor: Editor) -> None:
    name = editor.source()
    tree = ast.parse(editor.text(name))
    found = [
        each
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.ClassDef))
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and not _within_function(node, each)
    ]
    node = editor.one(found)
    editor.replace(name, node, other_constant(node))


def _within_function(top: ast.AST, node: ast.AST) -> bool:
    return any(
        node in ast.walk(each)
        for each in ast.walk(top)
        if isinstance(each, (*_FUNCTIONS, ast.JoinedStr))
    )


def add_module_constant(editor: Editor) -> None:
    name = editor.file()
    editor.write(name, f"{editor.text(name).rstrip()}\nADDED_{editor.number()} = [\n    1,\n]\n")


def change_class(editor: Editor) -> None:
    name = editor.source()
    node = editor.one(nodes(editor.text(name), ast.ClassDef))
    number, indent = editor.number(), " " * node.body[0].col_offset
    added = editor.one(
        [
            [f"added_{number} = {number}"],
            [f"def added_{number}(self):", f"    return {number}", ""],
            ["def __hash__(self):", "    return 1", ""],
        ]
    )
    editor.insert(name, first_line_of(node.body[-1]), *(indent + line for line in added))


def _after_imports(text: str) -> int:
    """The line after the last import of a module."""
    imports = [
        node.end_lineno or 1
        for node in ast.parse(text).body
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    return max(imports, default=0) + 1


def add_import(editor: Editor) -> None:
    name = editor.file()
    if editor.chosen.random() < 0.5:
        editor.insert(name, _after_imports(editor.text(name)), "import colorsys")
        return
    node = editor.one(functions(editor.text(name))).body[-1]
    editor.insert(name, first_line_of(node), f"{' ' * node.col_offset}import colorsys")


def drop_import(editor: Editor) -> None:
    name = editor.file()
    found = nodes(editor.text(name), ast.Import, ast.ImportFrom)
    node = editor.one([each for each in found if getattr(each, "module", "") != "__future__"])
    editor.replace(name, node, "pass")


def add_function(editor: Editor) -> None:
    name, number = editor.source(), editor.number()
    text = editor.text(name)
    caller = None
    if editor.chosen.random() < 0.6:
        caller = editor.one(movable(text)).body[-1]
        line = f"{' ' * caller.col_offset}added_{number}({number % 2})"
        lines = text.split("\n")
        lines.insert(first_line_of(caller) - 1, line)
        text = "\n".join(lines)
    added = f"""

        def added_{number}(flag=1):
            if flag:
                return {number}
            return [each for each in range(3)]
        """
    editor.write(name, text.rstrip() + "\n" + textwrap.dedent(added).rstrip() + "\n")


def drop_function(editor: Editor) -> None:
    name = editor.source()
    text = editor.text(name)
    editor.write(name, taken_out(text, editor.one(movable(text)))[0])


def rename_function(editor: Editor) -> None:
    """At its definition, and half of the time wherever its name stands."""
    name = editor.source()
    node = editor.one(movable(editor.text(name)))
    if node.name.startswith("__"):
        raise NothingToEditError
    new = f"{node.name}_{editor.number() % 1000}"
    if editor.chosen.random() < 0.3:
        editor.write(name, editor.text(name).replace(f"def {node.name}(", f"def {new}(", 1))
        return
    pattern = re.compile(rf"\b{node.name}\b")
    for path in editor.project.files(editor.root, editor.project.sources + editor.project.tests):
        text = editor.text(path)
        if pattern.search(text):
            editor.write(path, pattern.sub(new, text))


def move_function(editor: Editor) -> None:
    name = editor.file()
    text = editor.text(name)
    node = editor.one(movable(text))
    rest, own = taken_out(text, node)
    if node.col_offset == 0:
        editor.write(name, rest.rstrip() + "\n\n\n" + "\n".join(own) + "\n")
        return
    siblings = [each for each in movable(rest) if each.col_offset == node.col_offset]
    lines = rest.split("\n")
    place = first_line(editor.one(siblings)) - 1
    lines[place:place] = [*own, ""]
    editor.write(name, "\n".join(lines))


def move_to_other_module(editor: Editor) -> None:
    """A function goes to a module of its own, and is imported from there."""
    name, number = editor.source(), editor.number()
    text = editor.text(name)
    node = editor.one([each for each in movable(text) if each.col_offset == 0])
    rest, own = taken_out(text, node)
    folder = name.rpartition("/")[0]
    package = folder.removeprefix("src/").replace("/", ".")
    imports = [
        ast.get_source_segment(text, each)
        for each in ast.parse(text).body
        if isinstance(each, (ast.Import, ast.ImportFrom))
    ]
    editor.write(f"{folder}/moved_{number}.py", "\n".join([*map(str, imports), "", "", *own, ""]))
    line = _after_imports(rest)
    lines = rest.split("\n")
    lines.insert(line - 1, f"from {package}.moved_{number} import {node.name}")
    editor.write(name, "\n".join(lines))


def add_module(editor: Editor) -> None:
    name, number = editor.source(), editor.number()
    folder = name.rpartition("/")[0]
    package = folder.removeprefix("src/").replace("/", ".")
    editor.write(f"{folder}/added_{number}.py", "N = 1\n\n\ndef added(n=N):\n    return n or 2\n")
    if editor.chosen.random() < 0.6:
        text = editor.text(name)
        line = f"from {package}.added_{number} import added as added_{number}"
        editor.insert(name, _after_imports(text), line)


def drop_module(editor: Editor) -> None:
    files = editor.project.files(editor.root, editor.project.sources)
    added = [name for name in files if "/added_" in name] or files
    name = editor.one(added)
    (editor.root / name).unlink()
    editor.written.append(name)
    module = name.rpartition("/")[2].removesuffix(".py")
    for path in editor.project.files(editor.root, editor.project.sources):
        lines = editor.text(path).split("\n")
        kept = [line for line in lines if f".{module} import" not in line]
        if module.startswith("added_") and len(kept) < len(lines):
            editor.write(path, "\n".join(kept))


# Edits of tests.


def change_test(editor: Editor) -> None:
    name = editor.tests()
    node = editor.one(functions(editor.text(name), tests=True)).body[-1]
    number, indent = editor.number(), " " * node.col_offset
    if first_line_of(node) == node.lineno:
        editor.insert(
            name, node.lineno, f"{indent}if {number} > 3:", f"{indent}    assert {number}"
        )


def shorten_test(editor: Editor) -> None:
    name = editor.tests()
    node = editor.one(functions(editor.text(name), tests=True))
    editor.replace(name, node.body[-1], "pass")


def add_test(editor: Editor) -> None:
    """A test like another one, or one that uses a source of its own accord."""
    name, number = editor.tests(), editor.number()
    text = editor.text(name)
    tests = functions(text, tests=True)
    node = editor.one(tests)
    own = "\n".join(text.split("\n")[first_line(node) - 1 : node.end_lineno])
    own = own.replace(f"def {node.name}(", f"def {node.name}_{number}(")
    lines = text.split("\n")
    lines[node.end_lineno : node.end_lineno] = ["", own]
    editor.write(name, "\n".join(lines))


def drop_test(editor: Editor) -> None:
    name = editor.tests()
    text = editor.text(name)
    tests = [node for node in movable(text) if node.name.startswith("test")]
    if len(tests) < 2:
        raise NothingToEditError
    editor.write(name, taken_out(text, editor.one(tests))[0])


def rename_test(editor: Editor) -> None:
    name = editor.tests()
    text = editor.text(name)
    node = editor.one(functions(text, tests=True))
    new = f"def {node.name}_{editor.number() % 1000}("
    editor.write(name, text.replace(f"def {node.name}(", new, 1))


def add_test_file(editor: Editor) -> None:
    name, number = editor.tests(), editor.number()
    editor.write(f"{name.rpartition('/')[0]}/test_added_{number}.py", editor.text(name))


def drop_test_file(editor: Editor) -> None:
    files = editor.project.files(editor.root, editor.project.tests)
    name = editor.one([name for name in files if "/test_added_" in name])
    (editor.root / name).unlink()
    editor.written.append(name)


def change_helper(editor: Editor) -> None:
    """Something that tests use: a fixture, a function beside them, a conftest."""
    name = editor.one(editor.project.files(editor.root, editor.project.tests))
    node = editor.one(functions(editor.text(name), tests=False)).body[-1]
    if first_line_of(node) != node.lineno:
        raise NothingToEditError
    indent, number = " " * node.col_offset, editor.number()
    editor.insert(name, node.lineno, f"{indent}if {number}:", f"{indent}    _added = {number}")


def add_fixture(editor: Editor) -> None:
    if editor.project.runner != "pytest":
        raise NothingToEditError
    name, number = editor.tests(), editor.number()
    scope = editor.one(["function", "class", "module", "session"])
    text = editor.text(name)
    used = editor.one([node for node in functions(text, tests=True) if node.col_offset == 0])
    used.args.args.append(ast.arg(f"added_{number}"))
    _header(editor, name, used)
    fixture = f"""

        @__import__("pytest").fixture(scope="{scope}")
        def added_{number}():
            yield {number}
            del [0, 1][0]
        """
    editor.write(name, editor.text(name).rstrip() + "\n" + textwrap.dedent(fixture))


# Edits of nothing that runs.


def add_remarks(editor: Editor) -> None:
    name = editor.file()
    text = editor.text(name)
    lines = text.split("\n")
    inside = {
        line
        for node in nodes(text, ast.Constant, ast.JoinedStr)
        for line in range(node.lineno + 1, (node.end_lineno or 0) + 1)
    }
    free = [line for line in range(1, len(lines) + 1) if line not in inside]
    added = editor.one([[""], ["# A remark."], ["", "# A remark.", ""]])
    editor.insert(name, editor.one(free), *added)


def lay_out_otherwise(editor: Editor) -> None:
    """Some function as Python's own printer has it, or a value over several lines."""
    name = editor.file()
    text = editor.text(name)
    if editor.chosen.random() < 0.5:
        node = editor.one([each for each in in_functions(text, ast.Return) if each.value])
        value = ast.get_source_segment(text, node.value)
        indent = " " * node.col_offset
        editor.replace(name, node, f"return (\n{indent}    {value}\n{indent})")
        return
    node = editor.one(movable(text))
    lines = text.split("\n")
    new = textwrap.indent(ast.unparse(node), " " * node.col_offset).split("\n")
    lines[first_line(node) - 1 : node.end_lineno] = new
    editor.write(name, "\n".join(lines))


def swap_statements(editor: Editor) -> None:
    name = editor.source()
    text = editor.text(name)
    found = [
        (one, other)
        for function in functions(text)
        for one, other in zip(function.body, function.body[1:], strict=False)
        if first_line_of(one) > function.lineno and one.end_lineno < first_line_of(other)
    ]
    one, other = editor.one(found)
    lines = text.split("\n")
    first, middle, last = first_line_of(one), first_line_of(other), other.end_lineno
    lines[first - 1 : last] = [*lines[middle - 1 : last], *lines[first - 1 : middle - 1]]
    editor.write(name, "\n".join(lines))


def change_readme(editor: Editor) -> None:
    name = editor.one(editor.project.files(editor.root, ("README.md",)))
    save(editor.root / name, f"{editor.text(name)}\nMore {editor.number()}.\n")
    editor.written.append(name)


Edit = Callable[[Editor], None]

EDITS: Final[Sequence[Edit]] = (
    *(3 * [change_condition, change_constant, change_return, add_statement, drop_statement]),
    *(2 * [change_comparison, wrap_body, add_remarks, lay_out_otherwise, change_test, add_test]),
    *(2 * [drop_test, add_function, move_function, swap_statements, change_module_constant]),
    *(change_operator, change_signature, change_default, add_decorator, drop_decorator),
    *(add_module_constant, change_class, add_import, drop_import, drop_function, rename_function),
    *(move_to_other_module, add_module, drop_module, shorten_test, rename_test, add_test_file),
    *(drop_test_file, change_helper, add_fixture, change_readme),
)


def mutate_constant(editor: Editor) -> None:
    name = editor.source()
    node = editor.one(in_functions(editor.text(name), ast.Constant))
    editor.replace(name, node, other_constant(node))


def mutate_condition(editor: Editor) -> None:
    name = editor.source()
    text = editor.text(name)
    node = editor.one([each.test for each in in_functions(text, ast.If, ast.While, ast.IfExp)])
    editor.replace(name, node, f"not ({ast.get_source_segment(text, node)})")


MUTATIONS: Final[Sequence[Edit]] = (
    change_comparison, change_operator, change_return, drop_statement, mutate_constant,
    mutate_condition,
)  # fmt: skip


def some_edit(editor: Editor, kinds: Sequence[Edit]) -> str:
    """Do one edit of these kinds, and name it with the files it was done in."""
    while True:
        kind = editor.chosen.choice(kinds)
        editor.written.clear()
        before = dict(contents(editor))
        try:
            kind(editor)
        except NothingToEditError:
            restore(editor, before)
            continue
        return f"{kind.__name__} in {', '.join(dict.fromkeys(editor.written))}"


def contents(editor: Editor) -> Iterator[tuple[str, str]]:
    """The files that edits are done in."""
    patterns = (*editor.project.sources, *editor.project.tests, "README.md")
    for name in editor.project.files(editor.root, patterns):
        yield name, editor.text(name)


def restore(editor: Editor, before: dict[str, str]) -> None:
    """Have all files as they were, and touch no other."""
    now = dict(contents(editor))
    for name in now.keys() - before.keys():
        (editor.root / name).unlink()
    for name, text in before.items():
        if now.get(name) != text:
            save(editor.root / name, text)
