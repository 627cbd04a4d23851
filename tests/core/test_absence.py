"""Why a file has no coverage: the first reason that holds, in words that say the way out."""

from dataclasses import replace

import pytest

from covls.core.absence import (
    FileFacts,
    LeftOut,
    Reason,
    RootFacts,
    common_end,
    explain,
    installed_copies,
)

ROOT = RootFacts(
    root="/p",
    data_file="/p/.coverage",
    test_command="cd /p && coverage run -m pytest",
    has_data=True,
    configuration_file="/p/pyproject.toml",
)
FILE = FileFacts(path="/p/src/pkg/a.py", name="src/pkg/a.py")
SEEN = replace(FILE, measured_as="/p/src/pkg/a.py", statements=3, executed=2)
OMIT = LeftOut("[run] omit", "*/pkg/*", "/p/pyproject.toml")


@pytest.mark.parametrize(
    ("reason", "facts", "words"),
    [
        (Reason.NOT_THERE, replace(FILE, exists=False), "/p/src/pkg/a.py is not there"),
        (Reason.NOT_PYTHON, replace(FILE, path="/p/a.txt", name="a.txt"), "a.txt is not Python"),
        (Reason.CANNOT_ANALYSE, replace(SEEN, failure="no"), "cannot be analysed now: no."),
        (Reason.NO_CODE, replace(SEEN, statements=0), "has no code that could run"),
        (Reason.EXCLUDED, replace(SEEN, statements=0, excluded=3), "`# pragma: no cover`"),
        (Reason.NEVER_RAN, replace(SEEN, executed=0), "No line of src/pkg/a.py ran"),
        (
            Reason.STALE,
            replace(SEEN, verified=False, modified_after_data=True),
            "saved after the data",
        ),
        (Reason.STALE, replace(SEEN, verified=False), "is not the text that was measured"),
        (
            Reason.NOT_REPORTED,
            replace(SEEN, not_reported=LeftOut("[report] omit", "a*", "/p/x")),
            '[report] omit has "a*"',
        ),
        (
            Reason.NOT_REPORTED,
            replace(SEEN, not_reported=LeftOut("[report] include", "b*", "/p/x")),
            "it is not in [report] include, b*",
        ),
        (
            Reason.AMBIGUOUS,
            replace(FILE, elsewhere=("/app/a.py",), ambiguous=("lib/a.py",)),
            "/app/a.py, which may be src/pkg/a.py or lib/a.py",
        ),
        (
            Reason.OTHER_PATH,
            replace(FILE, elsewhere=("/app/src/pkg/a.py",)),
            '[tool.coverage.paths] source = [".", "/app"]',
        ),
        (
            Reason.OTHER_PATH,
            replace(FILE, elsewhere=("C:\\ws\\pkg\\a.py",)),
            '[tool.coverage.paths] source = ["src", "C:\\\\ws"]',
        ),
        (
            Reason.OTHER_COPY,
            replace(FILE, copies=("/v/site-packages/pkg/a.py",)),
            '["src", "/v/site-packages"]',
        ),
        (Reason.OTHER_COPY, replace(FILE, installed="/v/pkg/a.py"), "installed copy of it"),
        (
            Reason.MOVED,
            replace(FILE, before=("pkg/b.py",)),
            "pkg/b.py is, which is no longer there",
        ),
        (Reason.OMITTED, replace(FILE, not_measured=OMIT), '[run] omit has "*/pkg/*"'),
        (
            Reason.OUTSIDE_SOURCE,
            replace(FILE, not_measured=LeftOut("[run] source", "/p/lib", "/p/x")),
            "it is not in [run] source, /p/lib",
        ),
        (Reason.OUTSIDE_ROOT, replace(FILE, below_root=False), "outside /p"),
        (Reason.NEW, replace(FILE, modified_after_data=True), "is not in the data, and was saved"),
        (Reason.NOT_IMPORTED, FILE, "patch = subprocess"),
        (
            Reason.NOT_IMPORTED,
            replace(FILE, in_source=True, in_package=False),
            "include_namespace_packages",
        ),
    ],
)
def test_each_reason(reason: Reason, facts: FileFacts, words: str) -> None:
    found = explain(facts, ROOT)
    assert found is not None
    assert found.reason is reason
    assert words in str(found)
    assert "\n" not in str(found)


def test_nothing_is_wrong_with_a_file_that_was_measured_and_is_as_it_was() -> None:
    assert explain(SEEN, ROOT) is None


def test_without_data_that_is_the_reason_and_the_command_is_told() -> None:
    found = explain(FILE, replace(ROOT, has_data=False))
    assert found is not None
    assert found.reason is Reason.NO_DATA
    assert "/p/.coverage is not there" in found.message
    assert "cd /p && coverage run -m pytest" in found.remedy


def test_a_reason_that_is_known_for_having_no_data_is_kept() -> None:
    found = explain(FILE, replace(ROOT, has_data=False, data_problem="It is locked."))
    assert found is not None
    assert found.message == "It is locked."


def test_a_template_that_a_plugin_measured_is_not_called_no_python() -> None:
    template = replace(SEEN, path="/p/t.html", name="t.html", failure="the plugin is not loaded")
    found = explain(template, ROOT)
    assert found is not None
    assert found.reason is Reason.CANNOT_ANALYSE


def test_a_configuration_that_is_no_toml_gets_its_own_example() -> None:
    found = explain(
        replace(FILE, elsewhere=("/app/src/pkg/a.py",)),
        replace(ROOT, configuration_file="/p/.coveragerc"),
    )
    assert found is not None
    assert "In /p/.coveragerc: [paths]" in found.remedy


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        ("/p/src/a.py", "/app/src/a.py", 2),
        ("/p/src/a.py", "C:\\ws\\src\\a.py", 2),
        ("/p/src/a.py", "/p/src/b.py", 0),
        ("src/a.py", "/app/src/a.py", 2),
        ("a.py", "aa.py", 0),
    ],
)
def test_common_end(one: str, other: str, count: int) -> None:
    assert common_end(one, other) == count == common_end(other, one)


def test_installed_copies_are_told_from_files_of_the_same_name() -> None:
    copy = "/v/lib/python3.12/site-packages/pkg/a.py"
    top_level = "/v/site-packages/a.py"
    others = ["/p/lib/pkg/a.py", "/v/site-packages/other/a.py", top_level, copy]
    assert installed_copies("/p/src/pkg/a.py", others, in_package=True) == (copy,)
    assert installed_copies("/p/src/a.py", others, in_package=False) == (top_level,)
    assert installed_copies(copy, [copy], in_package=True) == ()
