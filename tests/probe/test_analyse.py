"""The worker's analysis is coverage.py's own: statements, exclusions, branches, words, regions."""

import gc
import json
import os
import random
import shutil
import subprocess
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coverage
import coverage.parser
import pytest
from coverage import CoverageData
from coverage.python import PythonFileReporter
from coverage.results import analysis_from_file_reporter
from hypothesis import given, settings
from hypothesis import strategies as st

from covls.core.analysis import Analysis, analysis_from_json
from covls.core.coverage import Measured, cover
from covls.probe import analyse
from tests.conftest import CI, MISSING
from tests.probe import comparison
from tests.probe.cases import CASES

PROBE = Path(analyse.__file__)

# Comparing every file takes five minutes of one core; one in five, one.
STEP = 1 if os.environ.get("COVLS_EVERY_FILE") else 2 if CI else 5
CHUNKS = 32


@pytest.fixture(autouse=True)
def _coverage_left_as_it_was() -> Iterator[None]:
    """The comparison changes coverage.py's parser, as the worker does.

    As in the worker, garbage is collected now and then only: half of the time goes there else.
    """
    gc.disable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    gc.enable()
    coverage.parser.generate_tokens = comparison.ALL_TOKENS  # type: ignore[attr-defined]


def analysis_of(source: bytes, rules: Any = None) -> Analysis:
    """What the worker says of a source, as covls gets to see it."""
    rules = rules or comparison.rules_of(comparison.coverage_object())
    return analysis_from_json(
        json.loads(analyse.compact(analyse.analyse_python(source, "it.py", rules)))
    )


def compare_numbers(path: Path, cov: Any, choose: random.Random) -> None:
    """Let random lines and arcs be executed, and compare what is made of them."""
    coverage.parser.generate_tokens = comparison.ALL_TOKENS  # type: ignore[attr-defined]
    reporter = PythonFileReporter(str(path), cov)
    try:
        possible = sorted(reporter.arcs())
    except Exception:  # noqa: BLE001
        return
    # As they would be recorded: also out of with blocks, and between later lines of statements.
    raw = [*possible, *reporter.parser._with_jump_fixers]
    raw += [(line, line) for line, _ in possible]
    lines: dict[int, list[int]] = {}
    for line, first in reporter.parser.multiline_map.items():
        lines.setdefault(first, []).append(line)

    def somewhere(line: int) -> int:
        within = lines.get(abs(line), [abs(line)])
        return choose.choice(within) if line > 0 else -choose.choice(within)

    share = choose.random()
    arcs = {(somewhere(start), somewhere(end)) for start, end in raw if choose.random() < share}
    arcs.update((-start, start) for start, _ in possible if choose.random() < 0.1)
    data = CoverageData(no_disk=True)
    data.add_arcs({str(path): arcs})
    theirs = analysis_from_file_reporter(data, 2, reporter, str(path))

    ours = cover(
        analysis_of(path.read_bytes(), comparison.rules_of(cov)),
        Measured(frozenset(data.lines(str(path)) or ()), frozenset(arcs)),
    )
    data.close(force=True)
    numbers = theirs.numbers
    totals = ours.totals
    assert (
        numbers.n_statements,
        numbers.n_excluded,
        numbers.n_missing,
        numbers.n_branches,
        numbers.n_partial_branches,
        numbers.n_missing_branches,
    ) == (
        totals.n_statements,
        totals.n_excluded,
        totals.n_missing,
        totals.n_branches,
        totals.n_partial_branches,
        totals.n_missing_branches,
    ), path
    assert theirs.missing == ours.missing, path
    missing = {line: tuple(ends) for line, ends in theirs.missing_branch_arcs().items()}
    executed = {line: tuple(ends) for line, ends in theirs.executed_branch_arcs().items()}
    assert missing == ours.missing_branches, path
    assert executed == ours.executed_branches, path


def installed() -> list[Path]:
    """The standard library, and all that the environment has."""
    library, packages = Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))
    found = {path for path in library.rglob("*.py") if "site-packages" not in path.parts}
    return sorted(found.union(packages.rglob("*.py")))


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_equals_coverage_py_on_installed_files(chunk: int) -> None:
    paths = installed()[::STEP][chunk::CHUNKS]
    assert len(paths) > 4
    cov = comparison.coverage_object()
    different = {}
    for number, path in enumerate(paths):
        if found := comparison.differences(str(path), cov):
            different[str(path)] = found
        if number % 5 == 0:
            compare_numbers(path, cov, random.Random(path.name))
            gc.collect()
    assert different == {}


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="has a tokenizer of its own")
def test_the_short_way_to_tokens_is_taken() -> None:
    """A new coverage.py or Python: read what its parser does with tokens, then allow it."""
    assert analyse.use_statement_tokens()


