"""The parts of what is proposed, by the names they are asked for by."""

from collections.abc import Mapping
from typing import Final

from covls.initial.coverage_part import propose_coverage
from covls.initial.editors_part import propose_aliases, propose_neovim, propose_vscode
from covls.initial.facts import Facts
from covls.initial.github_part import propose_codecov, propose_github
from covls.initial.gitlab_part import propose_gitlab
from covls.initial.hooks_part import propose_hooks
from covls.initial.plan import Part
from covls.initial.settings_part import propose_settings

PARTS: Final[Mapping[str, Part]] = {
    "coverage": propose_coverage,
    "covls": propose_settings,
    "pre-commit": propose_hooks,
    "github": propose_github,
    "codecov": propose_codecov,
    "gitlab": propose_gitlab,
    "vscode": propose_vscode,
    "neovim": propose_neovim,
    "aliases": propose_aliases,
}

_ASKED_FOR_ONLY: Final = {"codecov"}


def proposed_parts(facts: Facts) -> list[str]:
    """The parts that are proposed where none is asked for by name."""
    return [
        name
        for name in PARTS
        if name not in _ASKED_FOR_ONLY and (name not in ("github", "gitlab") or name in facts.hosts)
    ]
