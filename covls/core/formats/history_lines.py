"""A history as lines of JSON, for other programs and other databases, and back.

The first line says what it is. Then come files, each with a number of its own and before the first
run that has it, and runs, which name their files by these numbers: what many runs have in common
stands there once.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from covls.core.coverage import Totals
from covls.core.detail import bits_of
from covls.core.formats.history_json import file_values, run_values
from covls.core.history import Commit, RecordedFile, RecordedFunction, Run, lines_of

VERSION: Final = 1
FIRST: Final = json.dumps({"covls_history": VERSION})


def history_lines(
    walk: Iterable[tuple[Run, Mapping[str, RecordedFile]]],
) -> Iterator[str]:
    """The lines of some runs. Files that are the same object in one run and the next stand once."""
    yield FIRST
    known: dict[str, tuple[RecordedFile, int]] = {}
    last = 0
    for run, files in walk:
        numbers = []
        before, known = known, {}
        for path, file in files.items():
            same = before.get(path)
            if same is not None and same[0] is file:
                known[path] = same
            else:
                last += 1
                known[path] = (file, last)
                yield json.dumps({"file": {"id": last, **_file_values(file)}})
            numbers.append(known[path][1])
        yield json.dumps({"run": {**run_values(run), "files": numbers}})


def runs_of_lines(lines: Iterable[str]) -> Iterator[tuple[Run, tuple[RecordedFile, ...]]]:
    """The runs of such lines. Raises ValueError that names the line where one is wrong."""
    known: dict[int, RecordedFile] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
            if number == 1:
                if found["covls_history"] != VERSION:
                    raise ValueError(f"its version is {found['covls_history']}")
            elif "file" in found:
                known[found["file"]["id"]] = _file(found["file"])
            else:
                run = found["run"]
                yield _run(run), tuple(known[each] for each in run["files"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"line {number} is no line of a history: {error}") from error


def _file_values(file: RecordedFile) -> dict[str, Any]:
    found = file_values(file)
    found["branches"] = [[line, ways, list(ends)] for line, ways, ends in file.branches]
    for values, function in zip(found["functions"], file.functions, strict=True):
        values["statements"] = lines_of(function.statements)
    return found


def _file(found: Mapping[str, Any]) -> RecordedFile:
    executed = bits_of(found["executed_lines"])
    return RecordedFile(
        found["path"],
        found["source"] or "",
        _totals(found["totals"], files=1),
        executed | bits_of(found["missing_lines"]),
        executed,
        bits_of(found["partial_lines"]),
        tuple(
            RecordedFunction(
                each["name"],
                each["first_line"],
                each["last_line"],
                _totals(each["totals"], files=0),
                bits_of(each["statements"]),
            )
            for each in found["functions"]
        ),
        tuple((line, ways, tuple(ends)) for line, ways, ends in found["branches"]),
    )


def _run(found: Mapping[str, Any]) -> Run:
    return Run(
        found["number"],
        Commit(
            found["commit"],
            tuple(found["parents"]),
            found["branch"],
            authored=datetime.fromisoformat(found["authored"]),
            subject=found["subject"],
        ),
        tuple(found["flags"]),
        datetime.fromisoformat(found["recorded"]),
        found["clean"],
        found["versions"],
        found["has_branches"],
        _totals(found["totals"], files=len(found["files"])),
    )


def _totals(found: Mapping[str, Any], *, files: int) -> Totals:
    return Totals(
        files,
        found["num_statements"],
        found["excluded_lines"],
        found["missing_lines"],
        found["num_branches"],
        found["num_partial_branches"],
        found["missing_branches"],
    )