@pytest.mark.parametrize("name", CASES)
def test_equals_coverage_py_on_hard_cases(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    path = tmp_path / "it.py"
    path.write_bytes(case.source)
    cov = comparison.coverage_object(case.exclude, case.partial)
    assert comparison.differences(str(path), cov) == []
    for seed in range(5 if len(case.source) < 10_000 else 0):
        compare_numbers(path, cov, random.Random(seed))


REFUSED = {
    "unknown encoding": ("unknown encoding: klingon", 1),
    "utf-16": ("invalid or missing encoding declaration", 1),
    "bom against a declaration": ("encoding problem: utf-8", 1),
    "syntax error": ("expected ':'", 3),
    "bad indentation": ("unindent does not match any outer indentation level", 3),
    "open bracket": ("'(' was never closed", 2),
    "return outside": ("'return' outside function", 2),
    "too many operators": ("nested too deeply", None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_says_why_it_refuses(name: str) -> None:
    words, line = REFUSED[name]
    with pytest.raises(analyse.UnanalysableError) as refusal:
        analysis_of(CASES[name].source)
    assert words in str(refusal.value)
    assert refusal.value.line == line


SAMPLES = sorted(Path(sysconfig.get_path("stdlib")).glob("[a-c]*.py"))


@settings(max_examples=25)
@given(path=st.sampled_from(SAMPLES), seed=st.integers(0, 2**32))
def test_any_run_gives_the_numbers_of_coverage_py(path: Path, seed: int) -> None:
    compare_numbers(path, comparison.coverage_object(), random.Random(seed))


def test_whatever_is_recorded_is_executable(tmp_path: Path) -> None:
    """covls tells by it whether a text can be the one that was measured."""
    for name in ("empty", "only comments", "only a docstring", "multi-line statements"):
        (tmp_path / "it.py").write_bytes(CASES[name].source.replace(b"if ", b"if not "))
        program = "import contextlib\nwith contextlib.suppress(NameError): import it\n"
        (tmp_path / "main.py").write_text(program)
        for option in ("--branch", "--timid"):
            run: list[str | Path] = [
                sys.executable,
                "-m",
                "coverage",
                "run",
                option,
                "--source=.",
                "main.py",
            ]
            subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, timeout=60)
            data = CoverageData(str(tmp_path / ".coverage"))
            data.read()
            lines = set(data.lines(str(tmp_path / "it.py")) or ())
            data.close(force=True)
            executable = analysis_of((tmp_path / "it.py").read_bytes()).executable
            assert lines <= executable, (name, option)


# coverage.py: the newest that each Python can have, and each way in which it kept things before.
OTHERS = [
    ("3.9", "7.2.7"),
    ("3.9", "7.6.1"),
    ("3.9", "7.10.7"),
    ("3.10", "7.4.4"),
    ("3.11", "7.13.0"),
    ("3.12", "7.8.2"),
    ("3.12", ""),
    ("3.13", ""),
    ("3.14", ""),
]


def other_python(version: str, coverage_version: str) -> Path:
    """An environment with that Python and that coverage.py, made once and kept for developers."""
    name = f"python{version}"
    known = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}"))
    python = str(known[-1]) if known else shutil.which(name)
    if python is None:
        pytest.skip(f"{MISSING}{name}")
    folder = Path.home() / ".cache" / "covls-dev" / f"probe-{version}-{coverage_version or 'new'}"
    inside = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", folder], check=True, capture_output=True)
        wanted = f"coverage=={coverage_version}" if coverage_version else "coverage"
        pip: list[str | Path] = [
            inside,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            wanted,
        ]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"{MISSING}{wanted} for {name} ({done.stderr.strip()[-200:]})")
        (folder / "complete").touch()
    return inside


