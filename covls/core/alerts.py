"""Which events are worth an alert, to whom each is still to be told, and the words of it.

An event comes about, and is over some time: a gate fails and passes again, the total drops and is
reached again. What was told is noted by the event's key. So each is told once, however often
coverage is judged meanwhile, and once more when it is over.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from covls.core.coverage import Totals, percent, percent_text
from covls.core.gates import Check, Outcome, is_below, shares
from covls.core.report import printable

OVER: Final = "over"
"""The note on an event that is over, or that nobody was told of."""

_RAISED: Final = "raised"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that came about on a branch, or that is over."""

    key: str
    """What tells it from others: "gate total on main"."""
    note: str
    """What is noted of it once it is told."""
    words: str
    """What there is to say, in a line or a few."""

    @property
    def is_over(self) -> bool:
        """Whether it tells that all is well again."""
        return self.note == OVER


@dataclass(frozen=True, slots=True)
class Place:
    """Where events came about, in words for people."""

    project: str
    branch: str
    commit: str = ""
    """Its full name; empty where it is not known."""
    link: str = ""
    """The page of the CI's run; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent."""

    title: str
    body: str
    is_over: bool
    """Whether all that it tells of is well again."""


def is_told_of(branch: str, patterns: Iterable[str]) -> bool:
    """Whether what comes about on a branch is worth an alert; patterns are as those of paths.

    >>> is_told_of("release/8.2", ["main", "release/*"]), is_told_of("", ["*"])
    (True, False)
    """
    return bool(branch) and any(is_below(branch, pattern) for pattern in patterns if pattern)


def of_gates(check: Check, branch: str) -> list[Event]:
    """The gates that fail, and those that pass. What is not judged says nothing either way."""
    found = []
    for verdict in check.verdicts:
        key = f"gate {verdict.gate} on {branch}"
        if verdict.outcome is Outcome.FAILED:
            words = f"{verdict.gate}: {verdict.message}"
            if verdict.needed:
                words += f" {verdict.needed} more would do."
            found.append(Event(key, _RAISED, words))
        elif verdict.outcome is Outcome.PASSED:
            found.append(Event(key, OVER, f"{verdict.gate}: {verdict.message}"))
    return found


def of_drop(
    before: Totals,
    now: Totals,
    allowed: float,
    *,
    branch: str,
    flags: Sequence[str] = (),
    commit: str,
    base: str,
) -> list[Event]:
    """The drop of the total from one run to another, if it is more points than are allowed.

    `commit` is that of the later run, `base` that of the earlier. Each commit that loses coverage
    is an event of its own, over when what was there before is reached again.
    """
    covered, possible = shares(before)
    lost = _share(covered, possible) - _share(*shares(now))
    if lost <= Fraction(str(allowed)):
        return []
    words = (
        f"{_the_total(flags)} lost {float(lost):.2f} points: {_text(now)} at {commit[:7]}, "
        f"{_text(before)} at {base[:7]}."
    )
    key = f"{_drops(branch, flags)}{commit}"
    return [Event(key, f"{_RAISED} {covered}/{possible}", words)]


def drops_over(
    notes: Mapping[str, str], now: Totals, *, branch: str, flags: Sequence[str] = ()
) -> list[Event]:
    """The drops on a branch that were told of and are made up for. `notes` are by event's key."""
    found = []
    for key, note in notes.items():
        if not key.startswith(_drops(branch, flags)) or (level := _level(note)) is None:
            continue
        if _share(*shares(now)) >= _share(*level):
            commit = key.rpartition(" ")[2][:7]
            words = f"{_the_total(flags)} is {_text(now)} again, as before the drop at {commit}."
            found.append(Event(key, OVER, words))
    return found


def still_to_tell(events: Iterable[Event], notes: Mapping[str, str]) -> list[Event]:
    """The events that a service was not told of, by what is noted of those that it was told of."""
    return [event for event in events if _is_raised(notes.get(event.key)) is event.is_over]


def message(events: Sequence[Event], place: Place) -> Message:
    """One message of all that there is to tell."""
    raised = [event for event in events if not event.is_over]
    over = [event for event in events if event.is_over]
    what = "coverage is not what it should be" if raised else "coverage has recovered"
    lines = [event.words for event in raised]
    lines += [f"Recovered: {event.words}" for event in over]
    where = f"{place.branch} at {place.commit[:10]}" if place.commit else place.branch
    lines += ["", where, *([place.link] if place.link else [])]
    title = f"{place.project}: {what} on {place.branch}"
    return Message(printable(title), "\n".join(map(printable, lines)), not raised)


def _drops(branch: str, flags: Sequence[str]) -> str:
    """How the keys of drops begin, of the runs with these flags."""
    return f"drop on {branch}{' with ' if flags else ''}{', '.join(flags)} at "


def _the_total(flags: Sequence[str]) -> str:
    return f"The total of {', '.join(flags)}" if flags else "The total"


def _is_raised(note: str | None) -> bool:
    return note is not None and note.startswith(_RAISED)


def _level(note: str) -> tuple[int, int] | None:
    """The share that a drop was from; None where the note has none."""
    covered, slash, possible = note.removeprefix(_RAISED).strip().partition("/")
    if not _is_raised(note) or not slash or not (covered + possible).isdecimal():
        return None
    return int(covered), int(possible)


def _share(covered: int, possible: int) -> Fraction:
    return Fraction(100 * covered, possible) if possible else Fraction(100)


def _text(totals: Totals) -> str:
    covered, possible = shares(totals)
    return f"{percent_text(percent(covered, possible), 2)}% ({covered} of {possible})"
