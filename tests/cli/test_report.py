"""`covls report` beside `coverage report` and `coverage json`, on small projects of every kind."""

import json
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest

from covls.cli.commands.report import report as report_command
from tests.cli.measured import (
    Covls,
    age,
    comparable,
    coverage,
    coverage_json,
    stamps,
    write,
)

SHOP = '''\
"""Prices."""
import sys


class Till:
    """A till."""

    def total(self, prices, express=False):
        cost = sum(
            prices,
            0,
        )
        if express:
            cost += 9
        for price in prices:
            if price > 100: cost -= 1
        return cost

    def void(self):
        with open("nothing") as file:
            return file.read()


def never(a, b):
    while a:
        a -= 1
    else:
        return b
    return a


def twice():
    def inner():
        return 1
    return inner


def twice():
    return 2


if sys.argv[1:] == ["other"]:  # pragma: no cover
    never(1, 2)
match sys.argv[1:]:
    case ["express"]:
        print(Till().total([1, 2], express=True))
    case _:
        print(Till().total([1, 200]))
twice()
'''

OTHER = "def f(x):\n    if x:\n        return 1\n    return 2\nf(0)\n"


@dataclass(frozen=True)
class Case:
    """One project: its files, how it is measured, and with which options both report on it."""

    why: str
    config: str = "[run]\nbranch = true\n"
    files: dict[str, str | bytes] = field(default_factory=lambda: {"shop.py": SHOP, "b.py": OTHER})
    runs: tuple[tuple[str, ...], ...] = (("shop.py",), ("-a", "b.py"))
    options: tuple[str, ...] = ()
    after: Callable[[Path], object] = age


