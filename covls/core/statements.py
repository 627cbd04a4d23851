"""The statements of a source text, line by line, and when two of them are the same code.

A statement here is what coverage.py counts by: a logical line, from its first token to the line
end that closes it, the header of an `if` or a `def` apart from its body. Finding them takes no
parser, so that one place of a long text can be looked at alone, and a text that does not parse
still has statements. Two are the same if they have the same tokens, or else if Python's parser
makes the same tree of both.
"""

import ast
import keyword
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final


class NotLexedError(Exception):
    """A text ends, or goes wrong, in the middle of a string or a bracket."""


_QUOTED = r"""
    \"\"\" [^"\\]*+ (?: (?: \\. | "(?!"") ) [^"\\]*+ )*+ \"\"\"
  | ''' [^'\\]*+ (?: (?: \\. | '(?!'') ) [^'\\]*+ )*+ '''
  | (?!\"\"\") " [^"\\\n]*+ (?: \\. [^"\\\n]*+ )*+ "
  | (?!''') ' [^'\\\n]*+ (?: \\. [^'\\\n]*+ )*+ '
"""

_NEWLINE, _COMMENT, _STRING, _OPEN, _CLOSE, _JOINED, _CODE, _ = range(1, 9)
_PIECE: Final = re.compile(
    rf"""[ \t\f]*+ (?:
    (\n) | (\#[^\n]*+) | ({_QUOTED}) | ([(\[{{]) | ([)\]}}]) | (\\\n)
  | ([^\n"'\#\\()\[\]{{}}]++) | (.)
)""",
    re.VERBOSE | re.DOTALL,
)
"""What decides where a statement ends, with all else as one piece of code."""

_TOKEN: Final = re.compile(
    rf"""(?:[A-Za-z]{{0,2}}+ (?=["'])) (?:{_QUOTED})
  | (?:[0-9][0-9_]*+(?:\.[0-9_]*+)? | \.[0-9][0-9_]*+) [eE] [+-]? [0-9]\w*+
  | \w++ | \#[^\n]*+ | [^\s\\]""",
    re.VERBOSE | re.DOTALL,
)
"""Operators come as single characters: in code that parses, no two ways of spacing them differ."""

_NEVER_IN_BRACKETS: Final = re.compile(
    r"(?:def|class|return|import|while|try|raise|assert|del|pass|break|continue|global|nonlocal"
    r"|with|except|finally)\b"
)
_KEYWORDS: Final = frozenset((*keyword.kwlist, "case", "match"))
_BEFORE_LIST: Final = _KEYWORDS - {"case", "match", "None", "True", "False"}
_HEADERS: Final = frozenset(
    ("async", "case", "class", "def", "elif", "except", "for", "if", "match", "while", "with")
)
_OBEYED: Final = re.compile(r"pragma|cover", re.IGNORECASE)
_ONLY_STRINGS: Final = re.compile(
    rf"(?: (?: [rRuUbB]{{0,2}}+ (?:{_QUOTED}) | [()] ) [ ]? )+", re.VERBOSE | re.DOTALL
)
_MAY_DIFFER: Final = frozenset("(),.")
_TRAILING: Final = re.compile(r", [)\]}]")
_CAPITAL_IN_NUMBER: Final = re.compile(r"(?<!\S)[0-9]\w*[A-Z]")
_WORD: Final = re.compile(r"\w+")
_ODD_ESCAPE: Final = re.compile(
    r"""(?<!\\)(?:\\\\)*\\(?:[^\n\\'"abfnrtvxNuU0-7]|[4-7][0-7][0-7])"""
)


_HEADER: Final = re.compile(
    r"(?:async|case|class|def|elif|else|except|finally|for|if|try|while|with)\b"
)
_MAY_HAVE_PARTS: Final = re.compile(rf".* ;[ ]|{_HEADER.pattern}.*[ ]:[ ]\S", re.DOTALL)


