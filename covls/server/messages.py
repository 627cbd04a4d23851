"""The messages of covls's own: their shapes on the wire, field by field, in camelCase there.

Lines are 0-based, as everywhere in the protocol, and both ends are included. `docs/protocol.md`
describes each of them.
"""

from typing import Any

import attrs
from lsprotocol import types

FILE_COVERAGE = "covls/fileCoverage"
PROJECT_COVERAGE = "covls/projectCoverage"
PRIORITIES = "covls/priorities"
TESTS_AT = "covls/testsAt"
STATEMENTS = "covls/statements"
PROJECT_TESTS = "covls/projectTests"
DID_CHANGE_COVERAGE = "covls/didChangeCoverage"
STATUS = "covls/status"
TEST_RUN = "covls/testRun"


@attrs.define(frozen=True)
class Summary:
    """Figures of a file, a function or everything, as coverage.py counts them."""

    percent: float
    percent_text: str
    statements: int
    missing: int
    excluded: int
    branches: int
    partial_branches: int
    missing_branches: int


@attrs.define
class FileCoverageParams:
    """Which file."""

    text_document: types.TextDocumentIdentifier


@attrs.define(frozen=True)
class FunctionCoverage:
    """A function or class, with the figures of its own lines."""

    name: str
    kind: str
    start_line: int
    end_line: int
    freshness: str
    summary: Summary


@attrs.define(frozen=True)
class BranchNotTaken:
    """A way on from a line that no test took; `target` is null for the end of a function."""

    line: int
    target: int | None
    words: str
    lost: bool


@attrs.define(frozen=True)
class LostLines:
    """Lines that are not covered now, and were by an earlier run; `covered_at` is ISO 8601."""

    start_line: int
    end_line: int
    tests: list[str]
    covered_at: str
    last_run: bool


@attrs.define(frozen=True)
class PatchCoverage:
    """What was changed since the base: lines, figures, and how many statements are in none."""

    lines: list[list[int]]
    summary: Summary
    stale: int


@attrs.define(frozen=True)
class FileCoverageResult:
    """One file, on the lines of its current text."""

    uri: str
    version: int | None
    freshness: str
    summary: Summary
    marks: list[list[Any]]
    functions: list[FunctionCoverage]
    branches: list[BranchNotTaken]
    lost: list[LostLines]
    patch: PatchCoverage | None


@attrs.define
class ProjectCoverageParams:
    """Which folder; all of them where none is said."""

    folder: str | None = None
    work_done_token: int | str | None = None


@attrs.define(frozen=True)
class FileRow:
    """One file of a project."""

    uri: str
    folder: str
    name: str
    freshness: str
    summary: Summary


@attrs.define(frozen=True)
class ProjectCoverageResult:
    """Everything below the roots."""

    folders: list[str]
    summary: Summary
    files: list[FileRow]
    problems: list[str]


@attrs.define
class PrioritiesParams:
    """Which folder, all of them where none is said; how many rows, and what is ranked."""

    folder: str | None = None
    limit: int | None = None
    by: str | None = None
    patch: bool | None = None
    work_done_token: int | str | None = None


@attrs.define(frozen=True)
class PriorityFactors:
    """What a score is made of; null is not known, or not to be had."""

    statements: int
    branches: int
    in_patch: int
    elsewhere: int
    complexity: int | None
    commits: int | None
    weight: float


@attrs.define(frozen=True)
class PriorityAction:
    """What to do: in a sentence, in which test file, beside which test, and what to run then."""

    words: str
    uri: str | None
    exists: bool
    test: str | None
    location: types.Location | None
    command: list[str]


@attrs.define(frozen=True)
class PriorityRow:
    """Uncovered code that is worth a test; `lines` are those that are missing."""

    folder: str
    uri: str
    file: str
    title: str
    start_line: int
    end_line: int
    lines: list[list[int]]
    score: float
    factors: PriorityFactors
    reasons: list[str]
    advice: str | None
    stale: bool
    action: PriorityAction


@attrs.define(frozen=True)
class PrioritiesResult:
    """What to test next, best first; `total` is how many rows there are in all."""

    folders: list[str]
    by: str
    total: int
    rows: list[PriorityRow]
    notes: list[str]


