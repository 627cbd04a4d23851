"""Write coverage.py's HTML report of a private copy of the data.

covls starts this file by its path in the root, in its own interpreter or in the project's: nothing
but the standard library and coverage.py may be imported here. A request is one line of JSON on
stdin:

    {"data_file": a private copy, with its parallel siblings beside it; they may be changed,
     "directory": where the report goes, "files": [paths] or null for all,
     "at": path of a file whose page is asked for, or null}

The answers are lines of JSON on stdout: any number of {"done": n, "of": m}, then either
{"percent": total, "page": name or null, "problems": [words]} or {"error": words}.

With --plugins, the project's coverage.py plugins are imported and asked. Without it nothing is
imported from the current directory.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from typing import Any, BinaryIO, Dict, List, Optional


class Progress:
    """How far coverage.py has come: each file is analysed first, and then written."""

    def __init__(self, answers: BinaryIO) -> None:
        self.answers = answers
        self.files = 0
        self.done = 0

    def send(self, message: Dict[str, Any]) -> None:
        """Send one answer."""
        self.answers.write(json.dumps(message).encode() + b"\n")
        self.answers.flush()

    def watch(self, owner: Any, name: str) -> None:
        """Count the calls of one of coverage.py's methods, one a file, where it has it."""
        method = getattr(owner, name, None)
        if method is None:
            return

        def counted(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            self.done += 1
            self.send({"done": min(self.done, 2 * self.files), "of": 2 * self.files})
            return result

        setattr(owner, name, counted)


def write(request: Dict[str, Any], plugins: bool, progress: Progress) -> Dict[str, Any]:
    """Write the report; what cannot be shown is left out only where nothing else helps."""
    from coverage import Coverage
    from coverage.exceptions import CoverageException, NoDataError
    from coverage.files import flat_rootname
    from coverage.html import HtmlReporter

    coverage = Coverage(data_file=request["data_file"], messages=False)
    if not plugins:
        coverage.set_option("run:plugins", [])
    # It would be written to, and a configuration can name any file.
    coverage.set_option("run:debug_file", None)
    coverage.load()
    # As the `coverage html` command has it; the siblings are ours, too.
    coverage.combine(strict=False, keep=True)
    # All is written anew where any of the configuration changed, and the copy has a new place
    # each time.
    coverage.set_option("run:data_file", ".coverage")
    files: Optional[List[str]] = request["files"]
    progress.files = len(files or coverage.get_data().measured_files())
    progress.watch(coverage, "_analyze")
    progress.watch(HtmlReporter, "write_html_page")
    problems: List[str] = []
    try:
        percent = coverage.html_report(files, directory=request["directory"])
    except NoDataError:
        raise
    except CoverageException as error:
        # A file that is gone, or does not parse any more, ends the whole report otherwise.
        problems.append(str(error))
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            percent = coverage.html_report(
                files, directory=request["directory"], ignore_errors=True
            )
        problems = [str(warning.message) for warning in warned] or problems
    page = None
    if request["at"]:
        page = flat_rootname(request["at"]) + ".html"
        with open(os.path.join(request["directory"], "index.html"), encoding="utf-8") as index:
            if '"{}"'.format(page) not in index.read():
                page = None
    return {"percent": percent, "page": page, "problems": problems}


def main() -> int:
    """Answer one request."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--coverage-from", metavar="FOLDER")
    arguments.add_argument("--plugins", action="store_true")
    options = arguments.parse_args()
    # Python puts this file's folder first, or with -I nothing.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry and os.path.abspath(entry) != here]
    # What plugins print goes to stderr.
    progress = Progress(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    request = json.loads(sys.stdin.readline())
    if options.coverage_from:
        sys.path.append(options.coverage_from)
    try:
        import coverage
    except ImportError as error:
        progress.send({"error": "{} cannot import coverage.py: {}".format(sys.executable, error)})
        return 1
    if options.plugins:
        # As the `coverage` command has it.
        sys.path.insert(0, "")
    try:
        answer = write(request, options.plugins, progress)
    except coverage.CoverageException as error:
        answer = {"error": str(error)}
    except Exception as error:  # noqa: BLE001
        # A plugin failed, or the disk is full: whoever asked is told in words.
        answer = {"error": "{}: {}".format(type(error).__name__, error)}
    progress.send(answer)
    return 1 if "error" in answer else 0


if __name__ == "__main__":
    sys.exit(main())