CASES = {
    "branches": Case("the usual case"),
    "lines": Case("data without branches has other columns and keys", "[run]\nbranch = false\n"),
    "contexts": Case(
        "the contexts of each line, and again in each region",
        "[run]\nbranch = true\ndynamic_context = test_function\n[json]\nshow_contexts = true\n",
        {"test_a.py": SHOP + "def test_never():\n    never(1, 2)\ntest_never()\n"},
        (("test_a.py",),),
    ),
    "line contexts": Case(
        "contexts are stored in another table without branches",
        "[run]\ndynamic_context = test_function\n[json]\nshow_contexts = true\n",
        {"test_a.py": SHOP + "def test_never():\n    never(1, 2)\ntest_never()\n"},
        (("test_a.py",),),
    ),
    "context regex": Case(
        "only what ran in contexts that match",
        "[run]\nbranch = true\n",
        runs=(
            ("--context=one", "shop.py"),
            ("-a", "--context=two", "shop.py", "express"),
            ("-a", "--context=three", "b.py"),
        ),
        options=("--contexts=tw,^one$",),
    ),
    "configured context regex": Case(
        "the same from the configuration",
        "[run]\nbranch = true\n[report]\ncontexts =\n    two\n[json]\nshow_contexts = true\n",
        runs=(("--context=one", "shop.py"), ("-a", "--context=two", "shop.py", "express")),
    ),
    "relative files": Case(
        "names in the data are relative", "[run]\nbranch = true\nrelative_files = true\n"
    ),
    "parallel": Case(
        "parts that coverage.py combines first, and covls only reads",
        "[run]\nbranch = true\nparallel = true\n",
        runs=(("shop.py",), ("shop.py", "express"), ("b.py",)),
    ),
    "parallel, a file of its own too": Case(
        "parts beside a data file that is there already",
        "[run]\nbranch = true\n",
        runs=(("b.py",), ("-p", "shop.py")),
    ),
    "paths": Case(
        "files that were measured under another name",
        "[run]\nbranch = true\nsource = .\n[paths]\nall =\n    src\n    built/lib\n",
        {"src/a.py": OTHER, "built/lib/a.py": OTHER, "src/b.py": OTHER},
        (("built/lib/a.py",), ("-a", "src/b.py")),
    ),
    "excludes": Case(
        "exclusions of one line and of several, and excused branches",
        "[run]\nbranch = true\n[report]\nexclude_also =\n    def never\n"
        "    class Till(?:\\n|.)*?def void\n"
        "partial_also =\n    if x:\n",
    ),
    "excluded lines": Case(
        "the default exclusions replaced",
        "[run]\nbranch = true\n[report]\nexclude_lines =\n    if express\n",
    ),
    "source": Case(
        "files that never ran, and empty ones",
        "[run]\nbranch = true\nsource = .\n",
        {"shop.py": SHOP, "empty.py": "", "sub/__init__.py": "", "sub/lone.py": OTHER, "c.py": "#"},
        (("shop.py",),),
    ),
    "skip empty": Case(
        "files without code left out",
        "[run]\nbranch = true\nsource = .\n[report]\nskip_empty = true\nskip_covered = true\n",
        {"shop.py": SHOP, "empty.py": "", "sub/__init__.py": "", "done.py": "x = 1\n"},
        (("shop.py",), ("-a", "done.py")),
    ),
    "namespace package": Case(
        "a folder without __init__.py",
        "[run]\nbranch = true\nsource = .\n[report]\ninclude_namespace_packages = true\n",
        {"main.py": "import space.deep.a\n", "space/deep/a.py": OTHER, "space/deep/b.py": OTHER},
        (("main.py",),),
    ),
    "names": Case(
        "spaces, letters beyond ASCII, pipes, and numbers to be sorted as numbers",
        files={
            "a b.py": OTHER,
            "grüße/日本.py": OTHER,
            "p|pe_*.py": OTHER,
            "z10.py": OTHER,
            "z9.py": OTHER,
        },
        runs=(
            ("a b.py",),
            ("-a", "grüße/日本.py"),
            ("-a", "p|pe_*.py"),
            ("-a", "z10.py"),
            ("-a", "z9.py"),
        ),
    ),
    "omit": Case(
        "left out by the report's patterns",
        "[run]\nbranch = true\n[report]\nomit = b*\n",
    ),
    "include": Case("kept to by options", options=("--include=*/b.py,nothing*",)),
    "omit by option": Case(
        "an option goes over the configuration",
        "[run]\nbranch = true\n[report]\nomit = b*\n",
        options=("--omit=shop.py",),
    ),
    "one file": Case("a file named", options=("b.py",)),
    "precision": Case("decimals, also in JSON", "[run]\nbranch = true\n[report]\nprecision = 2\n"),
    "sort": Case(
        "sorted by the configuration, with missing lines",
        "[run]\nbranch = true\n[report]\nsort = -miss\nshow_missing = true\n",
    ),
    "pretty": Case("indented", "[run]\nbranch = true\n[json]\npretty_print = true\n"),
    "odd sources": Case(
        "form feeds, CRLF, a BOM, another encoding, a backslash, decorators",
        files={
            "main.py": "import a, b, c, d, e\n",
            "a.py": b"x = 1\n\x0c\ndef f():\n    return 1\n\x0c\nf()\n",
            "b.py": b"def f(x):\r\n    if x:\r\n        return 1\r\nf(0)\r\n",
            "c.py": b"\xef\xbb\xbfx = 1\nif x:\n    y = 2\n",
            "d.py": "# coding: latin-1\ns = 'é'\nif s == 'x':\n    t = 1\n".encode("latin-1"),
            "e.py": b"import functools\n@functools.lru_cache(\n    None,\n)\ndef f():\n"
            b"    return 1 + \\\n        2\nf()\nassert f() == 3, (\n    'no')\n",
        },
        runs=(("main.py",),),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_equals_coverage(case: Case, tmp_path: Path, covls: Covls) -> None:
    write(tmp_path, {".coveragerc": case.config, **case.files})
    for arguments in case.runs:
        coverage(tmp_path, "run", *arguments)
    case.after(tmp_path)
    before = stamps(tmp_path)
    everything = covls.json(tmp_path, *case.options)
    cold = comparable(everything)
    warm = comparable(covls.json(tmp_path, *case.options))
    tables = {}
    for more in ((), ("--format=markdown", "--show-missing", "--sort=-cover", "--precision=1")):
        done = covls(tmp_path, "report", *more, *case.options)
        assert done.code == 0, done.err
        tables[more] = done.out
    assert stamps(tmp_path) == before
    assert warm == cold
    # coverage.py combines and deletes parts, so that it comes last.
    assert cold == comparable(coverage_json(tmp_path, *case.options))
    for more, ours in tables.items():
        assert ours == coverage(tmp_path, "report", *more, *case.options).out
    assert everything["covls"]["stale"] == []
    assert everything["covls"]["root"] == os.path.realpath(tmp_path)


def measured(folder: Path, files: dict[str, str | bytes] | None = None, config: str = "") -> Path:
    """A project whose data is younger than its sources."""
    files = {"shop.py": SHOP, "b.py": OTHER} if files is None else files
    write(folder, {".coveragerc": config or "[run]\nbranch = true\n", **files})
    for number, name in enumerate(files):
        coverage(folder, "run", *(["-a"] if number else []), name)
    age(folder)
    return folder


def test_json_is_written_as_coverage_writes_it(tmp_path: Path, covls: Covls) -> None:
    measured(tmp_path)
    for options in ((), ("--pretty-print",)):
        ours = covls(tmp_path, "report", "--format=json", *options).out
        coverage(tmp_path, "json", "-q", "-o", "theirs.json", *options)
        theirs = (tmp_path / "theirs.json").read_text()
        moment = re.compile(r'("timestamp": ")[^"]*')
        ours = re.sub(r',\s+"covls": .*', "", ours, flags=re.DOTALL)
        theirs = re.sub(r"\n?}$", "", theirs)
        assert moment.sub(r"\1", ours) == moment.sub(r"\1", theirs)


def test_a_folder_keeps_rows_and_totals_to_it(tmp_path: Path, covls: Covls) -> None:
    measured(tmp_path, {"pack/a.py": OTHER, "pack/in/b.py": OTHER, "packed.py": OTHER})
    report = covls.json(tmp_path, "pack")
    assert list(report["files"]) == ["pack/a.py", "pack/in/b.py"]
    assert report["totals"]["num_statements"] == 10
    assert list(covls.json(tmp_path / "pack", "in")["files"]) == ["pack/in/b.py"]


def test_from_a_folder_within_the_names_are_the_roots(tmp_path: Path, covls: Covls) -> None:
    measured(tmp_path, {"pack/a.py": OTHER})
    assert list(covls.json(tmp_path / "pack")["files"]) == ["pack/a.py"]


def test_root_can_be_said_before_the_command_and_behind_it(tmp_path: Path, covls: Covls) -> None:
    root = tmp_path / "project"
    measured(root)
    for arguments in (("--root", "project", "report"), ("report", "--root", "project")):
        done = covls(tmp_path, *arguments)
        assert done.code == 0, done.err
        assert "shop.py" in done.out


def test_another_data_file(tmp_path: Path, covls: Covls) -> None:
    measured(tmp_path)
    (tmp_path / ".coverage").rename(tmp_path / "other.data")
    assert covls(tmp_path, "report").code == 3
    assert covls.json(tmp_path, "--data-file", "other.data")["covls"]["data_file"].endswith(
        "other.data"
    )


def test_no_data_says_which_file_was_looked_for_and_what_makes_it(
    tmp_path: Path, covls: Covls
) -> None:
    write(tmp_path, {".coveragerc": "[run]\ndata_file = deep/data\n"})
    done = covls(tmp_path, "report")
    assert (done.code, done.out) == (3, "")
    assert str(tmp_path / "deep" / "data") in done.err
    assert "coverage run -m pytest" in done.err
    assert "covls doctor" in done.err


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"not a database, but long enough" * 9, "not a data file of coverage.py")],
)
def test_unusable_data_says_so(content: bytes, words: str, tmp_path: Path, covls: Covls) -> None:
    (tmp_path / ".coverage").write_bytes(content)
    done = covls(tmp_path, "report", "--format", "json")
    assert (done.code, done.out) == (3, "")
    assert words in done.err
    assert "Traceback" not in done.err


