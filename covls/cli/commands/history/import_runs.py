"""`covls history import`: reports, data files and other histories, put into the history."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from covls.cli.history_data import flag_option, format_option, history_of, root_and_settings
from covls.cli.invocation import (
    FAILED,
    PASSED,
    Invocation,
    NoDataError,
    SettingsError,
    pass_invocation,
    root_option,
    trusted_option,
)
from covls.cli.project_data import absolute, warn
from covls.core.formats.history_json import run_values
from covls.core.history import Commit, RecordedFile, Run, merged
from covls.core.report import counted

if TYPE_CHECKING:
    from covls.adapters.commits import Commits
    from covls.adapters.history_db.history import History, Same
    from covls.adapters.report_files import Found
    from covls.core.settings import Settings


@click.command("import", context_settings={"help_option_names": ["-h", "--help"]})
@flag_option("A flag for reports, which have none of their own.")
@click.option("--commit", "ref", metavar="REF", help="The commit that the reports are of.")
@click.option("--branch", metavar="NAME", help="The branch of reports that name none.")
@click.option(
    "--merge", is_flag=True, help="Add to what was recorded before, instead of replacing it."
)
@format_option
@root_option
@trusted_option
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@pass_invocation
def import_runs(
    invocation: Invocation,
    flags: tuple[str, ...] | None,
    ref: str | None,
    branch: str | None,
    merge: bool,
    form: str,
    paths: tuple[Path, ...],
) -> int:
    """Take in what other tools and other histories recorded.

    PATHS are files, or folders of them: coverage.py's JSON reports and data files, Cobertura's XML,
    LCOV, SQLite files with a table coverage_history, and what `covls history export` wrote. The
    commit of a report is the one whose name is in its path, as in artifacts/3f2a91c/coverage.xml,
    or --commit. Reports of one commit are merged.

    Exits with 1 where a file could not be used, with 3 where none could.
    """
    root, settings = root_and_settings(invocation)
    taken = _Import(root, settings, flags or (), branch, ref, "merge" if merge else "replace")
    with history_of(root, settings, invocation, "write") as history:
        runs = taken.into(history, paths)
    for problem in taken.problems:
        warn(problem)
    if not runs:
        raise NoDataError("There was nothing to take in.")
    if form == "json":
        print(json.dumps([run_values(run) for run in runs], indent=4))
    else:
        of = counted(len({run.commit.id for run in runs}), "commit")
        print(f"Took in {counted(len(runs), 'run')} of {of}.")
    return FAILED if taken.problems else PASSED


@dataclass(slots=True)
class _Gathered:
    """The reports of one commit, put together."""

    found: "Found"
    files: dict[str, RecordedFile]
    by: dict[str, str]
    has_branches: bool


class _Import:
    """What one import takes in, and what it cannot use."""

    def __init__(
        self,
        root: Path,
        settings: "Settings",
        flags: tuple[str, ...],
        branch: str | None,
        ref: str | None,
        same: "Same",
    ) -> None:
        from covls.adapters.commits import commits_of

        self.problems: list[str] = []
        self._root = root
        self._settings = settings
        self._flags = flags
        self._branch = branch
        self._same = same
        self._commits: Commits | None = commits_of(root)
        self._commit = None if ref is None else self._named(ref)

    def into(self, history: "History", paths: Sequence[Path]) -> list[Run]:
        """Record all that is found in files and folders."""
        from covls.adapters.report_files import files_below

        files = list(dict.fromkeys(file for path in paths for file in files_below(absolute(path))))
        lines = [file for file in files if _is_of_covls(file)]
        runs = [run for file in lines for run in self._of_lines(history, file)]
        reports = [file for file in files if file not in set(lines)]
        return runs + [self._record(history, gathered) for gathered in self._gathered(reports)]

    def _named(self, ref: str) -> str:
        found = self._commits.find(ref) if self._commits is not None else None
        if found is None and len(ref) not in (40, 64):
            raise SettingsError(f"{ref} is no commit that git knows here.")
        return found or ref

    def _of_lines(self, history: "History", file: Path) -> Iterator[Run]:
        from covls.core.formats.history_lines import runs_of_lines

        try:
            with file.open(encoding="utf-8") as stream:
                for run, files in runs_of_lines(stream):
                    yield history.record(
                        run.commit,
                        run.flags,
                        clean=run.clean,
                        versions=run.versions,
                        has_branches=run.has_branches,
                        files=files,
                        same=self._same,
                        recorded=run.recorded,
                        totals=run.totals,
                    )
        except (OSError, ValueError) as error:
            self.problems.append(f"{file}: {error}")

    def _gathered(self, files: Sequence[Path]) -> list[_Gathered]:
        from covls.adapters.local_files import local_python_files
        from covls.adapters.report_files import Unusable, read_reports
        from covls.project.setup import set_up

        prefix = str(self._root).rstrip("/") + "/"
        known = {path.removeprefix(prefix) for path in local_python_files(self._root)}
        analysts = set_up(self._root, self._settings, trusted=None).analysts
        by_commit: dict[str, _Gathered] = {}
        try:
            for file in files:
                for found in read_reports(file, known, analysts, self._commits, self._commit):
                    if isinstance(found, Unusable):
                        self.problems.append(f"{found.file}: {found.reason}")
                    elif found.commit is None:
                        self.problems.append(f"{found.file}: its commit is not known: --commit")
                    else:
                        _gather(by_commit, found.commit, found)
        finally:
            analysts.close()
        return list(by_commit.values())

    def _record(self, history: "History", gathered: _Gathered) -> Run:
        found = gathered.found
        assert found.commit is not None
        branch = found.branch or self._branch
        commits = self._commits
        commit = commits.describe(found.commit, branch) if commits is not None else None
        if commit is None:
            # Of what git does not have, the time of the report is as near as can be told.
            made = found.report.made or datetime.fromtimestamp(found.file.stat().st_mtime, UTC)
            commit = Commit(found.commit, (), branch, authored=made)
        return history.record(
            commit,
            self._flags,
            clean=False,
            versions=gathered.by,
            has_branches=gathered.has_branches,
            files=gathered.files.values(),
            same=self._same,
            recorded=found.report.made,
            totals=found.report.totals,
        )


def _gather(by_commit: dict[str, _Gathered], commit: str, found: "Found") -> None:
    report = found.report
    before = by_commit.get(commit)
    if before is None or before.found.file == found.file or not report.files:
        # A later row of a table takes the place of the one before, as do counts without files.
        files = {file.path: file for file in report.files}
        by_commit[commit] = _Gathered(found, files, dict(report.by), report.has_branches)
        return
    for file in report.files:
        known = before.files.get(file.path)
        before.files[file.path] = file if known is None else merged(known, file)
    before.by |= report.by
    before.has_branches = before.has_branches or report.has_branches


def _is_of_covls(file: Path) -> bool:
    """Whether a file is what `covls history export` wrote."""
    try:
        with file.open("rb") as stream:
            return stream.read(40).startswith(b'{"covls_history"')
    except OSError:
        return False
