"""The detail of a partial run in the place of what the same tests ran before.

Tests that ran again are replaced, tests that are gone are removed, and what the others ran moves to
where its text stands now. What ran outside of tests belongs to the modules whose import it was.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from covls.core.detail import (
    OUTSIDE,
    Detail,
    FileDetail,
    Ran,
    TestRecord,
    bits_of,
    places,
)
from covls.core.lines import Arc
from covls.core.outline import Edit, Outline

Lines = Callable[[str, Collection[int]], bool]
"""Whether any test that did not run again ran some of these lines of a file."""

Imported = Callable[[str, Lines], bool]
"""Whether a file is imported by tests that did not run again, by its measured path."""


@dataclass(frozen=True, slots=True)
class PartialRun:
    """What a run of some tests brought.

    `detail` holds rows of the tests that ended, and of what ran outside of tests; its files are
    all that were measured. `ended` are the tests whose rows are whole; `gone` are tests that do not
    exist any more; `complete` is set where every test module was collected, so that all that a full
    run would run outside of tests has run.
    """

    detail: Detail
    ended: frozenset[str]
    gone: frozenset[str] = frozenset()
    complete: bool = False
    names_files: bool = True
    """Whether files of which nothing ran are among those of the detail, as they are once a run has
    come to its end."""


@dataclass(frozen=True, slots=True)
class Spliced:
    """What is another detail than before: files by measured path, None for those that are gone."""

    files: Mapping[str, FileDetail | None]
    tests: Mapping[str, TestRecord]
    """All tests that there are now."""


def splice(
    old: Detail,
    run: PartialRun,
    edits: Mapping[str, Edit | None],
    outlines: Callable[[str], Outline | None],
    *,
    paths: Iterable[str] | None = None,
    imported: Imported = lambda _path, _ran: False,
    outdated: Callable[[str], str] = lambda _test: "",
) -> Spliced:
    """Put a run's detail in the place of the old detail of the same tests.

    `edits` are by measured path, those of files whose text is another than the one the old detail
    is true of, None of files that do not exist any more; `outlines` gives the outline of a measured
    file's current text, None where it has none. `paths` are the old files that the run and the
    edits can touch, None for all. `outdated` says of a test that did not run again why it should
    have, or nothing.
    """
    replaced = run.ended | run.gone
    looked_at = dict.fromkeys([*(old.files if paths is None else paths), *edits, *run.detail.files])
    befores = {path: old.files.get(path) for path in looked_at}
    kept = {
        path: _rows_of(before, path, edits, replaced, keep=True) for path, before in befores.items()
    }

    def ran(path: str, lines: Collection[int]) -> bool:
        file = kept.get(path) or old.files.get(path)
        return file is not None and any(
            test and test not in replaced for test, _ in file.reaching(lines)
        )

    files: dict[str, FileDetail | None] = {}
    for path, before in befores.items():
        new = run.detail.files.get(path)
        if path in edits and edits[path] is None and new is None:
            files[path] = None
            continue
        lost = _rows_of(before, path, edits, replaced, keep=False)
        if path not in edits and before is not None and _is_the_same(before, lost, new, run):
            continue
        found = _file(
            _Parts(kept[path], lost, new),
            outlines,
            path,
            run.complete,
            lambda path=path: imported(path, ran),  # type: ignore[misc]
        )
        if not found.ran and run.names_files and new is None:
            files[path] = None
        elif before is None or found.pairs != before.pairs or found.ran != before.ran:
            files[path] = found
    return Spliced(files, _tests(old, run, outdated))


def _tests(old: Detail, run: PartialRun, outdated: Callable[[str], str]) -> dict[str, TestRecord]:
    tests = {}
    for name, record in old.tests.items():
        if name in run.gone or name in run.ended:
            continue
        why = outdated(name) or record.outdated
        tests[name] = replace(record, outdated=why) if why != record.outdated else record
    tests.update((name, run.detail.tests[name]) for name in run.ended if name in run.detail.tests)
    return tests


def _rows_of(
    file: FileDetail | None,
    path: str,
    edits: Mapping[str, Edit | None],
    replaced: Collection[str],
    *,
    keep: bool,
) -> FileDetail | None:
    """What replaced tests, or those to `keep`, ran in a file, where its text stands now."""
    if file is None:
        return None
    rows = {who: bits for who, bits in file.ran.items() if (who[0] not in replaced) is keep}
    chosen = FileDetail(file.pairs, rows)
    if path not in edits:
        return chosen
    edit = edits[path]
    return None if edit is None else moved(chosen, edit)


def _is_the_same(
    before: FileDetail, lost: FileDetail | None, new: FileDetail | None, run: PartialRun
) -> bool:
    """Whether the tests that ran again, and imports, ran in a file what they had run before.

    So it is with most files at most edits, and to know it takes no look at their texts.
    """
    if lost is None or new is None or (before.pairs is None) is not (new.pairs is None):
        return False
    if not lost.ran and not new.ran:
        return not run.complete
    rows: Mapping[Ran, int] = new.ran
    if before.pairs is not None and new.pairs is not None and before.pairs != new.pairs:
        number = {arc: place for place, arc in enumerate(before.pairs)}
        target = [number.get(arc, -1) for arc in new.pairs]
        if -1 in target:
            return False
        rows = _rows(new.ran, lambda bits: _renumbered(bits, target))
    for who, bits in rows.items():
        was = before.ran.get(who, 0)
        # What was run by nobody that is known is added to what there is.
        if bits != was and (who[0] or who == OUTSIDE or bits & ~was):
            return False
    return rows.get(OUTSIDE, 0) == before.ran.get(OUTSIDE, 0) and lost.ran.keys() <= rows.keys()


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is known of a file: by tests that are kept and that are replaced, and from the run."""

    kept: FileDetail | None
    lost: FileDetail | None
    new: FileDetail | None