@attrs.define
class TestsAtParams:
    """A place in a file."""

    text_document: types.TextDocumentIdentifier
    range: types.Range

    __test__ = False


@attrs.define(frozen=True)
class TestAt:
    """A test, and where it is written, if it was found."""

    id: str
    location: types.Location | None

    __test__ = False


@attrs.define
class StatementsParams:
    """Which file, and which test, if it is about one."""

    text_document: types.TextDocumentIdentifier
    test: str | None = None


@attrs.define(frozen=True)
class MeasuredStatement:
    """A statement whose code is as it was measured, and the ways on from it that were not taken."""

    start_line: int
    end_line: int
    ran: bool
    branches: int
    missed_branches: int


@attrs.define
class ProjectTestsParams:
    """Which folder; all of them where none is said."""

    folder: str | None = None


@attrs.define(frozen=True)
class FileTests:
    """The tests that reach a file, by their places in the list of all."""

    uri: str
    tests: list[int]


@attrs.define(frozen=True)
class FolderTests:
    """The recorded tests of a root, and which of them reach which files."""

    folder: str
    tests: list[str]
    files: list[FileTests]


@attrs.define
class DidChangeCoverageParams:
    """A file whose coverage, or whose place in the text, is another now."""

    uri: str
    version: int | None


@attrs.define(frozen=True)
class RunCounts:
    """How far a run of covls's own is: tests that have ended, of how many, failed among them."""

    done: int
    total: int
    failed: int


@attrs.define(frozen=True)
class StatusParams:
    """What the coverage of a root is worth."""

    folder: str
    state: str
    percent: float | None
    percent_text: str | None
    patch_percent: float | None
    patch_percent_text: str | None
    base_percent: float | None
    base_percent_text: str | None
    base_commit: str | None
    stale: bool
    message: str
    python: str | None
    tests: str | None
    run: RunCounts | None


@attrs.define(frozen=True)
class TestResult:
    """How a test ended; `details` are its traceback, or what else there is to read."""

    test: str
    outcome: str
    seconds: float
    message: str
    details: str
    location: types.Location | None

    __test__ = False


@attrs.define(frozen=True)
class TestRunParams:
    """What happened in a run of covls's own since it was last told of."""

    folder: str
    run: int
    title: str
    state: str
    tests: list[str]
    started: list[str]
    finished: list[TestResult]
    message: str

    __test__ = False


@attrs.define
class FileCoverageRequest:
    """`covls/fileCoverage`."""

    id: int | str
    params: FileCoverageParams
    method: str = FILE_COVERAGE
    jsonrpc: str = "2.0"


@attrs.define
class ProjectCoverageRequest:
    """`covls/projectCoverage`."""

    id: int | str
    params: ProjectCoverageParams | None = None
    method: str = PROJECT_COVERAGE
    jsonrpc: str = "2.0"


@attrs.define
class PrioritiesRequest:
    """`covls/priorities`."""

    id: int | str
    params: PrioritiesParams | None = None
    method: str = PRIORITIES
    jsonrpc: str = "2.0"


@attrs.define
class TestsAtRequest:
    """`covls/testsAt`."""

    id: int | str
    params: TestsAtParams
    method: str = TESTS_AT
    jsonrpc: str = "2.0"

    __test__ = False


@attrs.define
class StatementsRequest:
    """`covls/statements`."""

    id: int | str
    params: StatementsParams
    method: str = STATEMENTS
    jsonrpc: str = "2.0"


@attrs.define
class ProjectTestsRequest:
    """`covls/projectTests`."""

    id: int | str
    params: ProjectTestsParams | None = None
    method: str = PROJECT_TESTS
    jsonrpc: str = "2.0"


MESSAGES: dict[str, type[Any]] = {
    FILE_COVERAGE: FileCoverageRequest,
    PROJECT_COVERAGE: ProjectCoverageRequest,
    PRIORITIES: PrioritiesRequest,
    TESTS_AT: TestsAtRequest,
    STATEMENTS: StatementsRequest,
    PROJECT_TESTS: ProjectTestsRequest,
}
"""What can come in from a client."""