class Text:
    """A source text by its lines, with what was found out about it: made once, asked often.

    With `python` false, as where a plugin of coverage.py measures templates, every line that is
    not blank is a statement, and the same only as another that has the same characters. A
    statement of which a line is `doubtful` (counted from 1) is the same as none: it is not sure
    that this is what was measured.
    """

    def __init__(
        self,
        lines: Sequence[str],
        *,
        python: bool = True,
        doubtful: frozenset[int] = frozenset(),
    ) -> None:
        self.lines = lines
        self.python = python
        self.doubtful = doubtful
        self._keys: dict[tuple[int, int], str] = {}

    @cached_property
    def _lexed(self) -> tuple[list[int], list[int], bool]:
        if self.python:
            try:
                found = list(logical_lines(self.lines))
            except NotLexedError:
                pass
            else:
                return [start for start, _ in found], [end for _, end in found], True
        # As good as no structure at all: what is unchanged, line by line, is the same.
        whole = [line for line, text in enumerate(self.lines, 1) if text and not text.isspace()]
        return whole, whole, False

    @cached_property
    def by_line(self) -> "Text":
        """The same text, taken line by line."""
        if not self.python:
            return self
        return Text(self.lines, python=False, doubtful=self.doubtful)

    @property
    def starts(self) -> list[int]:
        """The first line of each statement, ascending."""
        return self._lexed[0]

    @property
    def ends(self) -> list[int]:
        """The last line of each statement."""
        return self._lexed[1]

    @property
    def lexed(self) -> bool:
        """Whether the statements are those of Python, not mere lines."""
        return self._lexed[2]

    @cached_property
    def index(self) -> dict[int, int]:
        """Which statement begins on a line."""
        return {start: index for index, start in enumerate(self.starts)}

    @cached_property
    def indents(self) -> list[int]:
        """The column at which each statement begins."""
        return [self.indent(line) for line in self.starts]

    @cached_property
    def parents(self) -> list[int]:
        """The header that each statement is below, -1 at the top."""
        return parents_of(self.indents)

    def first_from(self, line: int) -> int:
        """The first statement that ends on `line` or below."""
        return bisect_left(self.ends, line)

    def source(self, start: int, end: int) -> str:
        """The text of some lines, without the indentation of the first."""
        return "\n".join(self.lines[start - 1 : end]).strip()

    def key(self, start: int, end: int) -> str:
        """What all spellings of a statement by the same tokens have in common."""
        found = self._keys.get((start, end))
        if found is None:
            found = self._keys[start, end] = (
                key_of(self.source(start, end)) if self.python else self.lines[start - 1]
            )
        return found

    def indent(self, line: int) -> int:
        """The column at which a line's text begins, a tab reaching to the next multiple of 8."""
        text = self.lines[line - 1].lstrip("\f").expandtabs(8)
        return len(text) - len(text.lstrip())


def parents_of(indents: Iterable[int]) -> list[int]:
    """The header that each statement is below, -1 at the top, by the columns they begin at."""
    parents: list[int] = []
    above: list[int] = []
    columns: list[int] = []
    for index, indent in enumerate(indents):
        while columns and columns[-1] >= indent:
            above.pop()
            columns.pop()
        parents.append(above[-1] if above else -1)
        above.append(index)
        columns.append(indent)
    return parents


