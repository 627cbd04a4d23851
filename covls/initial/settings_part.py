"""covls's own settings: what `covls check` asks for."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from covls.adapters.presence import is_there
from covls.core.coverage import NOTHING
from covls.core.settings import Settings
from covls.initial.facts import Facts
from covls.initial.plan import Draft
from covls.initial.text_file import CannotEditError
from covls.initial.toml_text import with_toml
from covls.project import Project

GATES: Final[Mapping[str, float]] = {"total": 75, "patch": 90, "max-drop": 2.0}
"""What is asked for where the project asks for nothing yet, in percent."""

_NOTES: Final = {
    "total": "The least of all code: what the project has now, or what it is to reach.",
    "patch": "The least of what a change touches: here it is cheap to ask for much.",
    "max-drop": "Points that a change may take from the total.",
}


def propose_settings(facts: Facts, draft: Draft) -> None:
    """Have `covls check` ask for coverage of all code, of changes, and for no great drop."""
    name = _file_to_edit(facts, draft)
    prefix = "tool.covls." if name == "pyproject.toml" else ""
    text = draft.plain_text(name) or ""
    try:
        values: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CannotEditError(f"{name} is no valid TOML ({error}): correct it") from error
    for key in [*prefix.split(".")[:-1], "gates"]:
        values = values.get(key, {}) if isinstance(values, Mapping) else {}
    # Settings are taken in three spellings.
    there = {re.sub(r"_|(?=[A-Z])", "-", key).lower(): value for key, value in values.items()}
    for key, value in GATES.items():
        # A total is whatever a project has got to.
        if key != "total" and there.get(key, value) != value:
            draft.kept.append(f"{name}: the gate {key} stays {there[key]}.")
    wanted = {key: value for key, value in GATES.items() if key not in there}
    if "total" in wanted:
        wanted["total"] = _total(facts)
    if not wanted:
        return
    table = f"{prefix}gates"
    notes = {f"{table}.{key}": note for key, note in _NOTES.items()}
    try:
        draft.put(name, with_toml(text, {table: wanted}, notes))
    except CannotEditError as error:
        raise CannotEditError(f"{name} stays as it is, {error}", error.paste) from error


def _total(facts: Facts) -> float:
    """What is asked of all code: coverage.py's own `fail_under`, or no more than there is."""
    if under := facts.configuration.fail_under:
        return int(under) if under == int(under) else under
    recorded = _recorded_total(facts)
    return GATES["total"] if recorded is None else min(GATES["total"], int(recorded))


def _recorded_total(facts: Facts) -> float | None:
    """The total of the data that are there, in percent; None where it would become another.

    Without sources in the configuration files that no test imports are in no figure, and are in
    those that come after it is written.
    """
    configuration = facts.configuration
    if not (configuration.source or configuration.source_packages or configuration.run_include):
        return None
    project = Project(facts.root, Settings())
    try:
        project.load()
        if project.snapshot is None:
            return None
        coverages = project.coverages(project.files_to_report())
        return sum((file.coverage.totals for file in coverages), NOTHING).percent
    finally:
        project.close()


def _file_to_edit(facts: Facts, draft: Draft) -> str:
    if is_there(facts.root / "covls.toml"):
        return "covls.toml"
    if draft.text("pyproject.toml") is not None:
        return "pyproject.toml"
    # With a pyproject.toml of its own, such a project would be built in another way.
    if is_there(facts.root / "setup.py") or is_there(facts.root / "setup.cfg"):
        return "covls.toml"
    return "pyproject.toml"
