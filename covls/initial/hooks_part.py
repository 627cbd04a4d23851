"""pre-commit's configuration: coverage judged at commits and pushes."""

from typing import Final

from covls.initial.facts import Facts
from covls.initial.plan import Draft
from covls.initial.text_file import CannotEditError
from covls.initial.yaml_text import parsed, with_item

FILE: Final = ".pre-commit-config.yaml"

_HOOKS: Final = """\
repo: local
hooks:
  # Runs the tests that the changes reach, and records what they cover.
  - id: covls-run
    name: tests that the changes reach
    entry: covls run --affected
    language: system
    types: [python]
    pass_filenames: false
    require_serial: true
    stages: [pre-push, manual]
  # Judges what is committed or pushed, by the coverage that was recorded last: no test runs.
  - id: covls-check
    name: coverage of what is committed
    entry: covls check --staged
    language: system
    types_or: [python, toml, ini]
    pass_filenames: false
    require_serial: true
    stages: [pre-commit, pre-push, manual]
"""


def propose_hooks(_facts: Facts, draft: Draft) -> None:
    """Have pre-commit judge commits, and run tests before a push."""
    text = draft.text(FILE) or ""
    try:
        values = parsed(text)
        repositories = values.get("repos") or () if isinstance(values, dict) else ()
        hooks = [
            hook.get("id")
            for repository in repositories
            if isinstance(repository, dict)
            for hook in repository.get("hooks") or ()
            if isinstance(hook, dict)
        ]
        if any(str(hook).startswith("covls-") for hook in hooks):
            return
        draft.put(FILE, with_item(text, "repos", _HOOKS))
    except CannotEditError as error:
        raise CannotEditError(f"{FILE} stays as it is, {error}", error.paste) from error
