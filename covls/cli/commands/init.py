"""`covls init`: propose what a project needs for coverage, show it, and write it on a yes."""

import sys
from importlib.util import find_spec
from pathlib import Path

import click

from covls.cli.invocation import (
    FAILED,
    PASSED,
    Invocation,
    SettingsError,
    pass_invocation,
    root_option,
)
from covls.cli.project_data import absolute, warn
from covls.core.report import counted, printable

_NEEDED = {"tomlkit": "tomlkit", "ruamel.yaml": "ruamel.yaml", "configupdater": "ConfigUpdater"}

_NAMES = (
    "coverage", "covls", "pre-commit", "github", "codecov", "gitlab", "vscode", "neovim", "aliases"
)  # fmt: skip


def _parts(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """The names of parts, also of several in one word."""
    names = tuple(name.strip() for value in values for name in value.split(","))
    for name in names:
        if name not in _NAMES:
            raise click.BadParameter(f"{name!r} is no part; the parts are {', '.join(_NAMES)}.")
    return names


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--only",
    multiple=True,
    metavar="PART[,PART...]",
    callback=_parts,
    help=f"These parts alone; can be given several times: {', '.join(_NAMES)}.",
)
@click.option("-y", "--yes", is_flag=True, help="Write without asking.")
@click.option("-n", "--dry-run", is_flag=True, help="Only show what would be written.")
@root_option
@pass_invocation
def init(invocation: Invocation, only: tuple[str, ...], yes: bool, dry_run: bool) -> int:
    """Set a project up for coverage: look at it, propose, and write what you agree to.

    What is there stays as it is: values that you have set, comments, files. A second time there is
    nothing to propose. Without a terminal nothing is written unless you say --yes.

    Exits with 0, with 1 where something could not be written, with 2 for wrong usage.
    """
    if yes and dry_run:
        raise click.UsageError("Give one of --yes and --dry-run.")
    _require_editors()
    from covls.initial.facts import look
    from covls.initial.parts import PARTS, proposed_parts
    from covls.initial.plan import make_plan
    from covls.initial.text_file import CannotEditError

    facts = look(invocation.root or _project_folder(Path.cwd()))
    plan = make_plan(facts, PARTS, only or proposed_parts(facts))
    click.echo(printable(f"{facts.root}: {facts.framework.words()}"))
    for change in plan.changes:
        click.echo()
        for line in change.diff(facts.root):
            _show(line)
    if plan.changes or plan.kept:
        click.echo()
    for words in plan.kept:
        click.echo(printable(words))
    for words in plan.refused:
        for line in words.splitlines():
            warn(line)
    refused = FAILED if plan.refused else PASSED
    if not plan.changes:
        click.echo("There is nothing to propose." if not plan.refused else "Nothing is written.")
        return refused
    files = counted(len(plan.changes), "file")
    if dry_run or not (yes or (sys.stdin.isatty() and click.confirm(f"Write {files}?"))):
        asked = "" if dry_run or sys.stdin.isatty() else " Say --yes to write."
        click.echo(f"Nothing is written ({files} proposed).{asked}")
        return refused
    for change in plan.changes:
        try:
            change.write()
        except CannotEditError as error:
            warn(str(error))
            refused = FAILED
        else:
            click.echo(printable(f"wrote {change.path.relative_to(facts.root).as_posix()}"))
    click.echo(f"Next: {facts.test_words}, then covls report")
    return refused


def _require_editors() -> None:
    """Raise SettingsError where the libraries that keep a file's format are not installed."""
    missing = [name for name, package in _NEEDED.items() if find_spec(name.split(".")[0]) is None]
    if missing:
        packages = " ".join(_NEEDED[name] for name in missing)
        raise SettingsError(
            f"`covls init` edits files with {', '.join(missing)}, which are not installed. They "
            f'come with covls[init]:\n  python -m pip install "covls[init]"\n'
            f"or, where covls was installed by pipx: pipx inject covls {packages}"
        )


def _project_folder(start: Path) -> Path:
    """The folder to set up: the nearest one upwards that a project begins in."""
    folder = absolute(start)
    for candidate in (folder, *folder.parents):
        names = ("pyproject.toml", "manage.py", "setup.py", "setup.cfg", ".coveragerc", ".git")
        if any((candidate / name).exists() for name in names):
            return candidate
    return folder


def _show(line: str) -> None:
    colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
    bold = line.startswith(("+++", "---"))
    click.secho(printable(line), fg=None if bold else colour, bold=bold)
