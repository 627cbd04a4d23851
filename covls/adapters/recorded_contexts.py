"""Per-test detail from the contexts in a data file that another tool wrote."""

from collections import defaultdict
from collections.abc import Callable

from covls.adapters.snapshot import Snapshot
from covls.core.detail import Detail, FileDetail, Ran, TestRecord, bits_of
from covls.core.test_names import ran_by


def detail_of_contexts(
    snapshot: Snapshot, stopped: Callable[[], bool] = lambda: False
) -> Detail | None:
    """The detail that a snapshot's contexts tell; None where there are none, or it was stopped.

    How the tests ended is not told: their outcome is `unknown`.
    """
    if not snapshot.has_contexts:
        return None
    who = {context: ran_by(context) for context in snapshot.contexts}
    files = {}
    for path in sorted(snapshot.paths):
        if stopped():
            return None
        files[path] = _file(snapshot, path, who)
    tests = {test: TestRecord("unknown") for test, _ in who.values() if test}
    return Detail(snapshot.has_arcs, files, tests)


def _file(snapshot: Snapshot, path: str, who: dict[str, Ran]) -> FileDetail:
    if not snapshot.has_arcs:
        lines: defaultdict[Ran, int] = defaultdict(int)
        for context, bits in snapshot.lines_by_context(path):
            lines[who[context]] |= bits
        return FileDetail(None, dict(lines))
    number: dict[tuple[int, int], int] = {}
    ran: defaultdict[str, list[int]] = defaultdict(list)
    for context, arc in snapshot.arcs_by_context(path):
        ran[context].append(number.setdefault(arc, len(number)))
    rows: defaultdict[Ran, int] = defaultdict(int)
    for context, places in ran.items():
        rows[who[context]] |= bits_of(places)
    return FileDetail(tuple(number), dict(rows))
