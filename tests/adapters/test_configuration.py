"""The configuration is the one coverage.py itself resolves in the root, and roots are found."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from coverage import __version__ as version

from covls.adapters.configuration import (
    CoverageConfiguration,
    find_root,
    find_roots,
    has_data,
    parallel_parts,
    read_configuration,
    report_matcher,
)

# Run in the root by the interpreter that covls runs in: what coverage.py itself resolves there,
# and which of some files its reports would take.
RESOLVE = """
import json, os, sys
from coverage import Coverage, CoverageData
from coverage.files import GlobMatcher, prep_patterns, set_relative_directory
from coverage.python import PythonFileReporter

answers = []
environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")}
for case in json.load(sys.stdin):
    os.chdir(case["root"])
    os.environ.clear()
    os.environ.update(environment | case["env"])
    coverage = Coverage()
    set_relative_directory()
    config = coverage.config
    reported = []
    for file in case["files"]:
        name = file if config.relative_files else os.path.abspath(file)
        matched = PythonFileReporter(name, coverage).filename
        kept = True
        if config.report_include:
            kept = GlobMatcher(prep_patterns(config.report_include)).match(matched)
        if kept and config.report_omit:
            kept = not GlobMatcher(prep_patterns(config.report_omit)).match(matched)
        reported.append(kept)
    values = {name: value for name, value in vars(config).items() if not name.startswith("_")}
    values["data_file"] = CoverageData(config.data_file).base_filename()
    values["html_dir"] = os.path.abspath(config.html_dir)
    answers.append({"config": values, "reported": reported})
