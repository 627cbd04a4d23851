"""Where to write `# pragma: no cover`, for exactly the uncovered code of a block to be excluded."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from covls.core.analysis import Analysis
from covls.core.coverage import State
from covls.core.drift import opener
from covls.core.lines import LineRange
from covls.core.marks import Mark, missing_blocks
from covls.core.statements import Text

PRAGMA: Final = "# pragma: no cover"

MOST_PRAGMAS: Final = 8
"""More comments than these in one go are no exclusion of a block any more."""

_CLAUSE: Final = re.compile(
    r"\s*(async\s+def|async\s+for|async\s+with|def|class|if|elif|else|for|while|try|except|finally"
    r"|with|match|case)\b\s*([^\W\d]\w*)?"
)
_DEFINITION: Final = re.compile(r"(?:async\s+def|def|class)$")


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Comments that exclude a block."""

    what: str
    """The block for people: "`def total`", "the `if` in line 3", "lines 3 to 9"."""
    comments: tuple[tuple[int, str], ...]
    """A line, from 1, and the text to put behind its last character that is not blank."""
    statements: frozenset[int]
    """The statements that are to be excluded by that, and no others but decorators'."""
    decorators: frozenset[int]
    """Lines of decorators of what is excluded, which may be excluded with it."""

    def applied(self, lines: Sequence[str]) -> list[str]:
        """The lines with the comments in."""
        found = list(lines)
        for line, comment in self.comments:
            found[line - 1] = found[line - 1].rstrip() + comment
        return found

    def holds(self, before: Analysis, after: Analysis) -> bool:
        """Whether the comments did what they are for: no more, and no less."""
        gone = before.statements - after.statements
        return (
            after.statements <= before.statements
            and self.statements <= gone
            and gone <= self.statements | self.decorators
        )


def pragma_of(exclude: Iterable[str]) -> str | None:
    """The comment by which a configuration excludes lines; None where it has none.

    `exclude` are its regexes. Where they do not take coverage.py's own pragma, a comment is read
    off the regex that looks for one.
    """
    regexes = list(_compiled(exclude))
    for comment in (PRAGMA, *(_sample(regex.pattern) for regex in regexes)):
        if comment.startswith("#") and any(
            regex.search(f"x = 1  {comment}") and not regex.search("x = 1") for regex in regexes
        ):
            return comment
    return None


def block_at(found: Iterable[Mark], first: int, last: int) -> tuple[LineRange, ...]:
    """The uncovered blocks that lines `first` to `last` touch, as far as they are told."""
    return tuple(
        (block.start, block.end)
        for block in missing_blocks(found)
        if block.is_told and block.start <= last and block.end >= first
    )


def exclusion_at(
    text: Text, analysis: Analysis, found: Sequence[Mark], first: int, last: int, comment: str
) -> Exclusion | None:
    """What excludes the uncovered code that lines `first` to `last` touch.

    `analysis` is that of the text, `found` are its marks. The comment comes to the line that heads
    a clause of which all is uncovered, the outermost; else to each statement. None where nothing
    is uncovered, or where it would take more comments than a person would write.
    """
    if not text.lexed:
        return None
    uncovered = {
        line
        for mark in found
        if mark.state is State.MISSING and mark.is_told
        for line in range(mark.start, mark.end + 1)
    }
    clauses = _Clauses(text, analysis.statements, uncovered)
    heads = clauses.heads(block_at(found, first, last) or ((first, last),))
    if not heads or len(heads) > MOST_PRAGMAS:
        return None
    places = {place for head in heads for place in clauses.all_of(head)}
    return Exclusion(
        clauses.words(heads),
        tuple((text.ends[head], f"  {comment}") for head in heads),
        analysis.statements.intersection(text.starts[place] for place in places),
        frozenset(text.starts[place] for head in heads for place in clauses.decorators(head)),
    )


class _Clauses:
    """The statements of a text as clauses within clauses, and which of them did not run."""

    def __init__(self, text: Text, statements: Collection[int], uncovered: Collection[int]) -> None:
        self._text = text
        self._indents = [text.indent(start) for start in text.starts]
        self._counts = [start in statements for start in text.starts]
        self._missed = [start in statements and start in uncovered for start in text.starts]

    def heads(self, blocks: Iterable[LineRange]) -> list[int]:
        """The statements to put comments to, for all that is uncovered in some lines."""
        starts = self._text.starts
        wanted = [
            place
            for first, last in blocks
            for place in range(self._text.first_from(first), len(starts))
            if starts[place] <= last
        ]
        heads: list[int] = []
        for place in wanted:
            if not self._missed[place] and not self._is_uncovered_clause(place):
                continue
            head = self._outermost(place)
            if not heads or head not in self.all_of(heads[-1]):
                heads.append(head)
        # A decorator is excluded with what it decorates.
        return [head for head in heads if not self._is_decorator(head)]

    def _outermost(self, place: int) -> int:
        """The outermost clause around a statement of which nothing in its body ran."""
        while True:
            above = opener(self._text, self._text.starts, place)
            if above < 0 or not self._is_uncovered_clause(above):
                return place
            place = above

    def _is_uncovered_clause(self, place: int) -> bool:
        body = range(place + 1, self._end(place))
        return any(self._missed[inner] for inner in body) and all(
            self._missed[inner] or not self._counts[inner] for inner in body
        )

    def _end(self, place: int) -> int:
        indent = self._indents[place]
        end = place + 1
        while end < len(self._indents) and self._indents[end] > indent:
            end += 1
        return end

    def all_of(self, head: int) -> range:
        """A statement and, if it heads a clause, all that is in it."""
        return range(head, self._end(head))

    def decorators(self, head: int) -> Iterator[int]:
        """The decorators of a function or class."""
        indent = self._indents[head]
        place = head - 1
        while place >= 0 and self._is_decorator(place) and self._indents[place] == indent:
            yield place
            place -= 1

    def _is_decorator(self, place: int) -> bool:
        return self._text.lines[self._text.starts[place] - 1].lstrip().startswith("@")

    def words(self, heads: Sequence[int]) -> str:
        """What is excluded, for people."""
        starts, ends = self._text.starts, self._text.ends
        first, last = starts[heads[0]], ends[self.all_of(heads[-1])[-1]]
        if len(heads) == 1 and len(self.all_of(heads[0])) > 1:
            clause = _CLAUSE.match(self._text.lines[first - 1])
            if clause is not None:
                keyword, name = clause.groups()
                named = name if name and _DEFINITION.match(keyword) else None
                return f"`{keyword} {named}`" if named else f"the `{keyword}` in line {first}"
        return f"line {first}" if first == last else f"lines {first} to {last}"


def _compiled(regexes: Iterable[str]) -> Iterator[re.Pattern[str]]:
    for regex in regexes:
        try:
            yield re.compile(regex)
        except (re.error, RecursionError, OverflowError):
            continue


def _sample(regex: str) -> str:
    """A comment that a simple regex for comments finds, most probably."""
    text = regex[regex.find("#") :] if "#" in regex else ""
    text = re.sub(r"\\[bBAZ]|(?<!\\)[$^]", "", text)
    text = re.sub(r"\\s[+*?]?", " ", text)
    text = re.sub(r"\[[^\]]*\][?*]", "", text)
    text = re.sub(r"\[([^\]])[^\]]*\]", r"\1", text)
    text = re.sub(r"\((?:\?:|\?i:)?([^|()]*)(?:\|[^()]*)?\)\??", r"\1", text)
    text = re.sub(r"(?<!\\)[?*+]", "", text)
    text = re.sub(r"\\(.)", r"\1", text)
    return re.sub(r" +", " ", text).strip()
