"""What editors and shells are told: VS Code's settings, a snippet for Neovim, short commands."""

from typing import Any, Final

from covls.initial.facts import Facts
from covls.initial.json_text import parsed, with_entries, with_string
from covls.initial.plan import Draft
from covls.initial.text_file import CannotEditError

_SETTINGS: Final[dict[str, Any]] = {
    "covls.enable": True,
    "covls.run.onSave": "off",
    "search.exclude": {"htmlcov": True},
}

_EXTENSION: Final = "covls.covls"

_NEOVIM: Final = """\
-- Read by Neovim 0.11 where `vim.o.exrc` is set, once you trust it. Or put it into your init.lua.
vim.lsp.config('covls', {
  cmd = { 'covls', 'serve' },
  filetypes = { 'python' },
  root_markers = {
    { '.coveragerc', '.coveragerc.toml', 'covls.toml' },
    { 'pyproject.toml', 'setup.cfg', 'tox.ini' },
    '.git',
  },
})
vim.lsp.enable('covls')
"""

_ALIASES: Final = """\
# Short commands for coverage; in your shell: . .covls/aliases.sh
alias cov='covls report'
alias covrun='covls run'
alias covnew='covls run --affected'
alias covcheck='covls check'
alias covhtml='covls html --open'
"""


def propose_vscode(_facts: Facts, draft: Draft) -> None:
    """Have VS Code recommend covls's extension, and use one set of settings for all."""
    name = ".vscode/settings.json"
    try:
        text = draft.text(name) or ""
        there = parsed(text)
        missing = (
            _SETTINGS
            if not isinstance(there, dict)
            else {key: value for key, value in _SETTINGS.items() if key not in there}
        )
        if missing:
            draft.put(name, with_entries(text, missing))
        for key in ("covls.enable", "covls.run.onSave"):
            if key not in missing and isinstance(there, dict) and there[key] != _SETTINGS[key]:
                draft.kept.append(f"{name}: {key} stays {there[key]}.")
        name = ".vscode/extensions.json"
        text = draft.text(name) or ""
        extensions = parsed(text)
        if isinstance(extensions, dict):
            named = [
                *(extensions.get("recommendations") or ()),
                *(extensions.get("unwantedRecommendations") or ()),
            ]
            if _EXTENSION in named:
                return
        draft.put(name, with_string(text, "recommendations", _EXTENSION))
    except CannotEditError as error:
        raise CannotEditError(f"{name} stays as it is, {error}", error.paste) from error


def propose_neovim(_facts: Facts, draft: Draft) -> None:
    """Have Neovim start covls in this project."""
    draft.put_new(".nvim.lua", _NEOVIM)


def propose_aliases(_facts: Facts, draft: Draft) -> None:
    """Give a shell short commands for coverage."""
    draft.put_new(".covls/aliases.sh", _ALIASES)