json.dump(answers, sys.stdout)
"""

FILES = [
    "a.py",
    "src/a.py",
    "src/b.py",
    "src/deep/er/a.py",
    "src/deep/er/_version.py",
    "tests/test_a.py",
    "src/migrations/0001.py",
    "vendored/src/a.py",
    "Ünï cödé/a b.py",
]


@dataclass(frozen=True)
class Case:
    why: str
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)


CASES = [
    Case("nothing is configured"),
    Case(".coveragerc with plain sections", {".coveragerc": "[run]\nbranch = yes\nsource = src\n"}),
    Case(
        ".coveragerc with prefixed sections",
        {".coveragerc": "[coverage:run]\nbranch = 1\n[coverage:report]\nprecision = 2\n"},
    ),
    Case(
        "an empty .coveragerc hides the other files",
        {".coveragerc": "", "setup.cfg": "[coverage:run]\nbranch = true\n"},
    ),
    Case(
        ".coveragerc.toml with both kinds of tables",
        {".coveragerc.toml": '[run]\nbranch = true\n[tool.coverage.report]\nsort = "miss"\n'},
    ),
    Case(
        ".coveragerc goes before .coveragerc.toml",
        {".coveragerc": "[run]\nparallel = on\n", ".coveragerc.toml": "[run]\nbranch = true\n"},
    ),
    Case("setup.cfg", {"setup.cfg": "[coverage:run]\nbranch = true\n[run]\nparallel = true\n"}),
    Case(
        "setup.cfg without coverage's sections is passed over",
        {"setup.cfg": "[metadata]\nname = x\n", "tox.ini": "[coverage:run]\nbranch = true\n"},
    ),
    Case("tox.ini", {"tox.ini": "[tox]\nenvlist = py\n[coverage:report]\nfail_under = 87.5\n"}),
    Case(
        "tox.ini goes before pyproject.toml",
        {
            "tox.ini": "[coverage:run]\nparallel = true\n",
            "pyproject.toml": "[tool.coverage.run]\nbranch = true\n",
        },
    ),
    Case(
        "pyproject.toml",
        {
            "pyproject.toml": "[tool.coverage.run]\nbranch = true\nrelative_files = true\n"
            'source = ["src", "a_package"]\nsource_pkgs = ["other"]\nsource_dirs = ["src"]\n'
            'core = "ctrace"\ndynamic_context = "test_function"\nconcurrency = ["thread"]\n'
            "[tool.coverage.report]\nskip_empty = true\nskip_covered = true\nshow_missing = true\n"
            "ignore_errors = true\nfail_under = 90\nprecision = 1\n"
            "include_namespace_packages = true\n"
            "[tool.coverage.json]\nshow_contexts = true\npretty_print = true\n"
        },
    ),
    Case("pyproject.toml of somebody else", {"pyproject.toml": "[tool.ruff]\nline-length = 100\n"}),
    Case(
        "an empty table is no configuration of a shared file",
        {"pyproject.toml": "[tool.coverage.run]\n"},
    ),
    Case(
        "exclude_also adds, in a multi-line INI list",
        {".coveragerc": "[report]\nexclude_also =\n    def __repr__\n    if self\\.debug:\n"},
    ),
    Case(
        "exclude_lines replaces, exclude_also adds to that",
        {
            "pyproject.toml": "[tool.coverage.report]\nexclude_lines = ['pragma: never', '']\n"
            "exclude_also = ['(?s)def skipped.*?return', '  spaces  ']\n"
        },
    ),
    Case(
        "partial_also, partial_branches, partial_branches_always",
        {
            ".coveragerc": "[report]\npartial_also =\n    while forever\n"
            "partial_branches =\n    pragma: half\npartial_branches_always = if ALWAYS:\n"
        },
    ),
    Case(
        "lists by commas and lines",
        {
            ".coveragerc": "[run]\nomit = a.py, b.py\n    c.py,,\n\n    d.py\n"
            "[report]\ncontexts = test_a, test_b\n"
        },
    ),
    Case(
        "environment variables in INI",
        {
            ".coveragerc": "[run]\ndata_file = ${OUT-/tmp/none}/.cov\nsource = $SRC\n"
            "[report]\nexclude_also =\n    costs $$5\n    ${UNSET-default}\n    x$UNSET\n"
        },
        {"OUT": "/somewhere", "SRC": "src"},
    ),
    Case(
        "environment variables in TOML",
        {
            "pyproject.toml": "[tool.coverage.run]\ndata_file = '${OUT-build}/.coverage'\n"
            "branch = '${BRANCH}'\nomit = ['${A-x}/*', '$B']\n"
        },
        {"BRANCH": "true", "B": "b/*"},
    ),
    Case("~ in a file's name", {".coveragerc": "[run]\ndata_file = ~/x/.coverage\n"}),
    Case(
        "~ in [paths] and html",
        {
            ".coveragerc": "[paths]\nsource =\n    src\n    ~/old/src\n    C:\\ws\\src\n"
            "    */site\nother =\n    lib/\n[html]\ndirectory = ~/html\n"
        },
    ),
    Case("a relative html folder", {"setup.cfg": "[coverage:html]\ndirectory = out/../html\n"}),
    Case("COVERAGE_FILE", {}, {"COVERAGE_FILE": "build/x.coverage"}),
    Case(
        "COVERAGE_FILE goes over the file",
        {".coveragerc": "[run]\ndata_file = from_file\n"},
        {"COVERAGE_FILE": "/abs/from_env"},
    ),
    Case("COVERAGE_CORE", {}, {"COVERAGE_CORE": "pytrace"}),
    Case(
        "COVERAGE_RCFILE goes before all",
        {"ci/cov.cfg": "[run]\nbranch = true\n", ".coveragerc": "[run]\nparallel = true\n"},
        {"COVERAGE_RCFILE": "ci/cov.cfg"},
    ),
    Case(
        "COVERAGE_RCFILE that is the usual file",
        {".coveragerc": "[run]\nparallel = true\n"},
        {"COVERAGE_RCFILE": ".coveragerc"},
    ),
    Case(
        "COVERAGE_RCFILE of TOML",
        {"ci/cov.toml": "[run]\nbranch = true\n"},
        {"COVERAGE_RCFILE": "ci/cov.toml"},
    ),
    Case("the subprocess patch means parallel", {".coveragerc": "[run]\npatch = subprocess\n"}),
    Case(
        "a plugin that is not installed is only named",
        {".coveragerc": "[run]\nplugins = no_such_plugin\n[no_such_plugin]\nlevel = 3\n"},
    ),
    Case("an unknown option", {".coveragerc": "[run]\nbranches = true\nbranch = true\n"}),
    Case("a relative report pattern", {".coveragerc": "[report]\nomit = src/*\n"}),
    Case("a pattern by name alone", {".coveragerc": "[report]\nomit = _version.py, test_*\n"}),
    Case("a pattern with stars ahead", {".coveragerc": "[report]\nomit = */migrations/*\n"}),
    Case("a deep pattern", {".coveragerc": "[report]\ninclude = src/**/a.py\n"}),
    Case("include and omit", {".coveragerc": "[report]\ninclude = src/*\nomit = src/deep/*\n"}),
    Case("a folder as a pattern", {".coveragerc": "[report]\nomit = ./tests/\n"}),
    Case(
        "patterns with relative_files",
        {".coveragerc": "[run]\nrelative_files = true\n[report]\ninclude = src/*\nomit = */er/*\n"},
    ),
    Case("non-ASCII patterns", {".coveragerc": "[report]\ninclude = Ünï cödé/*\n"}),
]


@pytest.fixture(scope="module")
def resolved(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Path, Any]]:
    """What coverage.py makes of every case, and the folder of it, by why the case exists."""
    asked: list[dict[str, Any]] = []
    for case in CASES:
        root = tmp_path_factory.mktemp("root")
        for folder in ("src/deep/er", "tests", "lib"):
            (root / folder).mkdir(parents=True)
        for name, text in case.files.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        asked.append({"root": str(root), "env": case.env, "files": FILES})
    done = subprocess.run(
        [sys.executable, "-c", RESOLVE],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout)
    return {
        case.why: (Path(question["root"]), answer)
        for case, question, answer in zip(CASES, asked, answers, strict=True)
    }


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
def test_equals_what_coverage_resolves_in_the_root(
    case: Case, resolved: Mapping[str, tuple[Path, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, answer = resolved[case.why]
    for name, value in case.env.items():
        monkeypatch.setenv(name, value)
    theirs = answer["config"]
    ours = read_configuration(root)
    assert {
        "config_file": None if ours.file is None else str(ours.file),
        "config_files_attempted": [str(file) for file in ours.files_tried],
        "data_file": str(ours.data_file),
        "branch": ours.branch,
        "relative_files": ours.relative_files,
        "parallel": ours.parallel,
        "source": list(ours.source),
        "run_include": list(ours.run_include),
        "run_omit": list(ours.run_omit),
        "plugins": list(ours.plugins),
        "concurrency": list(ours.concurrency),
        "core": ours.core,
        "dynamic_context": ours.dynamic_context,
        "exclude_list": list(ours.exclude),
        "partial": list(ours.partial),
        "report_include": list(ours.report_include),
        "report_omit": list(ours.report_omit),
        "report_contexts": list(ours.report_contexts),
        "include_namespace_packages": ours.include_namespace_packages,
        "paths": {name: list(values) for name, values in ours.paths.items()},
        "precision": ours.precision,
        "skip_empty": ours.skip_empty,
        "skip_covered": ours.skip_covered,
        "show_missing": ours.show_missing,
        "ignore_errors": ours.ignore_errors,
        "sort": ours.sort,
        "fail_under": ours.fail_under,
        "html_dir": str(ours.html_dir),
        "json_show_contexts": ours.json_show_contexts,
        "json_pretty_print": ours.json_pretty_print,
    } == {
        "partial": theirs["partial_list"] + theirs["partial_always_list"],
        **{name: theirs[name] for name in SAME},
        **{name: theirs[name] or [] for name in LISTS},
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
def test_reports_the_files_coverage_reports(
    case: Case, resolved: Mapping[str, tuple[Path, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, answer = resolved[case.why]
    for name, value in case.env.items():
        monkeypatch.setenv(name, value)
    matches = report_matcher(read_configuration(root))
    ours = [name for name in FILES if matches(str(root / name))]
    theirs = [name for name, kept in zip(FILES, answer["reported"], strict=True) if kept]
    assert ours == theirs


SAME = [
    *("config_file", "config_files_attempted", "data_file", "branch", "relative_files", "parallel"),
    *("core", "dynamic_context", "exclude_list", "include_namespace_packages", "paths"),
    *("precision", "skip_empty", "skip_covered", "show_missing", "ignore_errors", "sort"),
    *("fail_under", "html_dir", "json_show_contexts", "json_pretty_print", "plugins"),
    "concurrency",
]
LISTS = ["source", "run_include", "run_omit", "report_include", "report_omit", "report_contexts"]


def test_source_is_divided_into_folders_and_packages(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    configuration = configured(
        tmp_path, "[run]\nsource = src, pkg\nsource_dirs = lib\nsource_pkgs = other\n"
    )
    assert configuration.source_folders == (tmp_path / "lib", tmp_path / "src")
    assert configuration.source_packages == ("other", "pkg")


def test_a_matcher_follows_links_as_coverage_does(tmp_path: Path) -> None:
    real = tmp_path / "real"
    (real / "src").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(real)
    matches = report_matcher(configured(link, "[report]\nomit = src/*\n"))
    assert not matches(str(link / "src" / "a.py"))
    assert not matches(str(real / "src" / "a.py"))
    assert matches(str(link / "a.py"))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (".coveragerc", "branch = true\n", "File contains no section headers"),
        (".coveragerc", "[run]\nbranch = maybe\n", "[run] branch: Not a boolean: maybe"),
        (".coveragerc", "[run\n", "coverage.py cannot read this file"),
        (".coveragerc", b"[run]\nomit = \xff\n", "can't decode byte 0xff"),
        (".coveragerc.toml", "[run\n", "coverage.py cannot read this file"),
        ("pyproject.toml", "[tool.coverage.run]\nomit = 'a'\n", "[run] omit: Option"),
        ("pyproject.toml", "[tool]\ncoverage = 3\n", "coverage.py cannot read this file"),
        (".coveragerc", "[report]\nexclude_also = (\n", "[report] exclude_also: Invalid"),
        (".coveragerc", "[report]\nfail_under = most\n", "[report] fail_under: could not convert"),
        (".coveragerc", "[report]\nprecision = -1\n", "[report] precision: -1 is negative"),
        (".coveragerc", "[report]\nomit = a**b\n", "'a**b' is no pattern"),
        (".coveragerc", "[report]\ncontexts = (\n", "'(' is no regular expression"),
        (".coveragerc", "[run]\ndata_file = ${NO_SUCH?}\n", "Variable NO_SUCH is undefined"),
        (".coveragerc", "[run]\nconcurrency = fibers\n", "Unknown concurrency choices: fibers"),
        (
            ".coveragerc",
            "[run]\nbranches = 1\n",
            f"[run] branches is no option of coverage.py {version}; did you mean branch?",
        ),
        (".coveragerc", "[run]\nfail_under = 1\n", "it belongs in [report]"),
        ("pyproject.toml", "[tool.coverage.paths]\na = 'b'\n", "coverage.py cannot read this file"),
        ("pyproject.toml", "[tool.coverage.run]\ncore = 3\n", "[run] core: 3 is not a string"),
    ],
)
def test_what_is_wrong_is_one_line_naming_the_file(
    tmp_path: Path, name: str, text: str | bytes, says: str
) -> None:
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    configuration = read_configuration(tmp_path)
    (problem,) = configuration.problems
    assert problem.where == str(file)
    assert says in problem.message
    assert "\n" not in str(problem)
    # The defaults hold for what could not be read, the rest goes on.
    assert configuration.fail_under == 0.0
    assert not configuration.branch
    assert configuration.data_file == tmp_path / ".coverage"
    report_matcher(configuration)(str(tmp_path / "a.py"))


def test_one_wrong_option_leaves_the_others(tmp_path: Path) -> None:
    configuration = configured(
        tmp_path,
        "[run]\nbranch = true\nparallel = perhaps\ndata_file = cov.db\nbrunch = 1\n"
        "[report]\nexclude_also = (\nomit = a**b, tests/*\nprecision = 2\n",
    )
    assert configuration.branch
    assert configuration.data_file == tmp_path / "cov.db"
    assert configuration.report_omit == ("tests/*",)
    assert configuration.precision == 2
    assert len(configuration.problems) == 4


def test_a_file_for_coverage_that_is_not_there_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COVERAGE_RCFILE", "no/such.cfg")
    (tmp_path / "setup.cfg").write_text("[coverage:run]\nbranch = true\n")
    configuration = read_configuration(tmp_path)
    (problem,) = configuration.problems
    assert problem.where == "COVERAGE_RCFILE"
    assert str(tmp_path / "no" / "such.cfg") in problem.message
    # Coverage.py would stop here, not look further.
    assert not configuration.branch


def test_a_file_nobody_may_read_is_a_problem() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        (root / ".coveragerc").write_text("[run]\nbranch = true\n")
        (root / ".coveragerc").chmod(0)
        with as_nobody():
            (problem,) = read_configuration(root).problems
    assert "no permission" in problem.message


def test_folders_nobody_may_enter_hide_nothing_else() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        (root / "closed" / "below").mkdir(parents=True)
        (root / "closed" / ".coverage").touch()
        (root / ".coveragerc").write_text("[run]\ndata_file = closed/.coverage\n")
        (root / "closed").chmod(0)
        with as_nobody():
            found = find_root(root / "closed" / "below" / "a.py")
            roots = find_roots(root)
            configuration = read_configuration(root)
            assert not has_data(configuration)
        (root / "closed").chmod(0o755)
    assert found == root
    assert roots == (root,)
    assert configuration.problems == ()


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up root's right to read everything for a while, where it is held."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_plugin_is_never_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('code of the workspace was run')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert configured(tmp_path, "[run]\nplugins = evil\n").plugins == ("evil",)
    assert "evil" not in sys.modules


def test_the_current_folder_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".coveragerc").write_text("[run]\nparallel = true\n")
    monkeypatch.chdir(elsewhere)
    configuration = configured(tmp_path, "[report]\nomit = src/*\n")
    assert not configuration.parallel
    assert not report_matcher(configuration)(str(tmp_path / "src" / "a.py"))


def test_importing_does_not_import_coverage() -> None:
    program = "import sys, covls.adapters.configuration; print('coverage' in sys.modules)"
    here = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=here, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_parallel_parts_are_those_coverage_would_combine(tmp_path: Path) -> None:
    from coverage.data import combinable_files

    names = [".coverage", ".coverage.host.1.abc", ".coverage.x-journal", ".coveragerc", "coverage"]
    for name in names:
        (tmp_path / name).write_text("")
    parts = parallel_parts(tmp_path / ".coverage")
    assert [str(part) for part in parts] == combinable_files(str(tmp_path / ".coverage"))
    (tmp_path / ".coverage.loop").symlink_to(tmp_path / ".coverage.loop")
    assert parallel_parts(tmp_path / ".coverage") == parts
    assert parallel_parts(tmp_path / "no" / "folder" / ".coverage") == ()


def tree(root: Path, names: str) -> None:
    """Make the files named, one a line; a name ending in / is a folder; `=` gives a text."""
    for line in names.split("\n"):
        name, _, text = line.strip().partition("=")
        if name.endswith("/"):
            (root / name).mkdir(parents=True, exist_ok=True)
        elif name:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text.replace("|", "\n"))


@pytest.mark.parametrize(
    ("why", "names", "path", "within", "expected"),
    [
        ("data beside the file", ".git/\npkg/.coverage", "pkg/a.py", None, "pkg"),
        ("data above", ".git/\n.coverage", "src/pkg/a.py", None, "."),
        ("the nearest data", ".git/\n.coverage\nsub/.coverage", "sub/a.py", None, "sub"),
        ("a folder itself", ".git/\n.coverage\nsub/", "sub", None, "."),
        ("parallel parts are data", ".git/\nsub/.coverage.h.1\n.coverage", "sub/a.py", None, "sub"),
        (".coveragerc is no data", ".git/\nsub/.coveragerc=\n.coverage", "sub/a.py", None, "."),
        (
            "a sub-project with configuration takes the data above",
            ".git/\n.coverage\nsub/pyproject.toml=[tool.coverage.run]|branch=true",
            "sub/src/a.py",
            None,
            ".",
        ),
        (
            "the nearest configuration, if there is no data",
            ".git/\n.coveragerc=\nsub/pyproject.toml=[tool.coverage.run]|branch=true",
            "sub/src/a.py",
            None,
            "sub",
        ),
        (
            "a shared file without coverage's tables is none",
            ".git/\n.coveragerc=\nsub/pyproject.toml=[tool.ruff]",
            "sub/a.py",
            None,
            ".",
        ),
        (
            "data where the configuration puts it",
            ".git/\n.coverage\nsub/setup.cfg=[coverage:run]|data_file=out/cov\nsub/out/cov",
            "sub/a.py",
            None,
            "sub",
        ),
        (
            "data where covls's settings put it",
            ".coveragerc=\nsub/covls.toml=data_file='ci/data'\nsub/ci/data",
            "sub/src/a.py",
            None,
            "sub",
        ),
        (
            "covls's settings are configuration",
            ".git/\nsub/pyproject.toml=[tool.covls]",
            "sub/src/a.py",
            None,
            "sub",
        ),
        ("nothing above the repository", ".coverage\nrepo/.git/", "repo/src/a.py", None, "repo"),
        ("a worktree's .git is a file", ".coverage\nrepo/.git=gitdir", "repo/a.py", None, "repo"),
        ("nothing above the workspace", ".coverage\nws/", "ws/src/a.py", "ws", "ws"),
        ("a workspace above the repository", ".coverage\nws/.git/", "ws/src/a.py", ".", "."),
        ("a file outside the workspace", "ws/\nlib/.git/", "lib/src/a.py", "ws", "lib"),
        ("nothing at all", "src/", "src/a.py", None, "src"),
    ],
)  # fmt: skip
def test_find_root(
    tmp_path: Path, why: str, names: str, path: str, within: str | None, expected: str
) -> None:
    tree(tmp_path, names)
    found = find_root(tmp_path / path, None if within is None else tmp_path / within)
    assert found == tmp_path / expected


def test_data_in_one_place_for_all_does_not_make_every_folder_a_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, "proj/.git/\nproj/.coveragerc=\nproj/src/\nout/.coverage")
    monkeypatch.setenv("COVERAGE_FILE", str(tmp_path / "out" / ".coverage"))
    root = find_root(tmp_path / "proj" / "src" / "a.py")
    assert root == tmp_path / "proj"
    assert has_data(read_configuration(root))


def test_data_left_in_the_home_folder_claims_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, ".coverage\nproj/src/")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_root(tmp_path / "proj" / "src" / "a.py") == tmp_path / "proj" / "src"
    assert find_root(tmp_path / "a.py") == tmp_path


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    tree(tmp_path, ".git/\n.coverage\nsub/")
    (tmp_path / "sub" / "again").symlink_to(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / ".coveragerc").symlink_to(tmp_path / ".coveragerc")
    assert find_root(tmp_path / "sub" / "again" / "sub" / "a.py") == tmp_path / "sub" / "again"
    assert find_root(tmp_path / "loop" / "a.py") == tmp_path
    assert find_roots(tmp_path) == (tmp_path,)


def test_find_roots(tmp_path: Path) -> None:
    tree(
        tmp_path,
        """.coverage
        a/pyproject.toml=[tool.coverage.run]|branch=true
        b/c/.coverage
        plain/src/
        .hidden/.coverage
        venv/pyvenv.cfg
        venv/lib/x/.coverage
        node_modules/x/.coverage
        1/2/3/4/.coverage
        1/2/3/4/5/.coverage""",
    )
    found = [root.relative_to(tmp_path).as_posix() for root in find_roots(tmp_path)]
    assert found == [".", "1/2/3/4", "a", "b/c"]
    # The bound holds, and what is nearest is found first.
    assert find_roots(tmp_path, most=1) == (tmp_path,)


def test_find_roots_of_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert find_roots(tmp_path / "nowhere") == ()


def configured(root: Path, coveragerc: str) -> CoverageConfiguration:
    (root / ".coveragerc").write_text(coveragerc)
    return read_configuration(root)
