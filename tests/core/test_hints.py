"""What is said at the ends of lines. The markers in the source say what is expected there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from coverage import parser

from covls.core.coverage import State
from covls.core.hints import hints, missed_in_words
from covls.core.marks import Freshness, Mark, MissedBranch
from covls.core.settings import Settings
from covls.project import Project
from tests.cli.measured import age, coverage, write

SOURCE = """\
import contextlib


def branches(n, items):
    if n:  #: 2 tests · condition never false
        n += 1  #: 2 tests
    if n == -1:  #: 2 tests · condition never true
        n = 7  #: never run
    for each in items:  #: 2 tests · loop never completed
        return (  #: 2 tests
            each,
        )
    return None  #: never run


def loops(n):
    for each in ():  #: 1 test · loop never started
        print(each)  #: never run
    while n > 1:  #: 1 test · condition never true
        n -= 1  #: never run
    try:  #: 1 test
        n += 1  #: 1 test
    except ValueError:  #: never run
        n = 3  #: never run
    match n:  #: 1 test
        case 2:  #: 1 test · pattern always matched
            n = 4  #: 1 test
        case _:  #: never run
            n = 5  #: never run
    return n  #: 1 test


def left_out():  # pragma: no cover
    return 1


def catches(n):
    try:  #: 1 test
        raise KeyError(n)  #: 1 test
    except KeyError:  #: 1 test
        return 1  #: 1 test
    except ValueError:  #: never run
        return 2  #: never run


class Unused:
    name = "unused"

    def method(
        self,
    ):
        '''Say nothing.'''
        return [  #: never run
            1,
        ]
"""

TESTS = """\
from shop import branches, catches, loops


def test_branches():
    branches(1, [1])


def test_branches_again():
    branches(2, [1])


def test_loops():
    loops(1)


def test_catches():
    catches(1)


test_branches()
test_branches_again()
test_loops()
test_catches()
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("hints")
    configuration = "[run]\nbranch = true\nsource = .\ndynamic_context = test_function\n"
    write(root, {".coveragerc": configuration, "shop.py": SOURCE, "main.py": TESTS})
    age(root)
    coverage(root, "run", "main.py")
    project = Project(root, Settings())
    project.load()
    yield project
    project.close()


def said(project: Project, text: str, first: int = 1, last: int = 10_000) -> dict[int, str]:
    """The hints by line."""
    view = project.view(project.root / "shop.py", text)
    assert view is not None, project.problems
    found = hints(view.marks, view.line_map, project.reached(view), first, last)
    assert len({hint.line for hint in found}) == len(found)
    return {hint.line: hint.words for hint in found}


def expected(text: str) -> dict[int, str]:
    marked = re.compile(r".*#: (.*)")
    lines = enumerate(text.split("\n"), 1)
    return {line: found[1] for line, words in lines if (found := marked.match(words))}


def test_each_statement_has_its_words(project: Project) -> None:
    assert said(project, SOURCE) == expected(SOURCE)


def test_only_the_lines_asked_for(project: Project) -> None:
    everything = expected(SOURCE)
    for first, last in ((1, 3), (6, 7), (10, 12), (11, 12), (40, 500)):
        wanted = {line: words for line, words in everything.items() if first <= line <= last}
        assert said(project, SOURCE, first, last) == wanted


def test_they_move_with_their_statements_and_edits_say_so(project: Project) -> None:
    text = "# above\n\n" + SOURCE.replace(
        "        n += 1  #: 2 tests\n",
        "        n += 2  #: edited\n        print()  #: not measured yet\n",
    ).replace("return (  #: 2 tests\n            each,\n        )", "return (each,)  #: 2 tests")
    assert text.count("#: edited") == 1
    assert said(project, text) == expected(text)


def words_of(mark: Mark, project: Project) -> str:
    """What is said of a mark on the file's fifth line."""
    view = project.view(project.root / "shop.py", SOURCE)
    assert view is not None
    return "".join(hint.words for hint in hints([mark], view.line_map, None, 1, 100))


@pytest.mark.parametrize(
    ("mark", "expected_words"),
    [
        (Mark(5, 5, State.COVERED), ""),
        (Mark(5, 5, State.MISSING), "never run"),
        (Mark(5, 5, State.MISSING, Freshness.UNVERIFIED), "never run · not verified"),
        (Mark(5, 5, State.COVERED, Freshness.UNVERIFIED), ""),
        (Mark(5, 5, State.MISSING, Freshness.EDITED), "edited"),
        (Mark(5, 5, State.PARTIAL, branches=(MissedBranch(7, ""),)), "line 7 never reached"),
        (Mark(5, 5, State.PARTIAL, branches=(MissedBranch(None, "it"),)), "exit never reached"),
        (
            Mark(
                5,
                5,
                State.PARTIAL,
                branches=(
                    MissedBranch(7, "x because the exception caught by line 5 didn't happen"),
                    MissedBranch(9, "x because the pattern on line 5 never matched"),
                ),
            ),
            "exception never happened · pattern never matched",
        ),
        # One way on with two reasons says neither of them.
        (
            Mark(
                5,
                5,
                State.PARTIAL,
                branches=(
                    MissedBranch(
                        7,
                        "line 5 didn't jump to line 7 because the loop on line 5 never started, "
                        "or line 5 didn't jump to line 7 because the condition on line 5 was never "
                        "true",
                    ),
                ),
            ),
            "line 7 never reached",
        ),
    ],
)
def test_few_words(project: Project, mark: Mark, expected_words: str) -> None:
    assert words_of(mark, project) == expected_words


def test_coverages_reasons_are_all_known() -> None:
    """A new kind of reason in coverage.py would be said in other words than its own."""
    source = Path(parser.__file__).read_text(encoding="utf-8")
    found = {
        reason.replace("{lineno}", "7")
        for reason in re.findall(r'"(the \w+ (?:on|caught by) line \{lineno\}[^"]*)"', source)
    }
    # Why a `finally` was not left in some way: then what was not reached says it shorter.
    reasons = {reason for reason in found if "wasn't executed" not in reason}
    assert len(reasons) == 7
    for reason in reasons:
        missed = MissedBranch(7, f"line 7 didn't jump to line 8 because {reason}")
        assert "reached" not in missed_in_words(missed), reason
