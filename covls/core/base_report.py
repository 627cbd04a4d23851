"""The figures of a base, from coverage.py's JSON report of it, without what was deleted since.

Who deletes well-tested code lowers the percentage, and has made nothing worse. So lines that are
gone leave the base before it is compared with.
"""

from collections.abc import Collection, Mapping
from typing import Any

from covls.core.coverage import NOTHING, Totals
from covls.core.lines import LineRange


class WrongReportError(Exception):
    """What was given is no JSON report of coverage.py's: the message says why."""


def base_totals(
    report: object, names_now: Collection[str], gone: Mapping[str, Collection[LineRange]]
) -> Totals:
    """The totals of a JSON report without what is gone.

    `names_now` are the names, as they were at the base, of the files that are still there; `gone`
    the lines that are not, by name. Raises WrongReportError.
    """
    files = report.get("files") if isinstance(report, Mapping) else None
    if not isinstance(files, Mapping):
        raise WrongReportError("it is no JSON report of coverage.py's: it has no `files`")
    totals = NOTHING
    for name, file in files.items():
        known = str(name).replace("\\", "/")
        if known in names_now:
            try:
                totals += _totals(file, gone.get(known, ()))
            except (KeyError, TypeError, ValueError) as error:
                words = f"{name} in it is not as coverage.py writes files"
                raise WrongReportError(words) from error
    return totals


def _totals(file: Mapping[str, Any], gone: Collection[LineRange]) -> Totals:
    def stays(line: int) -> bool:
        return not any(first <= line <= last for first, last in gone)

    executed = [line for line in file["executed_lines"] if stays(line)]
    missing = [line for line in file["missing_lines"] if stays(line)]
    taken = [branch for branch in file.get("executed_branches", ()) if stays(branch[0])]
    missed = [branch for branch in file.get("missing_branches", ()) if stays(branch[0])]
    return Totals(
        n_files=1,
        n_statements=len(executed) + len(missing),
        n_missing=len(missing),
        n_branches=len(taken) + len(missed),
        n_missing_branches=len(missed),
    )