def test_a_path_that_was_not_measured(tmp_path: Path, covls: Covls) -> None:
    measured(tmp_path)
    write(tmp_path, {"new.py": "x = 1\n"})
    done = covls(tmp_path, "report", "new.py")
    assert done.code == 3
    assert "has nothing on new.py" in done.err
    assert "covls doctor new.py" in done.err


def test_a_file_that_vanished_is_left_out_and_named(tmp_path: Path, covls: Covls) -> None:
    measured(tmp_path)
    (tmp_path / "b.py").unlink()
    done = covls(tmp_path, "report")
    assert done.code == 0
    assert "shop.py" in done.out
    assert "b.py" not in done.out
    assert "b.py" in done.err
    report = covls.json(tmp_path)
    assert report["covls"]["missing"] == [os.path.realpath(tmp_path / "b.py")]
    # coverage.py stops at it, unless told to ignore errors; then the figures are the same.
    assert coverage(tmp_path, "json", check=False).code == 1
    assert comparable(report) == comparable(coverage_json(tmp_path, "-i"))


def test_a_file_that_no_longer_parses_is_left_out_and_named(tmp_path: Path, covls: Covls) -> None:
    measured(tmp_path)
    (tmp_path / "b.py").write_text("def (:\n")
    done = covls(tmp_path, "report")
    assert done.code == 0
    assert re.search(r"^shop\.py ", done.out, re.MULTILINE)
    assert not re.search(r"^b\.py ", done.out, re.MULTILINE)
    assert "b.py" in done.err
    assert comparable(covls.json(tmp_path)) == comparable(coverage_json(tmp_path, "-i"))


