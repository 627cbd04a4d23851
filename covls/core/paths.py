"""Measured paths of another machine, container or checkout, matched with the files that are here.

Data measured elsewhere names files by paths that do not exist here. Somewhere along such a path
the rest of it is the same as here: `/app/src/pkg/a.py` and `/home/me/shop/src/pkg/a.py` part at
`/app` and `/home/me/shop`. Each pair of a measured and a local file of one name makes one such
mount; all pairs together vote, as one mount explains all the files of a tree. A name alone decides
nothing where there is a choice, and what is not decided is said, never guessed.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

PYTHON_SUFFIXES = (".py", ".pyw")

Parts = tuple[str, ...]
"""The components of a path, case folded. That of a POSIX root is empty."""

Plausible = Callable[[str, str], bool]
"""Whether all that ran by the measured path could have run in the text of the local file."""

# A mount that explains this many times more than another, beyond what both do, wins over it.
_CLEARLY = 4

# Namesakes beyond this many must share more than the name with a measured file to be compared.
_MANY = 30

# So many files are looked into before contents are found not to decide between two mounts.
_SAMPLE = 20

_NEAREST = 3

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


class Mount(NamedTuple):
    """A foreign folder, the one that it is here, and how many measured files say so."""

    measured: str
    local: str
    files: int


@dataclass(frozen=True, slots=True)
class Located:
    """Where measured files are. Each measured path is in one of the first three."""

    found: Mapping[str, str]
    ambiguous: Mapping[str, tuple[str, ...]]
    """Several local files could be the one, and not even contents tell them apart."""
    missing: Mapping[str, tuple[str, ...]]
    """No local file is the one; those that come nearest, at most three."""
    mounts: tuple[Mount, ...]
    """By what folders the foreign paths were found, most files first."""


class _Pairing(NamedTuple):
    """A foreign and a local prefix that end differently: any mount has one such form."""

    measured: Parts
    local: Parts


class _Place(NamedTuple):
    path: str
    shared: int
    """Components at the end that are those of the measured path."""


def locate(
    measured: Iterable[str],
    root: str,
    local_files: Sequence[str],
    plausible: Plausible,
    *,
    taken: Iterable[str] = (),
) -> Located:
    """Find each measured path among the local files, which are absolute.

    `root` is what relative measured paths are relative to; `taken` are local files that are known
    to be other measured ones. `plausible` is asked only where mounts tie, and where no more than a
    name speaks for a file.
    """
    known = set(local_files)
    found: dict[str, str] = {}
    foreign = []
    for path in measured:
        here = path if path in known else f"{root.rstrip('/')}/{path}"
        if here in known:
            found[path] = here
        else:
            foreign.append(path)
    if not foreign:
        return Located(found, {}, {}, ())
    return _Vote(foreign, local_files, plausible).count(found, {*taken, *found.values()})


class _Vote:
    """All pairings of foreign paths with local files, and what they explain."""

    def __init__(
        self, foreign: Sequence[str], local_files: Iterable[str], plausible: Plausible
    ) -> None:
        self._plausible = plausible
        self._parts = {path: split(path) for path in foreign}
        # Local files by their last component, and where these are many, by their last two or more.
        self._ending: defaultdict[Parts, list[tuple[str, Parts]]] = defaultdict(list)
        for local in local_files:
            parts = split(local)
            self._ending[parts[-1:]].append((local, parts))
        self._names = [name for (name,) in self._ending]
        self._told_apart: set[Parts] = set()
        # How many foreign files there are in each foreign folder, and right in it.
        self._under: Counter[Parts] = Counter()
        self._directly: Counter[Parts] = Counter()
        for parts in self._parts.values():
            self._directly[parts[:-1]] += 1
            self._under.update([parts[:end] for end in range(len(parts))])
        # What each pairing explains, and by what pairings each path can be explained.
        self._explains: defaultdict[_Pairing, set[str]] = defaultdict(set)
        self._ways: dict[str, dict[_Pairing, list[_Place]]] = {}
        for path in self._parts:
            self._ways[path] = self._pair(path)
            for pairing in self._ways[path]:
                self._explains[pairing].add(path)
        self._spread: dict[_Pairing, tuple[bool, bool]] = {}
        self._beaten: dict[tuple[_Pairing, _Pairing], bool] = {}

    def _pair(self, path: str) -> dict[_Pairing, list[_Place]]:
        parts = self._parts[path]
        depth = 1
        candidates = self._ending.get(parts[-depth:], [])
        while len(candidates) > _MANY and depth < len(parts):
            if parts[-depth:] not in self._told_apart:
                self._told_apart.add(parts[-depth:])
                for each in candidates:
                    if len(each[1]) > depth:
                        self._ending[each[1][-depth - 1 :]].append(each)
            depth += 1
            candidates = self._ending.get(parts[-depth:], [])
        ways: defaultdict[_Pairing, list[_Place]] = defaultdict(list)
        for local, local_parts in candidates:
            shared = _shared(parts, local_parts)
            pairing = _Pairing(parts[:-shared], local_parts[:-shared])
            ways[pairing].append(_Place(local, shared))
        return {pairing: _right_case(path, places) for pairing, places in ways.items()}

    def count(self, found: dict[str, str], taken: set[str]) -> Located:
        """Decide for each foreign path; `found` gets what is decided."""
        clear, ties, losers = self._compare()
        ambiguous: dict[str, tuple[str, ...]] = {}
        by_contents: dict[str, _Pairing] = {}
        doubtful: set[_Pairing] = set()
        for tied, paths in ties.items():
            decided, undecided = self._look_inside(tied, paths)
            by_contents.update(decided)
            ambiguous.update(undecided)
            winners = set(decided.values())
            if len(winners) == 1 and not undecided:
                for loser in tied - winners:
                    losers[loser] |= winners
            else:
                doubtful |= tied
        claims: defaultdict[str, list[tuple[str, _Pairing]]] = defaultdict(list)
        explained: defaultdict[_Pairing, list[str]] = defaultdict(list)
        for path, pairing in {**clear, **by_contents}.items():
            first, *more = self._ways[path][pairing]
            if more:
                ambiguous[path] = tuple(sorted([first.path, *(place.path for place in more)]))
                continue
            if path not in by_contents:
                # A folder that is known to be another one here does not lend single files.
                belongs_elsewhere = any(
                    self._parts[path][: len(winner.measured)] == winner.measured
                    for winner in losers.get(pairing, ())
                )
                trusted = pairing not in doubtful and self._is_strong(pairing, first)
                if belongs_elsewhere or not (trusted or self._plausible(path, first.path)):
                    continue
            claims[first.path].append((path, pairing))
        for local, claimants in claims.items():
            # One file here cannot be two measured ones. It is the one that is here as it is called,
            # else the one of the mount that explains most; the others are missing.
            if local in taken:
                continue
            most = max(len(self._explains[pairing]) for _, pairing in claimants)
            best = [
                (p, pairing) for p, pairing in claimants if len(self._explains[pairing]) == most
            ]
            if len(best) > 1:
                ambiguous.update({path: (local,) for path, _ in best})
                continue
            ((path, pairing),) = best
            found[path] = local
            explained[pairing].append(path)
        missing = {
            path: self._nearest(path)
            for path in self._parts
            if path not in found and path not in ambiguous
        }
        mounts = [
            Mount(
                _without_end(paths[0], self._depth(paths[0]) - len(pairing.measured)),
                _without_end(found[paths[0]], self._depth(paths[0]) - len(pairing.measured)),
                len(paths),
            )
            for pairing, paths in explained.items()
        ]
        mounts.sort(key=lambda mount: (-mount.files, mount))
        return Located(found, ambiguous, missing, tuple(mounts))

    def _compare(
        self,
    ) -> tuple[
        dict[str, _Pairing],
        Mapping[frozenset[_Pairing], list[str]],
        defaultdict[_Pairing, set[_Pairing]],
    ]:
        """The paths with one best pairing, those with several, and which pairings lost to which."""
        clear: dict[str, _Pairing] = {}
        ties: defaultdict[frozenset[_Pairing], list[str]] = defaultdict(list)
        losers: defaultdict[_Pairing, set[_Pairing]] = defaultdict(set)
        for path, ways in self._ways.items():
            if not ways:
                continue
            best = max(ways, key=lambda way: len(self._explains[way]))
            rivals = {way for way in ways if way != best and not self._beats(best, way)}
            for way in ways.keys() - rivals - {best}:
                losers[way].add(best)
            if rivals:
                ties[frozenset({best, *rivals})].append(path)
            else:
                clear[path] = best
        return clear, ties, losers

    def _beats(self, winner: _Pairing, other: _Pairing) -> bool:
        """Whether one pairing explains clearly more than the other, leaving out what both do."""
        key = (winner, other)
        if key not in self._beaten:
            mine, others = self._explains[winner], self._explains[other]
            both = len(mine & others)
            more, less = len(mine) - both, len(others) - both
            self._beaten[key] = more > 0 and less * _CLEARLY <= more
        return self._beaten[key]

    def _is_strong(self, pairing: _Pairing, place: _Place) -> bool:
        """Whether a pairing is more than a coincidence of names.

        It has to explain at least half of the measured files in the folders where it explains any,
        by more than one file of one name.
        """
        if pairing not in self._spread:
            explains = self._explains[pairing]
            top = len(pairing.measured) + 1
            names = {self._parts[path][-1] for path in explains} - {"__init__.py"}
            folders = {self._parts[path][:top] for path in explains if self._depth(path) > top}
            there = sum(self._under[folder] for folder in folders)
            if any(self._depth(path) == top for path in explains):
                there += self._directly[pairing.measured]
            self._spread[pairing] = len(explains) * 2 >= there, len(names) > 1
        most, several = self._spread[pairing]
        return most and (several or place.shared > 1)

    def _depth(self, path: str) -> int:
        return len(self._parts[path])

    def _look_inside(
        self, tied: frozenset[_Pairing], paths: Sequence[str]
    ) -> tuple[dict[str, _Pairing], dict[str, tuple[str, ...]]]:
        """Let the contents of files decide between mounts that names leave equal.

        What contents decide for one file holds for all of the folder, unless others contradict.
        """
        possible: dict[str, set[_Pairing]] = {}
        for path in paths[:_SAMPLE]:
            possible[path] = {
                pairing
                for pairing in tied
                if any(self._plausible(path, place.path) for place in self._ways[path][pairing])
            }
        left = tied.intersection(*(ways for ways in possible.values() if ways))
        if len(left) == 1:
            (winner,) = left
            return dict.fromkeys(paths, winner), {}
        decided = {path: next(iter(ways)) for path, ways in possible.items() if len(ways) == 1}
        undecided = {}
        for path in paths:
            if path not in decided:
                ways = possible.get(path) or tied
                places = [place.path for way in ways for place in self._ways[path][way]]
                undecided[path] = tuple(sorted(places))
        return decided, undecided

    def _nearest(self, path: str) -> tuple[str, ...]:
        parts = self._parts[path]
        namesakes = self._ending.get(parts[-1:], [])
        if namesakes:
            nearest = sorted(namesakes, key=lambda each: (-_shared(parts, each[1]), each[0]))
            return tuple(local for local, _ in nearest[:_NEAREST])
        names = get_close_matches(parts[-1], self._names, _NEAREST, 0.8)
        return tuple(local for name in names for local, _ in self._ending[name,])[:_NEAREST]


def split(path: str) -> Parts:
    """The components of a path of any system, case folded."""
    windows = _WINDOWS.match(path) or ("\\" in path and "/" not in path)
    parts = re.split(r"[\\/]", path) if windows else path.split("/")
    return tuple([part.casefold() for part in parts if part != "."])


def _shared(one: Parts, other: Parts) -> int:
    """How many components at their ends two paths share."""
    number = 0
    for mine, others in zip(reversed(one), reversed(other), strict=False):
        if mine != others:
            break
        number += 1
    return number


def _right_case(path: str, places: list[_Place]) -> list[_Place]:
    """Of files that differ in case only, the one spelt as measured, else all."""
    if len(places) < 2:
        return places
    exact = [
        place
        for place in places
        if re.split(r"[\\/]", place.path)[-place.shared :]
        == re.split(r"[\\/]", path)[-place.shared :]
    ]
    return exact if len(exact) == 1 else places


def _without_end(path: str, components: int) -> str:
    """The path without so many of its last components, as it was spelt."""
    end = r"[\\/]+".join([r"[^\\/]+"] * components)
    found = re.fullmatch(rf"(.*?)[\\/]*{end}", path)
    return (found[1] if found else path) or path[: path.startswith("/")]
