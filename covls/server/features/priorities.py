"""What to test next: `covls/priorities`, and `covls.showPriorities`."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from covls.adapters.analysis_cache import cache_folder
from covls.core.priorities import Level, Priority, Ranking, as_markdown, as_text
from covls.project.priorities import Wanted
from covls.server.convert import Encoding, uri_of
from covls.server.features.project_coverage import roots_of
from covls.server.features.tests_at import located
from covls.server.messages import (
    PRIORITIES,
    PrioritiesParams,
    PrioritiesResult,
    PriorityAction,
    PriorityFactors,
    PriorityRow,
)
from covls.server.progress import Progress, with_progress
from covls.server.root import Root
from covls.server.session import Session

COMMAND: Final = "covls.showPriorities"

LIMIT: Final = 20
"""Rows where none is said."""

_LEVELS: Final[Mapping[str, Level]] = {"file": "file", "function": "function", "block": "block"}

_Found = list[tuple[Root, Ranking]]


async def priorities(session: Session, params: PrioritiesParams | None) -> PrioritiesResult | None:
    """The first rows of a folder, or of all; null for a folder that is none, or when cancelled."""
    params = params or PrioritiesParams()
    level = _LEVELS.get(params.by or "function")
    if level is None:
        raise JsonRpcInvalidParams(f"{PRIORITIES}: by must be one of {', '.join(_LEVELS)}")
    limit = LIMIT if params.limit is None else params.limit
    if limit < 0:
        raise JsonRpcInvalidParams(f"{PRIORITIES}: limit must be a whole number from 0")
    wanted = Wanted(level, limit, only_patch=bool(params.patch))
    roots = await roots_of(session, params.folder)
    found = await _rank(session, roots, wanted, params.work_done_token) if roots else None
    if found is None:
        return None
    best = _best(found, limit)
    rows = [(session.folder_uri(root), root.folder, row) for root, row in best]
    return PrioritiesResult(
        folders=[session.folder_uri(root) for root in roots],
        by=level,
        total=sum(ranking.total for _, ranking in found),
        rows=await session.in_thread(_rows, rows, session.capabilities.encoding),
        notes=_notes(found),
    )


async def show_priorities(
    session: Session, folder: str | None = None, limit: int | None = None
) -> dict[str, Any]:
    """Begin to show what to test next, as a document or in a message. Answers with its words."""
    limit = LIMIT if limit is None else limit
    roots = await roots_of(session, folder)
    found = await _rank(session, roots, Wanted(limit=limit), None) if roots else None
    if found is None:
        raise JsonRpcInvalidParams(f"{COMMAND}: there is no coverage of {folder or 'any folder'}")
    rows = tuple(row for _, row in _best(found, limit))
    ranking = Ranking("function", rows, sum(each.total for _, each in found), tuple(_notes(found)))
    markdown, text = as_markdown(ranking, _link), as_text(ranking)
    session.spawn(_show(session, found, markdown, text), "Showing priorities")
    return {"text": text, "markdown": markdown}


async def _rank(
    session: Session, roots: Sequence[Root], wanted: Wanted, token: int | str | None
) -> _Found | None:
    """The ranking of each root; None where it was cancelled."""

    async def gather(progress: Progress) -> _Found | None:
        def report(done: int, of: int) -> bool:
            progress.report(done, of, "Looking at what is not covered")
            return not progress.cancelled.is_set()

        found: _Found = []
        for root in roots:
            project = root.project
            if project is None:
                continue
            texts = {
                document.path: document.text
                for document in tuple(session.documents.values())
                if await session.root_of(document.path) is root
            }
            ranking = await session.in_thread(project.priorities, wanted, texts, report)
            if ranking is not None:
                found.append((root, ranking))
            elif progress.cancelled.is_set():
                return None
            else:
                found.append((root, Ranking(wanted.level, notes=(project.status().message,))))
        return found

    return await with_progress(session, "Ranking what to test", gather, token)


def _best(found: _Found, limit: int) -> list[tuple[Root, Priority]]:
    """The first rows of all roots together."""
    rows = [(root, row) for root, ranking in found for row in ranking.rows]
    return sorted(rows, key=lambda each: -each[1].score)[:limit]


def _notes(found: _Found) -> list[str]:
    return list(dict.fromkeys(note for _, ranking in found for note in ranking.notes if note))


def _rows(rows: Sequence[tuple[str, Path, Priority]], encoding: Encoding) -> list[PriorityRow]:
    """Rows as they are sent, with the places of the tests to begin from."""
    tests: dict[tuple[Path, str], types.Location | None] = {}
    for _, root, row in rows:
        if row.action is not None and row.action.test is not None:
            tests[root, row.action.test] = None
    for root in {root for root, _ in tests}:
        for test in located([name for at, name in tests if at == root], root, encoding):
            tests[root, test.id] = test.location
    return [_row(folder, root, row, tests) for folder, root, row in rows]


def _row(
    folder: str,
    root: Path,
    row: Priority,
    tests: Mapping[tuple[Path, str], types.Location | None],
) -> PriorityRow:
    factors, action = row.factors, row.action
    assert action is not None, "what is shown has one"
    return PriorityRow(
        folder=folder,
        uri=uri_of(row.path),
        file=row.file,
        title=row.title,
        start_line=row.start - 1,
        end_line=row.end - 1,
        lines=[[first - 1, last - 1] for first, last in row.lines],
        score=round(row.score, 2),
        factors=PriorityFactors(
            factors.statements,
            factors.branches,
            factors.in_patch,
            factors.elsewhere,
            factors.complexity,
            factors.commits,
            factors.weight,
        ),
        reasons=list(row.reasons),
        advice=row.advice or None,
        stale=row.stale,
        action=PriorityAction(
            words=action.words,
            uri=uri_of(action.path) if action.path else None,
            exists=action.exists,
            test=action.test,
            location=tests.get((root, action.test)) if action.test is not None else None,
            command=list(action.command),
        ),
    )


async def _show(session: Session, found: _Found, markdown: str, text: str) -> None:
    """Show a document in covls's own cache, or a message where the client shows none."""
    path = None
    if session.capabilities.show_document:
        path = await session.in_thread(_written, [root.folder for root, _ in found], markdown)
    if path is None or not await session.show_document(uri_of(path)):
        session.inform(text)


def _written(folders: Sequence[Path], markdown: str) -> Path | None:
    """The file of these words; None where it cannot be written."""
    names = "\0".join(map(os.fspath, folders))
    key = hashlib.sha256(names.encode(errors="surrogateescape")).hexdigest()[:16]
    path = cache_folder() / "priorities" / f"{key}.md"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(markdown + "\n", encoding="utf-8", errors="replace")
    except OSError:
        return None
    return path


def _link(row: Priority) -> str:
    return f"{uri_of(row.path)}#L{row.first}"