def test_files_changed_since_are_marked_and_no_gate_is_judged_on_them(
    tmp_path: Path, covls: Covls
) -> None:
    measured(tmp_path)
    path = tmp_path / "b.py"
    path.write_text(OTHER + "# more\n")
    later = time.time() + 5
    os.utime(path, (later, later))
    done = covls(tmp_path, "report")
    assert done.code == 0
    assert re.search(r"^b\.py .*%  stale$", done.out, re.MULTILINE)
    assert not re.search(r"^shop\.py .*stale$", done.out, re.MULTILINE)
    assert "1 file may have changed since the tests ran" in done.out
    assert (
        "b.py (stale)".replace("(", r"\(").replace(")", r"\)")
        in covls(tmp_path, "report", "--format=markdown").out
    )
    assert covls.json(tmp_path)["covls"]["stale"] == ["b.py"]
    done = covls(tmp_path, "report", "--fail-under=10")
    assert done.code == 3
    assert "not judged" in done.err


def test_fail_under(tmp_path: Path, covls: Covls) -> None:
    measured(tmp_path, config="[run]\nbranch = true\n[report]\nfail_under = 99.5\n")
    for form in ("text", "json", "markdown"):
        done = covls(tmp_path, "report", "--format", form)
        assert done.code == 1
        assert re.search(r"total of [\d.]+ is less than fail_under=99\.5", done.err)
        assert covls(tmp_path, "report", "--format", form, "--fail-under=20").code == 0


def test_output_to_a_file_that_appears_whole(tmp_path: Path, covls: Covls) -> None:
    measured(tmp_path)
    done = covls(tmp_path, "report", "--format=json", "--output", "out/report.json")
    assert (done.code, done.out) == (0, "")
    assert json.loads((tmp_path / "out" / "report.json").read_text())["totals"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.json"]
    write(tmp_path, {"file": ""})
    done = covls(tmp_path, "report", "--output", "file/report.txt")
    assert done.code == 2
    assert "cannot be written" in done.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--sort=size",), "name, stmts, miss, branch, brpart, cover"),
        (("--contexts=(",), "no regular expression"),
        (("--format=xml",), "'text', 'json', 'markdown'"),
        (("nowhere.py",), "does not exist"),
    ],
)
def test_wrong_usage(options: tuple[str, ...], words: str, tmp_path: Path, covls: Covls) -> None:
    measured(tmp_path)
    done = covls(tmp_path, "report", *options)
    assert (done.code, done.out) == (2, "")
    assert words in done.err


def test_a_wrong_order_in_the_configuration_is_told_and_passed_over(
    tmp_path: Path, covls: Covls
) -> None:
    measured(tmp_path, config="[run]\nbranch = true\n[report]\nsort = size\n")
    done = covls(tmp_path, "report")
    assert done.code == 0
    assert "'size' is not a column" in done.err
    assert "sorted by name" in done.err


