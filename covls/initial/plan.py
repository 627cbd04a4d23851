"""Changes of a project's files that are proposed together, each part by itself."""

import codecs
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path
from typing import Final

from covls.initial.facts import Facts
from covls.initial.text_file import CannotEditError, TextFile, read_text_file, write_whole


@dataclass(slots=True)
class Draft:
    """The files of a project as they would be, and what is said of those that stay."""

    root: Path
    files: dict[Path, TextFile] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    """What is left as it is, and why, in sentences."""
    refused: list[str] = field(default_factory=list)
    """What could not be done, why, and what to paste."""

    def text(self, name: str) -> str | None:
        """What a file would hold, by its path from the root; None where there is none.

        Raises CannotEditError.
        """
        path = self.root / name
        if path not in self.files:
            self.files[path] = read_text_file(path, self.root)
        return self.texts.get(path, self.files[path].text)

    def plain_text(self, name: str) -> str | None:
        """The same, of a file whose readers take no byte order mark. Raises CannotEditError."""
        text = self.text(name)
        if self.files[self.root / name].content.startswith(codecs.BOM_UTF8):
            raise CannotEditError(
                f"{name} begins with a byte order mark, and cannot be read: save it without"
            )
        return text

    def put(self, name: str, text: str) -> None:
        """Have a file hold a text. It has been asked for before."""
        self.texts[self.root / name] = text

    def put_new(self, name: str, text: str) -> None:
        """Have a new file hold a text; one that is there is the user's, and stays."""
        there = self.text(name)
        if there is None:
            self.put(name, text)
        elif there != text:
            self.kept.append(f"{name} is there, and stays as it is.")


AT_THE_TOP: Final = frozenset({"pre-commit", "github", "codecov", "gitlab"})
"""Parts whose files stand in the folder of the repository, or nobody reads them."""

Part = Callable[[Facts, Draft], None]


@dataclass(frozen=True, slots=True)
class Change:
    """A file that is to be written."""

    file: TextFile
    text: str

    @property
    def path(self) -> Path:
        return self.file.path

    def diff(self, root: Path) -> list[str]:
        """Lines of a unified diff, without their ends."""
        name = Path(os.path.relpath(self.path, root)).as_posix()
        before = self.file.text
        old = [] if before is None else before.splitlines()
        first = "/dev/null" if before is None else f"a/{name}"
        return list(unified_diff(old, self.text.splitlines(), first, f"b/{name}", lineterm=""))

    def write(self) -> None:
        """Write it. Raises CannotEditError."""
        there = None if self.file.text is None else self.file.content
        write_whole(self.path, self.file.edited(self.text), there)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is proposed, and what is said with it."""

    changes: tuple[Change, ...]
    kept: tuple[str, ...]
    refused: tuple[str, ...]


def make_plan(facts: Facts, parts: Mapping[str, Part], names: Iterable[str]) -> Plan:
    """Return what the parts named would change, in the order of `parts`."""
    draft = Draft(facts.root)
    wanted = set(names)
    for name, part in parts.items():
        if name not in wanted:
            continue
        before = dict(draft.texts)
        if name in AT_THE_TOP and facts.top != facts.root:
            draft.kept.append(
                f"{name}: it is read in the repository's own folder, {facts.top}, and not here."
            )
            continue
        try:
            part(facts, draft)
        except CannotEditError as error:
            # A part is whole or not at all.
            draft.texts = before
            words = f"{name}: {error}."
            draft.refused.append(f"{words} To paste:\n{error.paste}" if error.paste else words)
    changes = tuple(
        Change(draft.files[path], text)
        for path, text in draft.texts.items()
        if text != draft.files[path].text
    )
    return Plan(changes, tuple(dict.fromkeys(draft.kept)), tuple(draft.refused))