def _file(
    parts: _Parts,
    outlines: Callable[[str], Outline | None],
    path: str,
    complete: bool,
    imported: Callable[[], bool],
) -> FileDetail:
    kept, lost, new = parts.kept, parts.lost, parts.new
    if kept is None:
        return new if new is not None else FileDetail((), {})
    rows = dict(kept.ran)
    if new is None and not complete and (lost is None or not lost.ran):
        return kept
    outline = outlines(path)
    bodies = outline.lines_of_bodies() if outline is not None else set()
    import_of = _import_of(kept, outline, bodies)
    outside = rows.pop(OUTSIDE, 0)
    of_import = outside & import_of
    in_bodies = outside & ~import_of
    needed = not complete or _has_callers(rows, import_of) or imported()
    if not needed or (new is not None and _imports(new, outline, bodies)):
        of_import = 0
    if complete:
        in_bodies = 0
    if of_import | in_bodies:
        rows[OUTSIDE] = of_import | in_bodies
    found = FileDetail(kept.pairs, rows)
    if new is not None:
        found = merged(found, new)
    if lost is not None and lost.ran and not _imports(found, outline, bodies):
        # A test that imported the module as the first is not there any more, or does not import
        # it any more; who needs it still, imports it.
        by_import = 0
        lost_import, entering = _import_of(lost, outline, bodies), _entering(lost, outline, bodies)
        for bits in lost.ran.values():
            if bits & entering:
                by_import |= bits & lost_import
        if by_import and (
            _has_callers(found.ran, _import_of(found, outline, bodies)) or imported()
        ):
            found = merged(found, FileDetail(lost.pairs, {OUTSIDE: by_import}))
    return found


def _has_callers(rows: Mapping[Ran, int], import_of: int) -> bool:
    """Whether a test ran a function of the file, and so must have had it imported."""
    return any(who[0] and bits & ~import_of for who, bits in rows.items())


def _import_of(file: FileDetail, outline: Outline | None, bodies: Collection[int]) -> int:
    """The bits of what runs when the file is imported: all that is in no function."""
    if file.pairs is None:
        everything = bits_of(range(max((b.bit_length() for b in file.ran.values()), default=0)))
        return everything & ~bits_of(bodies)
    return bits_of(
        place
        for place, arc in enumerate(file.pairs)
        if outline is None or not _in_body(arc, bodies)
    )


def _in_body(arc: Arc, bodies: Collection[int]) -> bool:
    return any(line in bodies for line in arc if line > 0)


def _imports(file: FileDetail, outline: Outline | None, bodies: Collection[int]) -> bool:
    """Whether the file's import is among what ran."""
    entering = _entering(file, outline, bodies)
    return any(bits & entering for bits in file.ran.values())