PLUGIN = """\
import coverage, pathlib
pathlib.Path(__file__).with_name("loaded").write_text("")
class Words(coverage.CoveragePlugin):
    def file_tracer(self, filename):
        return Tracer() if filename.endswith("render.py") else None
    def file_reporter(self, filename):
        return Reporter(filename)
class Tracer(coverage.FileTracer):
    def source_filename(self):
        return str(pathlib.Path(__file__).with_name("page.words"))
    def line_number_range(self, frame):
        return frame.f_lineno, frame.f_lineno
class Reporter(coverage.FileReporter):
    def lines(self):
        return {1, 2, 3}
def coverage_init(reg, options):
    reg.add_file_tracer(Words())
"""


def test_a_plugin_runs_only_where_trust_was_given(
    tmp_path: Path, covls: Covls, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        tmp_path,
        {
            ".coveragerc": "[run]\nplugins = words_plugin\n",
            "words_plugin.py": PLUGIN,
            "page.words": "a\nb\nc\n",
            "render.py": "def f():\n    return 2\n",
            "main.py": "import render\nrender.f()\n",
        },
    )
    coverage(tmp_path, "run", "main.py")
    age(tmp_path)
    (tmp_path / "loaded").unlink()
    for options in ((), ("--no-trusted",)):
        done = covls(tmp_path, *options, "report")
        assert done.code == 0
        assert "page.words" not in done.out
        assert "page.words" in done.err
        assert "not trusted" in done.err
        assert not (tmp_path / "loaded").exists()
    theirs = comparable(coverage_json(tmp_path))
    (tmp_path / "loaded").unlink()
    assert comparable(covls.json(tmp_path, "--trusted")) == theirs
    assert (tmp_path / "loaded").exists()
    monkeypatch.setenv("COVLS_TRUSTED", "1")
    assert comparable(covls.json(tmp_path)) == theirs
    assert "page.words" not in covls(tmp_path, "--no-trusted", "report").out


def test_every_option_is_on_the_page_about_the_command() -> None:
    page = (Path(__file__).parents[2] / "docs" / "report.md").read_text()
    for parameter in report_command.params:
        for name in parameter.opts if isinstance(parameter, click.Option) else ["PATHS"]:
            assert f"`{name}" in page, name


def test_every_key_of_ours_is_on_the_page(tmp_path: Path, covls: Covls) -> None:
    page = (Path(__file__).parents[2] / "docs" / "report.md").read_text()
    measured(tmp_path)
    keys = list(covls.json(tmp_path)["covls"])
    assert (
        re.findall(
            r"^\| `(\w+)` \|", page.partition("## JSON")[2].partition("\n## ")[0], re.MULTILINE
        )
        == keys
    )


def test_on_a_terminal_it_is_coloured_and_fits(tmp_path: Path) -> None:
    deep = "a_rather_long_name_of_a_folder/and_one_more_that_is_longer/a.py"
    other = "the_rather_long_name_of_a_folder/and_one_more_that_is_longer/a.py"
    measured(tmp_path, {deep: OTHER, other: OTHER, "b.py": OTHER})
    for width in (60, 72):
        shown = on_terminal(tmp_path, width, "report", "--show-missing")
        assert "\x1b[" in shown
        plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
        # Two names that would be the same when cut are shown whole instead.
        assert deep in plain
        assert other in plain
        assert "b.py" in plain
        assert "3 files" in plain
        for line in plain.splitlines():
            if deep not in line and other not in line and str(tmp_path) not in line:
                assert len(line) <= width
    assert "\x1b[" not in on_terminal(tmp_path, 100, "report", env={"NO_COLOR": "1"})


def on_terminal(
    folder: Path, width: int, *arguments: str, env: dict[str, str] | None = None
) -> str:
    """The output of `covls` as it comes to a terminal of some width."""
    terminal, end = pty.openpty()
    environment = {"TERM": "xterm-256color", "COLUMNS": str(width), **os.environ, **(env or {})}
    environment["COLUMNS"] = str(width)
    with subprocess.Popen(
        [sys.executable, "-m", "covls", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=end,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(end)
        pieces = []
        while True:
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # The way Linux says that the other end is closed.
                break
            if not piece:
                break
            pieces.append(piece)
        os.close(terminal)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0
    return b"".join(pieces).decode().replace("\r\n", "\n")
