"""coverage.py's configuration: what is measured, what is not, and how it is written."""

import configparser
import os
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from covls.adapters.configuration import left_out_of_measuring
from covls.adapters.presence import is_there
from covls.initial.facts import Facts
from covls.initial.ini_text import with_ini
from covls.initial.plan import Draft
from covls.initial.text_file import CannotEditError
from covls.initial.toml_text import with_toml

EXCLUSIONS: Final = (
    r"if __name__ == .__main__.:",
    r"raise NotImplementedError",
    r"@(abc\.)?abstractmethod",
    r"@(typing\.)?overload",
    r"assert_never\(",
)
"""Code that no test is meant to reach, beside what coverage.py leaves out by itself."""

_NOTES: Final = {
    "run.branch": "Whether both ways out of a condition were taken, too.",
    "run.relative_files": "Paths that mean the same in CI and here.",
    "report.exclude_also": "Code that no test is meant to reach.",
}


def propose_coverage(facts: Facts, draft: Draft) -> None:
    """Have coverage.py measure the project's own code, branches too, and nothing else."""
    name = _file_to_edit(facts)
    text = draft.plain_text(name) or ""
    prefix, sections = _sections(name, text)
    run = sections.get("run", {})
    wanted: dict[str, dict[str, Any]] = {"run": {}, "report": {}, "html": {}}

    def want(section: str, option: str, value: bool | int | str) -> None:
        there = sections.get(section, {}).get(option)
        if there is None:
            wanted[section][option] = value
        elif str(there).lower() not in (_YES if value is True else {str(value).lower()}):
            draft.kept.append(f"{name}: {section}.{option} stays {there} (covls proposes {value}).")

    want("run", "branch", True)
    if not any(run.get(option) for option in ("source", "source_pkgs", "source_dirs", "include")):
        wanted["run"]["source"] = list(facts.source)
    if omitted := _omissions(facts):
        wanted["run"]["omit"] = omitted
    want("run", "relative_files", True)
    want("report", "precision", 1)
    known = facts.configuration.exclude
    if excluded := [exclusion for exclusion in EXCLUSIONS if exclusion not in known]:
        wanted["report"]["exclude_also"] = excluded
    if not sections.get("html", {}).get("title"):
        wanted["html"]["title"] = f"{facts.title}: coverage"
    chosen = {prefix + section: values for section, values in wanted.items() if values}
    if not chosen:
        return
    try:
        if name.endswith(".toml"):
            notes = {prefix + key: note for key, note in _NOTES.items()}
            draft.put(name, with_toml(text, chosen, notes))
        else:
            draft.put(name, with_ini(text, chosen))
    except CannotEditError as error:
        raise CannotEditError(f"{name} stays as it is, {error}", error.paste) from error


# What coverage.py takes for true.
_YES: Final = {"true", "1", "yes", "on"}


def _file_to_edit(facts: Facts) -> str:
    """The file that coverage.py reads here, by its name, or that it would read.

    Raises CannotEditError where it is not the project's own.
    """
    if os.environ.get("COVERAGE_RCFILE"):
        raise CannotEditError("COVERAGE_RCFILE names the configuration, which stays as it is")
    file = facts.configuration.file
    if file is not None:
        return file.name
    root = facts.root
    if is_there(root / "pyproject.toml"):
        return "pyproject.toml"
    # With a pyproject.toml of its own, such a project would be built in another way.
    if is_there(root / "setup.py") or is_there(root / "setup.cfg"):
        return ".coveragerc"
    return "pyproject.toml"


def _sections(name: str, text: str) -> tuple[str, Mapping[str, Mapping[str, Any]]]:
    """What stands before the names of coverage.py's sections, and those that are there."""
    if name.endswith(".toml"):
        try:
            values: Any = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise CannotEditError(f"{name} is no valid TOML ({error}): correct it") from error
        if name != "pyproject.toml" and "tool" not in values:
            return "", values
        inner = values.get("tool", {}).get("coverage", {})
        return "tool.coverage.", inner if isinstance(inner, Mapping) else {}
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        words = str(error).splitlines()[0]
        raise CannotEditError(f"{name} cannot be read ({words}): correct it") from error
    own = [section for section in parser.sections() if section.startswith("coverage:")]
    prefix = "coverage:" if own or name != ".coveragerc" else ""
    found = own if prefix else parser.sections()
    return prefix, {section.removeprefix(prefix): dict(parser[section]) for section in found}


def _omissions(facts: Facts) -> list[str]:
    """The patterns of files that are measured as things are, and need not be."""
    measured = facts.configuration
    if not (measured.source_folders or measured.source_packages or measured.run_include):
        folders = tuple(facts.root / folder for folder in facts.source)
        measured = replace(measured, source_folders=folders)
    return [
        omission.pattern
        for omission in facts.omissions
        if left_out_of_measuring(measured, str(omission.example)) is None
    ]
