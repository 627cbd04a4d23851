"""coverage.py's `[paths]`: measured paths of other machines made into paths of this one.

`PathRules.map` is `coverage.files.PathAliases.map` for a given root instead of the process's
current folder, which coverage.py keeps in globals: one process serves many roots. The tests hold
the two equal by running coverage.py itself in each root.
"""

import ntpath
import os
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: str
    regex: re.Pattern[str]
    result: str


class PathRules:
    """The rules of one root, in the state that coverage.py's are in while it works.

    With relative files coverage.py makes up rules from the paths it meets, so one `PathRules`
    stands for one pass over the data. `problems` names the patterns that are wrong, each of which
    coverage.py would stop at.
    """

    def __init__(
        self, root: Path, paths: Mapping[str, Sequence[str]], *, relative_files: bool
    ) -> None:
        self._root = os.path.realpath(root)
        self._relative = relative_files
        self._rules: list[_Rule] = []
        self._mapped: dict[str, str] = {}
        problems = []
        for name, (result, *patterns) in (
            (name, list(each)) for name, each in paths.items() if each
        ):
            for pattern in patterns:
                try:
                    self._add(pattern, result)
                except ValueError as error:
                    problems.append(f"[paths] {name}: {pattern!r} is left out: {error}")
        self.problems = tuple(problems)

    def _add(self, pattern: str, result: str) -> None:
        from coverage.exceptions import ConfigError
        from coverage.files import globs_to_regex

        original = pattern
        separator = _separator(pattern)
        if len(pattern) > 1:
            pattern = pattern.rstrip(r"\/")
        if pattern.endswith("*"):
            raise ValueError("a pattern must not end with a wildcard")
        if not (self._relative or pattern.startswith("*") or _is_absolute(pattern + separator)):
            pattern = self._canonical(pattern)
        if not pattern.endswith(separator):
            pattern += separator
        try:
            regex = globs_to_regex([pattern], case_insensitive=True, partial=True)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        self._rules.append(_Rule(original, regex, result.rstrip(r"\/") + _separator(result)))

    def map(self, path: str) -> str:
        """The path by the first rule whose result exists, else the path itself."""
        if path not in self._mapped:
            self._mapped[path] = self._map(path)
        return self._mapped[path]

    def _map(self, path: str) -> str:
        for rule in self._rules:
            if found := rule.regex.match(path):
                new = path.replace(found[0], rule.result, 1)
                new = new.replace(_separator(path), _separator(rule.result))
                if not self._relative:
                    new = self._canonical(new)
                dotted = rule.result.startswith(("./", ".\\")) and len(rule.result) > 2
                if new.startswith(("./", ".\\")) and not dotted:
                    new = new[2:]
                if self._exists(new):
                    return new
        if not self._relative:
            return path
        inside = os.path.normcase(os.path.join(self._root, ""))
        if os.path.normcase(path).startswith(inside):
            path = path[len(inside) :]
        if _is_absolute(path):
            return path
        first, *rest = re.split(r"[/\\]", path)
        pattern = f"*/{first}"
        if not rest or any(rule.pattern == pattern for rule in self._rules):
            return path
        regex = re.compile(rf"^(.*[\\/])?{re.escape(first)}[\\/]")
        self._rules.append(_Rule(pattern, regex, f"{first}{os.sep}"))
        return self._map(path)

    def _canonical(self, path: str) -> str:
        return os.path.abspath(os.path.realpath(os.path.join(self._root, path)))

    def _exists(self, path: str) -> bool:
        """Whether there is such a source, perhaps within an archive."""
        full = os.path.join(self._root, path)
        if os.path.exists(full):
            return True
        for extension in (".zip", ".whl", ".egg", ".pex", ".par"):
            archive, found, _ = full.partition(extension + _separator(path))
            if found and os.path.exists(archive + extension):
                return True
        return False


def own_slashes(path: str) -> str:
    """The path with this system's separators, as coverage.py stores it when it combines."""
    return re.sub(r"[/\\]", re.escape(os.sep), path)


def _separator(text: str) -> str:
    """The separator that a path uses, this system's where it has none."""
    found = re.search(r"[\\/]", text)
    return found[0] if found else os.sep


def _is_absolute(path: str) -> bool:
    return ntpath.isabs(path) or posixpath.isabs(path)