def _entering(file: FileDetail, outline: Outline | None, bodies: Collection[int]) -> int:
    """The bits of which any holds that the module was entered, as it is when it is imported."""
    if file.pairs is not None:
        return bits_of(
            place
            for place, (start, end) in enumerate(file.pairs)
            if start == -1 and end not in bodies and not _is_function(end, outline)
        )
    if outline is None or outline.first is None:
        return -1
    return 1 << outline.first


def _is_function(line: int, outline: Outline | None) -> bool:
    """Whether a function is written on one line, so that entering it looks like its import."""
    return outline is not None and any(
        function.body[0] == line == function.first for function in outline.functions
    )


def merged(one: FileDetail, other: FileDetail) -> FileDetail:
    """The rows of both, the pairs of the first before those that only the other has."""
    if one.pairs is None or other.pairs is None:
        if not one.ran and one.pairs is not None:
            return other
        if not other.ran and other.pairs is not None:
            return one
        rows = dict(one.ran)
        for who, bits in other.ran.items():
            rows[who] = rows.get(who, 0) | bits
        return FileDetail(None, rows)
    number = {arc: place for place, arc in enumerate(one.pairs)}
    target = [number.setdefault(arc, len(number)) for arc in other.pairs]
    rows = dict(one.ran)
    same = target == list(range(len(target)))
    for who, bits in other.ran.items():
        rows[who] = rows.get(who, 0) | (bits if same else _renumbered(bits, target))
    return FileDetail(tuple(number), rows)


def moved(file: FileDetail, edit: Edit) -> FileDetail:
    """What ran, where its text stands now; what ran in text that changed is dropped."""
    lines = edit.lines
    if file.pairs is None:
        at = [place if place > 0 else -1 for place in lines]
        # As which running an empty file is recorded.
        at[0] = 0
        if not any(line != place for line, place in enumerate(at)):
            return file
        return FileDetail(None, _rows(file.ran, lambda bits: _renumbered(bits, at)))
    number: dict[Arc, int] = {}
    target = [
        tuple(number.setdefault(now, len(number)) for now in _moved_arcs(arc, edit))
        for arc in file.pairs
    ]
    if all(now == (place,) for place, now in enumerate(target)):
        return FileDetail(tuple(number), file.ran)
    return FileDetail(tuple(number), _rows(file.ran, lambda bits: _spread(bits, target)))


def _rows(rows: Mapping[Ran, int], change: Callable[[int], int]) -> dict[Ran, int]:
    """The rows with other bits; equal bits, of which there are many, are changed once."""
    known: dict[int, int] = {}
    found = {}
    for who, bits in rows.items():
        now = known.get(bits)
        if now is None:
            now = known[bits] = change(bits)
        if now:
            found[who] = now
    return found


def _renumbered(bits: int, target: Sequence[int]) -> int:
    size = len(target)
    return bits_of([target[place] for place in places(bits) if place < size and target[place] >= 0])


def _spread(bits: int, target: Sequence[tuple[int, ...]]) -> int:
    return bits_of([now for place in places(bits) for now in target[place]])


def _moved_arcs(arc: Arc, edit: Edit) -> list[Arc]:
    """What an arc is now: nothing where its text changed, and two where it stood for two."""
    start, end = arc
    return [
        (now_start, now_end)
        for now_start in _moved_end(start, end, edit)
        for now_end in _moved_end(end, start, edit)
    ]


def _moved_end(line: int, other: int, edit: Edit) -> tuple[int, ...]:
    """Where an arc's end is now; of a negative one, where the code object begins."""
    place = edit.lines[abs(line)] if abs(line) < len(edit.lines) else 0
    if line > 0:
        return (place,) if place else ()
    if line == 0:
        return (0,)
    if line == -1:
        # The module's code begins on line 1, whatever stands there; so may a class's, which is
        # entered, and where it is all on one line left, by the same arc.
        before = edit.before
        if before is None or before.opening is None:
            return (-1,)
        first, last = before.opening
        if not first <= other <= last or (other == first and not before.opens_with_class):
            return (-1,)
        if other == first:
            return (-1, -place) if place > 1 else (-1,)
    return (-place,) if place else ()