def logical_lines(
    lines: Sequence[str], first: int = 1, stop: Callable[[int], bool] | None = None
) -> Iterator[tuple[int, int]]:
    """First and last line of each statement from line `first` on, as coverage.py has them.

    Ends before a statement whose first line `stop` is true of. Raises NotLexedError where no
    statement can end any more: within a string that is not closed, or where a bracket is open.
    """
    text = "\n".join(lines[first - 1 :] if first > 1 else lines)
    line, start, depth, position = first, 0, 0, 0
    length = len(text)
    while position < length:
        # Another round only where an f-string ends elsewhere than a plain string would.
        for piece in _PIECE.finditer(text, position):
            kind = piece.lastindex
            position = piece.end()
            if kind == _NEWLINE:
                if start and not depth:
                    yield start, line
                    start = 0
                line += 1
                continue
            if kind == _COMMENT:
                continue
            if kind == _JOINED:
                line += 1
                continue
            if not start:
                if stop is not None and stop(line):
                    return
                start = line
            if kind == _OPEN:
                depth += 1
            elif kind == _CLOSE:
                depth -= depth > 0
            elif kind == _CODE:
                if depth and _NEVER_IN_BRACKETS.match(piece[_CODE]):
                    raise NotLexedError
            elif kind == _STRING:
                quoted = piece[_STRING]
                if _odd_braces(quoted):
                    begin = piece.start(_STRING)
                    if _is_formatted(text, begin):
                        position = _formatted_end(text, begin)
                        line += text.count("\n", begin, position)
                        break
                line += quoted.count("\n")
            else:
                raise NotLexedError
        else:
            break
    if depth:
        raise NotLexedError
    if start:
        yield start, line


def _odd_braces(quoted: str) -> bool:
    return "{" in quoted and quoted.count("{") != quoted.count("}")


def _is_formatted(text: str, quote: int) -> bool:
    """Whether the string whose quotes begin at `quote` is an f-string (or a t-string)."""
    prefix = re.search(r"\w*$", text[max(0, quote - 8) : quote])
    return prefix is not None and bool({*prefix[0].lower()} & {"f", "t"})


def _formatted_end(text: str, position: int) -> int:
    """Where the f-string ends whose quotes begin at `position`; quotes may nest within braces."""
    quote = text[position] * 3 if text[position] * 3 == text[position : position + 3] else ""
    quote = quote or text[position]
    position += len(quote)
    while position < len(text):
        char = text[position]
        if text.startswith(quote, position):
            return position + len(quote)
        if char == "\\":
            position += 2
        elif char == "\n" and len(quote) == 1:
            raise NotLexedError
        elif text.startswith(("{{", "}}"), position):
            position += 2
        elif char == "{":
            position = _field_end(text, position + 1)
        else:
            position += 1
    raise NotLexedError


def _field_end(text: str, position: int) -> int:
    """Where the replacement field ends that begins at `position`, behind its brace."""
    depth = 0
    in_format = False
    while position < len(text):
        char = text[position]
        if char == "}" and not depth:
            return position + 1
        if in_format:
            position = _field_end(text, position + 1) if char == "{" else position + 1
        elif char in "\"'":
            position = _nested_end(text, position)
        elif char == "#":
            end = text.find("\n", position)
            position = end if end >= 0 else len(text)
        else:
            depth += (char in "([{") - (char in ")]}")
            in_format = char == ":" and not depth
            position += 1
    raise NotLexedError


def _nested_end(text: str, quote: int) -> int:
    if _is_formatted(text, quote):
        return _formatted_end(text, quote)
    string = _PIECE.match(text, quote)
    if string is None or string.lastindex != _STRING:
        raise NotLexedError
    return string.end()


def _tokens(source: str) -> list[str]:
    """The tokens of a statement."""
    tokens: list[str] = _TOKEN.findall(source)
    if "{" in source and any(map(_may_nest, tokens)):
        return [token for _, token in _placed_tokens(source)]
    return tokens


def _placed_tokens(source: str) -> Iterator[tuple[int, str]]:
    """The tokens of a statement, and where each begins.

    An f-string is one, whatever is in it; one that does not end is all that follows.
    """
    position = 0
    while found := _TOKEN.search(source, position):
        start, position = found.span()
        if _may_nest(found[0]):
            try:
                position = _formatted_end(source, start + _quote(found[0]))
            except NotLexedError:
                position = len(source)
        yield start, source[start:position]


def _quote(token: str) -> int:
    """Where the quotes of a string begin, behind its prefix."""
    return min(place for place in map(token.find, "\"'") if place >= 0)