@pytest.mark.parametrize(("version", "coverage_version"), OTHERS)
def test_equals_coverage_py_in_other_pythons(version: str, coverage_version: str) -> None:
    python = other_python(version, coverage_version)
    step = 12 if STEP == 1 else 80
    done = subprocess.run(
        [python, "-I", comparison.__file__, str(step)],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["python"].startswith(version)
    assert found["coverage"].startswith(coverage_version)
    assert found["files"] > 20
    assert found["refused"] < found["files"] / 5
    assert found["different"] == []


class Started:
    """The worker itself, asked by hand."""

    def __init__(self, *options: str, cwd: Path, python: Any = sys.executable) -> None:
        self.process = subprocess.Popen(
            [python, *options[:1], PROBE, *options[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
        )

    def ask(self, body: bytes = b"", **request: Any) -> tuple[dict[str, Any], bytes]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        line = json.dumps({**request, "size": len(body)}).encode()
        self.process.stdin.write(line + b"\n" + body)
        self.process.stdin.flush()
        header = json.loads(self.process.stdout.readline())
        return header, self.process.stdout.read(header["size"])

    def start(self, exclude: tuple[str, ...] = ("no cover",)) -> dict[str, Any]:
        header, _ = self.ask(do="start", exclude=exclude, partial=["no branch"])
        return header

    def end(self) -> tuple[int, bytes]:
        _, stderr = self.process.communicate(timeout=60)
        return self.process.returncode, stderr


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Started]:
    started = Started("-I", cwd=tmp_path)
    yield started
    started.process.kill()
    started.process.communicate()


def test_protocol(worker: Started) -> None:
    hello = worker.start()
    assert hello["coverage"] == coverage.__version__
    assert hello["python"] == sys.version
    assert hello["pid"] == worker.process.pid
    header, body = worker.ask(b"if x:\n    y\n", do="analyse", path="a.py", tracer="", seconds=90)
    assert "error" not in header
    assert analysis_from_json(json.loads(body)).branches == {1: (-1, 2)}
    header, _ = worker.ask(b"if x\n", do="analyse", path="a.py", tracer="", seconds=90)
    assert header["error"] == "expected ':'"
    assert header["line"] == 1
    header, body = worker.ask(b"x\n", do="analyse", path="a.py", tracer="", seconds=90)
    assert analysis_from_json(json.loads(body)).statements == {1}
    code, stderr = worker.end()
    assert (code, stderr) == (0, b"")


def test_a_wrong_regex_is_named(worker: Started) -> None:
    header = worker.start(exclude=("fine", "(wrong"))
    assert "'(wrong' is no regular expression" in header["error"]


@pytest.mark.skipif(sys.platform == "win32", reason="no signals there")
def test_an_interrupt_ends_it_quietly(worker: Started) -> None:
    import signal

    worker.start()
    worker.process.send_signal(signal.SIGINT)
    code, stderr = worker.end()
    assert (code, stderr) == (130, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="no timers there")
def test_a_slow_regex_ends_by_itself(worker: Started) -> None:
    """Also where nobody is left to kill it."""
    import signal

    worker.start(exclude=(r"(a+)+$",))
    assert worker.process.stdin is not None
    source = b"x = '" + b"a" * 60 + b"!'\n"
    request = {"do": "analyse", "path": "a.py", "tracer": "", "seconds": 0.3, "size": len(source)}
    worker.process.stdin.write(json.dumps(request).encode() + b"\n" + source)
    code, _ = worker.end()
    assert code == -signal.SIGALRM


def test_nothing_of_the_workspace_is_imported_or_read(tmp_path: Path) -> None:
    trap = "import pathlib, sys\npathlib.Path(__file__).with_suffix('.ran').touch()\n"
    for name in ("coverage", "json", "re", "sitecustomize", "usercustomize", "evil", "_tokenize"):
        (tmp_path / f"{name}.py").write_text(trap)
    (tmp_path / ".coveragerc").write_text("[run]\nplugins = evil\n[report]\nexclude_lines = y\n")
    started = Started("-I", cwd=tmp_path)
    started.start()
    header, body = started.ask(b"if x:\n    y\n", do="analyse", path="a.py", tracer="", seconds=90)
    assert "error" not in header
    assert analysis_from_json(json.loads(body)).statements == {1, 2}
    for request in (
        {"do": "configuration"},
        {"do": "analyse", "path": "a.html", "tracer": "evil.Plugin", "seconds": 90},
    ):
        header, _ = started.ask(**request)
        assert "plugins run in trusted workspaces only" in header["error"]
    assert started.end()[0] == 0
    assert list(tmp_path.glob("*.ran")) == []


PLUGIN = """
import os, sys
import coverage
print("a plugin that prints")
os.write(1, b"and one that writes")

class Reporter(coverage.FileReporter):
    def lines(self): return {1, 3, 4, 7}
    def excluded_lines(self): return {6}
    def translate_lines(self, lines): return {4 if line == 5 else line for line in lines}
    def arcs(self): return {(1, 3), (1, 7), (3, 4), (4, -1)}
    def exit_counts(self): return {1: 2, 3: 1, 4: 1}
    def no_branch_lines(self): return {3}
    def code_regions(self):
        return [coverage.CodeRegion(kind="my block", name="body", start=3, lines={3, 4, 5, 7})]
    def missing_arc_description(self, start, end, executed_arcs=None):
        return f"from {start} never to {end}"

class Plugin(coverage.CoveragePlugin):
    def file_tracer(self, filename): return None
    def file_reporter(self, filename):
        if filename.endswith(".py"): return "python"
        if filename.endswith(".none"): return None
        return Reporter(filename)
    def configure(self, config):
        config.set_option("report:exclude_lines", ["added by a plugin"])

def coverage_init(reg, options):
    reg.add_file_tracer(Plugin())
    reg.add_configurer(Plugin())
"""


def test_plugins_are_asked_where_they_may_run(tmp_path: Path) -> None:
    (tmp_path / "my_plugin.py").write_text(PLUGIN)
    (tmp_path / ".coveragerc").write_text("[run]\nplugins = my_plugin\nbranch = true\n")
    template = b"1\n2\n3\n4\n5\n6\n7\n"
    (tmp_path / "a.html").write_bytes(template)
    started = Started("-s", "--plugins", cwd=tmp_path)
    started.start()

    header, body = started.ask(do="configuration")
    assert "error" not in header
    settings = json.loads(body)
    assert settings["exclude_list"] == ["added by a plugin"]
    assert settings["branch"] is True
    assert settings["plugins"] == ["my_plugin"]

    def ask(name: str, source: bytes, tracer: str = "my_plugin.Plugin") -> tuple[Any, bytes]:
        path = str(tmp_path / name)
        return started.ask(source, do="analyse", path=path, tracer=tracer, seconds=90)

    header, body = ask("a.html", template)
    assert "error" not in header
    analysis = analysis_from_json(json.loads(body))
    assert analysis.statements == {1, 3, 4, 7}
    assert analysis.excluded == {6}
    assert analysis.no_branch == {3}
    assert analysis.executable == {1, 3, 4, 5, 6, 7}
    assert analysis.branches == {1: (3, 7)}
    assert dict(analysis.words) == {(1, 3): "from 1 never to 3", (1, 7): "from 1 never to 7"}
    assert analysis.first_lines == {5: 4}
    assert [(it.kind, it.name, it.ranges) for it in analysis.regions] == [
        ("my block", "body", ((3, 5), (7, 7)))
    ]
    assert analysis.line_count == 7

    (tmp_path / "b.py").write_bytes(b"if x: y\n")
    header, body = ask("b.py", b"if x: y\n")
    assert analysis_from_json(json.loads(body)).statements == {1}
    assert "there are changes" in ask("a.html", b"unsaved\n")[0]["error"]
    assert "does not name" in ask("a.html", template, "other.Plugin")[0]["error"]
    (tmp_path / "c.none").write_bytes(b"")
    assert "knows nothing of it" in ask("c.none", b"")[0]["error"]

    code, stderr = started.end()
    assert code == 0
    assert b"a plugin that prints" in stderr
    assert b"and one that writes" in stderr


def test_a_plugin_that_fails_says_so(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / ".coveragerc").write_text("[run]\nplugins = broken\n")
    started = Started("-s", "--plugins", cwd=tmp_path)
    started.start()
    header, _ = started.ask(do="configuration")
    assert header["error"] == "ZeroDivisionError: division by zero"
    # What is Python needs no plugin.
    header, _ = started.ask(b"x\n", do="analyse", path="a.py", tracer="", seconds=90)
    assert "error" not in header
    assert started.end()[0] == 0


def test_an_interpreter_without_coverage(tmp_path: Path) -> None:
    environment = tmp_path / "empty"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", environment], check=True, timeout=60
    )
    python = environment / "bin" / "python"
    started = Started("-I", cwd=tmp_path, python=python)
    assert f"{python} cannot import coverage.py" in started.start()["error"]
    started.end()
    # covls's own can be put at its disposal, and nothing that stands beside it.
    folder = str(Path(coverage.__file__).parents[1])
    started = Started("-I", "--coverage-from", folder, cwd=tmp_path, python=python)
    assert started.start()["coverage"] == coverage.__version__
    started.end()
