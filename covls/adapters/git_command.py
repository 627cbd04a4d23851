"""git, asked in a way that nothing of the repository runs.

What git may start by itself, and what keeps it from that:

- `core.fsmonitor` and hooks: set to nothing on the command line, which goes over every file;
- a pager, a signature's program (`log.showSignature`), an external diff, a textconv: not asked for,
  and turned off where a file could ask for them;
- smudge and clean filters run on checkout, on add, and wherever git compares the work tree with
  what it has stored. So it is never asked to do that: `cat-file` gives what is stored, and only
  commits and the index are compared with one another;
- fetching what a partial clone lacks, by whatever program the remote names: newer versions of git
  obey GIT_NO_LAZY_FETCH, all obey GIT_ALLOW_PROTOCOL, which no configuration file goes over;
- aliases do not replace git's own commands, and included files are only read;
- a repository that belongs to somebody else is refused by git itself (`safe.directory`), and a
  `git` in a folder of the workspace is not taken for git.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SECONDS: Final = 5.0
"""What one question may take."""

_OPTIONS: Final = (
    "--no-pager",
    "--no-optional-locks",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "log.showSignature=false"),
    *("-c", "diff.external="),
)

_ENVIRONMENT: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # The name of no protocol: an empty list might mean any.
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "LC_ALL": "C",
}

# Of the variables that steer git only those that say where its files are; a hook that started us
# has set others, which are meant for the hook.
_KEPT: Final = {
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXEC_PATH",
}


def find_git(outside: Path) -> str | None:
    """Where git is, None if there is none.

    Only absolute folders of PATH count, and none within `outside`: what a workspace calls git may
    be anything.
    """
    workspace = Path(os.path.realpath(outside))
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which("git", path=folder) if Path(folder).is_absolute() else None
        # On Windows the current folder is looked in first, and what is there has no folder.
        if found is None or not Path(found).is_absolute():
            continue
        places = Path(os.path.realpath(folder)), Path(os.path.realpath(found))
        if not any(place.is_relative_to(workspace) for place in places):
            return found
    return None


def ask_git(
    program: str,
    folder: Path,
    *arguments: str,
    given: bytes = b"",
    fails: bool = False,
    cut: bool = False,
    seconds: float = SECONDS,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """What git answers in a folder. Raises SubprocessError or OSError.

    Where it may fail, with `fails` nothing, with `cut` what it said before.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("GIT_") or name.upper() in _KEPT
    }
    done = subprocess.run(
        [program, *_OPTIONS, *arguments],
        cwd=folder,
        env={**inherited, **_ENVIRONMENT, **(environment or {})},
        input=given,  # Its end is reached at once where there is none: nothing is waited for.
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=seconds,
        check=not (fails or cut),
    )
    return done.stdout if done.returncode == 0 or cut else b""