def _may_nest(token: str) -> bool:
    """Whether a token may be the beginning of an f-string with strings in it."""
    return (
        token[-1] in "\"'"
        and token[0] != "#"
        and _odd_braces(token)
        and not {*token[:2].lower()}.isdisjoint("ft")
    )


def key_of(source: str) -> str:
    """A statement's tokens, in a spelling that they share with others of the same meaning.

    Comments are left out, but for those that tell coverage.py what not to count.
    """
    tokens = _tokens(source)
    if '"' in source or "'" in source:
        for place, token in enumerate(tokens):
            if token[-1] in "\"'" and len(token) > 1 and token[0] != "#":
                tokens[place] = _string_key(token)
    if "#" in source:
        # A kept comment goes to the end of a line, for what follows it is code.
        tokens = [
            _obeyed(token) + "\n" if token[0] == "#" else token
            for token in tokens
            if token[0] != "#" or _OBEYED.search(token)
        ]
    while tokens and tokens[-1] == ";":
        tokens.pop()
    key = " ".join(tokens)
    if _TRAILING.search(key):
        key = " ".join(_without_trailing_commas(tokens))
    if _CAPITAL_IN_NUMBER.search(key):
        key = " ".join(token.lower() if token[0].isdigit() else token for token in tokens)
    return key


def may_have_parts(key: str) -> bool:
    """Whether a statement of this key may be several on one line, as far as is told at once."""
    return _MAY_HAVE_PARTS.match(key) is not None


def is_header(key: str) -> bool:
    """Whether what has this key opens a body, and has nothing of it on its own line."""
    return key.endswith(" :") and _HEADER.match(key) is not None


def parts_of(source: str) -> list[str]:
    """The statements of a logical line: `if a: b; c` is `if a:`, `b` and `c`.

    A header keeps its colon; what is in brackets, and a lambda's colon, parts nothing.
    """
    header = _HEADER.match(source) is not None
    found: list[str] = []
    start = depth = lambdas = 0
    for place, text in _placed_tokens(source):
        if text in ("(", "[", "{"):
            depth += 1
        elif text in (")", "]", "}"):
            depth -= 1
        elif depth:
            continue
        elif text == "lambda":
            lambdas += 1
        elif text == ":" and lambdas:
            lambdas -= 1
        elif text == ";" or (text == ":" and header and source[place + 1 : place + 2] != "="):
            found.append(source[start : place + (text == ":")].strip())
            start, header = place + 1, False
    rest = source[start:].strip()
    if not rest.startswith("#"):
        found += [rest] if rest else []
    elif _OBEYED.search(rest):
        found[-1] = f"{found[-1]}  {rest}"
    return found


def _obeyed(comment: str) -> str:
    """The comments among several on one line that coverage.py may heed."""
    return "#".join(part.strip() for part in comment.split("#") if not part or _OBEYED.search(part))


def _string_key(token: str) -> str:
    """A string as it would be with three quotes, where the quotes are all that can differ."""
    quote = _quote(token)
    size = 3 if len(token) - quote >= 6 and token[quote] * 3 == token[quote : quote + 3] else 1
    body = token[quote + size : len(token) - size]
    if '"' in body or "'" in body:
        return token
    prefix = token[:quote].lower().replace("u", "")
    if "\\" not in body:
        prefix = prefix.replace("r", "")
    return f'{prefix}"""{body}"""'


def _without_trailing_commas(tokens: Sequence[str]) -> list[str]:
    """Leave out commas before closing brackets where they do not make a tuple."""
    found: list[str] = []
    brackets: list[_Bracket] = []
    for piece in tokens:
        if piece in ("(", "[", "{"):
            before = found[-1] if found else ""
            follows_value = before[-1:].isalnum() or before[-1:] in (*"_)]}\"'",)
            if piece == "(":
                # A call's or a definition's brackets, or those around what is imported.
                plain = before == "import" or (follows_value and before not in _KEYWORDS)
            else:
                # A list and no subscript; `match` may be either a keyword or a name.
                plain = piece == "{" or not follows_value or before in _BEFORE_LIST
            brackets.append(_Bracket(plain))
        elif piece in (")", "]", "}"):
            if brackets:
                bracket = brackets.pop()
                tuple_anyway = bracket.commas > 1 and not bracket.has_lambda
                if found[-1] == "," and (bracket.plain or tuple_anyway):
                    found.pop()
        elif brackets and piece == ",":
            brackets[-1].commas += 1
        elif brackets and piece == "lambda":
            brackets[-1].has_lambda = True
        found.append(piece)
    return found


