"""A workspace that tries to have its code run by whoever looks at it."""

import os
import sys
from pathlib import Path

from tests.adapters.repositories import Repository

_MARKS = """\
import os
import pathlib

pathlib.Path({marks!r}, os.path.basename({name!r})).touch()
"""

_PROGRAM = "#!/bin/sh\ntouch '{mark}'\nexec '{python}' \"$@\"\n"

_PLUGIN = "\n\ndef coverage_init(registry, options):\n    pass\n"

_GIT = (
    ("core.fsmonitor", "fsmonitor"),
    ("core.pager", "pager"),
    ("core.editor", "editor"),
    ("core.sshCommand", "ssh"),
    ("core.askPass", "askpass"),
    ("diff.external", "external-diff"),
    ("diff.evil.textconv", "textconv"),
    ("diff.evil.command", "diff-command"),
    ("filter.evil.clean", "clean"),
    ("filter.evil.smudge", "smudge"),
    ("filter.evil.process", "filter-process"),
    ("gpg.program", "gpg"),
    ("credential.helper", "credential"),
    ("remote.origin.uploadpack", "uploadpack"),
)

_HOOKS = ("post-index-change", "reference-transaction", "post-checkout", "fsmonitor-watchman")


def make_hostile(folder: Path, marks: Path) -> None:
    """Make a project that has been measured hostile: what runs leaves a mark of its name."""
    marks.mkdir()
    repository = Repository(folder)
    repository("add", "-f", "*.py")
    repository("commit", "-qm", "shop")

    def program(name: str) -> str:
        path = marks.parent / "programs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(_PROGRAM.format(mark=marks / name, python=sys.executable))
        path.chmod(0o755)
        return str(path)

    def module(name: str, more: str = "") -> None:
        text = _MARKS.format(marks=str(marks), name=name)
        (folder / f"{name}.py").write_text(text + more)

    # Some have the names of what covls, coverage.py or Python import.
    for name in ("plugin", "conftest", "manage", "setup", "sitecustomize", "coverage", "ast"):
        module(name, _PLUGIN)
    (folder / "plugin.pth").write_text(f"import os; open({str(marks / 'pth')!r}, 'w').close()\n")
    environment = folder / ".venv" / "bin"
    environment.mkdir(parents=True)
    for name in ("python", "python3", "pytest", "coverage", "git", "covls"):
        (environment / name).symlink_to(program(name))
    (environment.parent / "pyvenv.cfg").write_text(f"home = {environment}\n")

    run = f'on_save = "affected"\ncommand = ["{program("command")}", "-m", "pytest"]\n'
    run += 'arguments = ["-p", "plugin"]\n'
    own = f'trusted = true\npython = "{environment / "python"}"\n'
    (folder / "covls.toml").write_text(f"{own}[run]\n{run}")
    pytest = '[tool.pytest.ini_options]\naddopts = "-p plugin"\n'
    text = f"{pytest}[tool.covls]\n{own}[tool.covls.run]\n{run}"
    (folder / "pyproject.toml").write_text(text)
    (folder / "setup.cfg").write_text("[tool:pytest]\naddopts = -p plugin\n")
    with (folder / ".coveragerc").open("a") as configuration:
        configuration.write("plugins = plugin\n")
    (folder / ".gitattributes").write_text("* diff=evil filter=evil\n")
    for key, name in _GIT:
        repository("config", key, program(name))
    repository("config", "log.showSignature", "true")
    repository("config", "remote.origin.url", "ext::" + program("remote"))
    repository("config", "core.hooksPath", str(folder / "hooks"))
    (folder / "hooks").mkdir()
    for name in _HOOKS:
        (folder / "hooks" / name).symlink_to(program(name))
    # What differs from what git has stored is what git would ask programs about.
    with (folder / "shop.py").open("a") as source:
        source.write("\n\ndef more():\n    return 1\n")
    for mark in marks.iterdir():
        mark.unlink()


def ran(marks: Path) -> set[str]:
    """What left a mark."""
    return set(os.listdir(marks))  # noqa: PTH208
