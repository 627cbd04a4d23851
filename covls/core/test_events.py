"""What happens in a run of tests, as the probe tells it line by line, and the count of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Outcome = Literal["passed", "failed", "skipped", "error", "xfailed", "xpassed"]

_FAILED: frozenset[Outcome] = frozenset({"failed", "error"})


@dataclass(frozen=True, slots=True)
class Collected:
    """Tests that are going to run; there may be several of these."""

    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Tests that were asked for and are not there."""

    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """A test began."""

    test: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A test ended, and how; where it failed, with what and where."""

    test: str
    outcome: Outcome
    seconds: float
    message: str = ""
    file: str | None = None
    line: int | None = None
    """1-based."""
    long: str = ""
    source_file: str | None = None
    """Where the error was raised, if elsewhere than in the test."""
    source_line: int | None = None

    @property
    def failed(self) -> bool:
        """Whether it counts as a failure of the run."""
        return self.outcome in _FAILED


@dataclass(frozen=True, slots=True)
class CollectionError:
    """A file whose tests could not be found, mostly because it cannot be imported."""

    file: str | None
    line: int | None
    message: str
    long: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something worth telling, in words; in a test, or ""."""

    message: str
    test: str = ""


@dataclass(frozen=True, slots=True)
class NotInstalled:
    """Nothing can run: the interpreter lacks coverage.py, or the test runner."""

    what: Literal["coverage", "runner"]
    message: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The runner came to its end, and what recorded the coverage."""

    exit: int
    core: str = ""
    coverage: str = ""
    python: str = ""
    branch: bool = False
    complete: bool = True
    """Whether all that ran is recorded; where it is not, a notice said why."""
    worker: bool = False
    """Whether this is the end of one of several processes that share the tests."""


@dataclass(frozen=True, slots=True)
class Began:
    """A process of the run began to record: the runner's, or one of its workers."""

    worker: bool


Event = (
    Began
    | Collected
    | Missing
    | Started
    | Finished
    | CollectionError
    | Notice
    | NotInstalled
    | Ended
)


def event_from(line: bytes) -> Event | None:
    """What a line tells; None where it is torn, is of no kind known here, or lacks something."""
    try:
        told = json.loads(line)
        return _event(told) if isinstance(told, dict) else None
    except (ValueError, KeyError, TypeError):
        return None


def _event(told: Mapping[str, object]) -> Event | None:
    match told.get("event"):
        case "begin":
            return Began(told.get("role") == "worker")
        case "collected":
            return Collected(_texts(told["tests"]))
        case "missing":
            return Missing(_texts(told["tests"]))
        case "started":
            return Started(_text(told["test"]))
        case "finished":
            outcome = told["outcome"]
            if outcome not in get_args(Outcome):
                return None
            return Finished(
                _text(told["test"]),
                outcome,  # type: ignore[arg-type]  # it is one of them
                _number(told.get("seconds") or 0),
                _text(told.get("message") or ""),
                _file(told.get("file")),
                _line(told.get("line")),
                _text(told.get("long") or ""),
                _file(told.get("source_file")),
                _line(told.get("source_line")),
            )
        case "collection-error":
            return CollectionError(
                _file(told.get("file")),
                _line(told.get("line")),
                _text(told.get("message") or ""),
                _text(told.get("long") or ""),
            )
        case "notice":
            return Notice(_text(told["message"]), _text(told.get("test") or ""))
        case "no-coverage":
            return NotInstalled("coverage", _text(told["message"]))
        case "no-runner":
            return NotInstalled("runner", _text(told["message"]))
        case "end":
            return Ended(
                int(_number(told["exit"])),
                _text(told.get("core") or ""),
                _text(told.get("coverage") or ""),
                _text(told.get("python") or ""),
                told.get("branch") is True,
                told.get("complete") is not False,
            )
    return None


@dataclass(slots=True)
class Tally:
    """What is known of a run so far."""

    collected: dict[str, None] = field(default_factory=dict)
    """The tests that are going to run, in their order."""
    missing: tuple[str, ...] = ()
    running: dict[str, None] = field(default_factory=dict)
    finished: dict[str, Finished] = field(default_factory=dict)
    """By test; of one that is run again, the last time."""
    errors: list[CollectionError] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    not_installed: NotInstalled | None = None
    ended: Ended | None = None
    complete: bool = True
    """Whether all that ran so far is recorded."""

    def add(self, event: Event) -> None:
        """Take an event into account."""
        match event:
            case Collected(tests):
                self.collected.update(dict.fromkeys(tests))
            case Missing(tests):
                self.missing += tests
            case Started(test):
                self.running[test] = None
            case Finished(test):
                self.running.pop(test, None)
                self.finished[test] = event
            case CollectionError():
                self.errors.append(event)
            case Notice():
                self.notices.append(event)
            case NotInstalled():
                self.not_installed = event
            case Ended():
                self.complete = self.complete and event.complete
                if not event.worker:
                    self.ended = event

    @property
    def failures(self) -> list[Finished]:
        """The tests that failed, in the order they ended."""
        return [test for test in self.finished.values() if test.failed]

    def words(self) -> str:
        """How the tests ended, counted: "11 passed, 1 failed"."""
        counts = {
            outcome: sum(1 for test in self.finished.values() if test.outcome == outcome)
            for outcome in get_args(Outcome)
        }
        counts["error"] += len(self.errors)
        parts = [
            f"{count} {outcome}{'s' if outcome == 'error' and count > 1 else ''}"
            for outcome, count in counts.items()
            if count
        ]
        return ", ".join(parts) or "no tests ran"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(_text(item) for item in value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _file(value: object) -> str | None:
    return None if value is None else _text(value)


def _line(value: object) -> int | None:
    return None if value is None else max(1, int(_number(value)))