@dataclass(slots=True)
class _Bracket:
    """What is known of an open bracket."""

    plain: bool
    """A comma alone makes no tuple in it."""
    commas: int = 0
    has_lambda: bool = False
    """Some of its commas may stand between a lambda's arguments."""


def runs(key: str) -> bool:
    """Whether a statement of this key is one that coverage.py would count."""
    return not (
        key in ("else :", "finally :")
        or key.startswith(("global ", "nonlocal "))
        or _ONLY_STRINGS.fullmatch(key)
    )


def names_of(key: str) -> str:
    """A key without all that may differ between two ways to write the same code.

    Two statements whose names differ are not the same; those whose names do not may be.
    """
    return " ".join(
        token
        for token in _tokens(key)
        if token not in _MAY_DIFFER
        and not token[:2].strip(".")[:1].isdigit()
        and (_OBEYED.search(token) if token[0] == "#" else token[-1] not in "\"'")
    )


def same_code(source: str, other: str) -> bool:
    """Whether Python's parser makes the same of two statements, each without its indentation.

    Strings that stand alone are the same if their lines are: formatters indent docstrings anew,
    and coverage.py may exclude by what is in them.
    """
    key, other_key = key_of(source), key_of(other)
    if _ONLY_STRINGS.fullmatch(key) and _ONLY_STRINGS.fullmatch(other_key):
        return _lines_of_string(key) == _lines_of_string(other_key)
    tree = _tree(source)
    return tree is not None and _same(tree, _tree(other))


def _lines_of_string(source: str) -> list[str]:
    return [line.strip() for line in source.strip("rRuUbB\"'() \t\n").split("\n")]


def _tree(source: str) -> ast.Module | None:
    """A statement parsed alone, a header with a body of `pass`."""
    found = _WORD.match(source)
    word = found[0] if found else ""
    if word == "elif":
        # That it is no `if` is told by the names.
        source, word = source[2:], "if"
    before = {"except": "try: pass\n", "case": "match _:\n "}.get(word, "")
    if source.startswith("@"):
        spellings = [source + "\ndef _(): pass"]
    elif word == "match":
        spellings = [source + "\n case _: pass", source]
    elif word in _HEADERS:
        spellings = [f"{before}{source}\n  pass", before + source]
    else:
        spellings = [source]
    for token in _tokens(source):
        if "\\" in token and "r" not in token[:2].lower() and _ODD_ESCAPE.search(token):
            # Parsing it would warn whoever listens, on our behalf.
            return None
    for spelling in spellings:
        try:
            return ast.parse(spelling)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _same(one: Any, other: Any) -> bool:
    """Whether two trees are equal, wherever their nodes stand in the text."""
    if type(one) is not type(other):
        return False
    if isinstance(one, ast.Constant):
        # By their spelling, for 0.0 equals -0.0 and 1 equals True; a `u` before quotes is nothing.
        return type(one.value) is type(other.value) and repr(one.value) == repr(other.value)
    if isinstance(one, ast.Delete):
        return _same(_deleted(one), _deleted(other))
    if isinstance(one, ast.AST):
        return all(
            _same(getattr(one, name, None), getattr(other, name, None)) for name in one._fields
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _deleted(statement: ast.Delete) -> list[ast.expr]:
    """What is deleted, be it in brackets or not."""
    if len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Tuple | ast.List):
        return statement.targets[0].elts
    return statement.targets
