"""Say what could run in source texts, as coverage.py would, over stdin and stdout.

covls starts this file by its path in an interpreter that may be the project's own, with an older
Python and an older coverage.py than covls's: nothing but the standard library and coverage.py may
be imported here. This is also the one place that uses coverage.py's undocumented parser; the
tests compare it with coverage.py's reports, and fail when a new version moves something.

Every message, in both directions, is a line of JSON, ended by a newline, then as many bytes as
its "size" says:

    {"do": "start", "exclude": [regex…], "partial": [regex…]}  →  {"python", "coverage", "pid"}
    {"do": "analyse", "path", "tracer", "seconds", "size"} source  →  {"size"} analysis
    {"do": "configuration"}  →  {"size"} settings

An answer is {"error": words, "line": line or null} where there is nothing to say instead. The
shape of an analysis is documented at `covls.core.analysis.analysis_from_json`; the settings are
the attributes of coverage.py's configuration under their own names. After "seconds" the operating
system ends this process, whatever a regular expression of the user's is busy with: nobody else
could if covls itself was killed.

With --plugins, file-tracer and configurer plugins of the project in the current directory are
imported and asked. Without it, nothing is imported from there and no configuration is read.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import gc
import importlib.util
import io
import json
import os
import re
import signal
import sys
import token
import tokenize
import warnings
from typing import (
    TYPE_CHECKING,
    Any,
    BinaryIO,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
)

if TYPE_CHECKING:
    from coverage.plugin import CodeRegion, FileReporter

    Arc = Tuple[int, int]

OLDEST_COVERAGE = (7, 2)

# The versions of coverage.py whose parser was read, and looks at no other tokens than those that
# `statement_tokens` yields. Any other version is given all tokens.
TOKENS_KNOWN = ((7, 8), (7, 17))

# The bits of a line's character, as covls.core.analysis reads them.
STATEMENT, EXECUTABLE, EXCLUDED, NO_BRANCH = 1, 2, 4, 8

# Syntax trees hold no cycles, so that collecting garbage finds next to nothing while it costs a
# fifth of the time. What little there is, is collected after so many files.
FILES_BETWEEN_COLLECTIONS = 50


class UnanalysableError(Exception):
    """The text cannot be analysed: why, and on which line."""

    def __init__(self, reason: str, line: Optional[int] = None) -> None:
        super().__init__(reason)
        self.line = line


def source_text(source: bytes) -> str:
    """Decode a file's bytes as coverage.py's `get_python_source` does."""
    from coverage.phystokens import source_encoding

    source = source.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\f", b" ")
    try:
        text = source.decode(source_encoding(source), "replace")
    except SyntaxError as error:
        raise UnanalysableError(str(error.msg), 1) from error
    if text and text[-1] != "\n":
        text += "\n"
    return text


Token = Tuple[int, str, Tuple[int, int], Tuple[int, int], str]

# The interpreter's tokenizer copies the whole line for every token.
LONGEST_LINE = 10_000

OPENING = frozenset((token.LPAR, token.LSQB, token.LBRACE))
CLOSING = frozenset((token.RPAR, token.RSQB, token.RBRACE))


def interpreters_tokens(text: str) -> Iterator[Token]:
    """Yield a text's tokens from the interpreter's own tokenizer; raise SyntaxError as it does.

    Comments and empty lines are left out, and operators have types of their own.
    """
    import _tokenize  # type: ignore[import-not-found]

    if sys.version_info < (3, 12):
        for words, kind, first, last, _, _, _ in _tokenize.TokenizerIter(text):
            yield kind, words, (first, 0), (last, 0), ""
    else:
        yield from _tokenize.TokenizerIter(io.StringIO(text).readline, extra_tokens=False)


def statement_tokens(text: str) -> Iterable[Token]:
    """Return those tokens of a text that coverage.py's parser makes something of.

    It looks at indents, dedents and line ends, at the first token of each statement, and at the
    colons outside of brackets. The interpreter's own tokenizer finds these several times faster
    than the `tokenize` module, and the parser has far fewer to walk through. Where it does not
    like a text, the module is left to say so in the way that coverage.py knows.
    """
    if max(map(len, text.split("\n"))) > LONGEST_LINE:
        return tokenize.generate_tokens(io.StringIO(text).readline)
    kept: List[Token] = []
    nesting = 0
    first = True
    try:
        for found in interpreters_tokens(text):
            kind = found[0]
            if kind == token.NEWLINE or kind == token.INDENT or kind == token.DEDENT:
                # The text must be white space to the parser; it can be a comment at a line's end.
                kept.append((kind, "", found[2], found[3], ""))
                if kind == token.NEWLINE:
                    first = True
            elif kind == token.COLON:
                if nesting == 0:
                    first = False
                    kept.append((token.OP, ":", found[2], found[3], ""))
            elif kind != token.ENDMARKER:
                if first:
                    first = False
                    # The parser counts brackets. The colons within are gone, so that it must not
                    # see the brackets either, also where one is the first token.
                    kept.append((token.NAME, found[1], found[2], found[3], ""))
                if kind in OPENING:
                    nesting += 1
                elif kind in CLOSING:
                    nesting -= 1
    except SyntaxError:
        return tokenize.generate_tokens(io.StringIO(text).readline)
    return kept


def use_statement_tokens() -> bool:
    """Let coverage.py's parser see statement tokens only, if both sides are known; say if so."""
    import coverage
    import coverage.parser

    oldest, newest = TOKENS_KNOWN
    if (
        (3, 11) <= sys.version_info < (3, 15)
        and sys.implementation.name == "cpython"
        and oldest <= coverage.version_info[:2] <= newest
    ):
        coverage.parser.generate_tokens = statement_tokens  # type: ignore[attr-defined]
        return True
    return False


# What a text must have one of, for one of coverage.py's default regexes to find anything in it. To
# look for a word is much faster than to search by regex, and most texts have none of them.
NEEDED = {
    r"#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(cover|COVER)": ("cover", "COVER"),
    r"^\s*(((async )?def .*?)?[\])]+(\s*->.*?)?:\s*)?\.\.\.\s*(#|$)": ("...",),
    r"^\s*if (typing\.)?TYPE_CHECKING:": ("TYPE_CHECKING:",),
    r"#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(branch|BRANCH)": ("branch", "BRANCH"),
    r"^\s*while (True|1|False|0):": ("while True:", "while 1:", "while False:", "while 0:"),
    r"^\s*if (True|1|False|0):": ("if True:", "if 1:", "if False:", "if 0:"),
}
NOTHING = "(?!)"
REFERENCE = re.compile(r"\\[1-9]|\(\?P=|\(\?\(")


class Rules:
    """The regexes by which lines are excluded, and excused from branches."""

    def __init__(self, exclude: Sequence[str], partial: Sequence[str]) -> None:
        from coverage.misc import join_regex

        for regex in (*exclude, *partial):
            try:
                re.compile(regex)
            except (re.error, RecursionError, OverflowError) as error:
                raise UnanalysableError(
                    "the configuration's {!r} is no regular expression: {}".format(regex, error)
                ) from error
        self._join = join_regex
        self._exclude = exclude
        self._partial = partial
        # A reference to a group counts the groups of the regexes before it, which must stay then.
        self._some_are_idle = not any(REFERENCE.search(regex) for regex in (*exclude, *partial))

    def exclude(self, text: str) -> str | None:
        """Return one regex that finds in this text what all that exclude lines find, if any."""
        return self._at_work(self._exclude, text)

    def partial(self, text: str) -> str | None:
        """Return one regex that finds in this text what all that excuse from branches find."""
        return self._at_work(self._partial, text)

    def _at_work(self, regexes: Sequence[str], text: str) -> str | None:
        """Join the regexes, with one that finds nothing in the place of those that are idle."""
        if self._some_are_idle:
            regexes = [
                regex if any(word in text for word in NEEDED.get(regex, ("",))) else NOTHING
                for regex in regexes
            ]
            if regexes and set(regexes) == {NOTHING}:
                return None
        return self._join(regexes)


def analyse_python(source: bytes, path: str, rules: Rules) -> Dict[str, Any]:
    """Analyse Python source as `PythonFileReporter` would if it stood at `path`."""
    from coverage.exceptions import NotPython
    from coverage.parser import PythonParser

    text = source_text(source)
    try:
        parser = PythonParser(text=text, filename=path, exclude=rules.exclude(text))
        parser.parse_source()
        # The parser lets go of the tree once it knows the arcs.
        tree = getattr(parser, "_ast_root", None)
        arcs = parser.arcs()
        exits = parser.exit_counts()
        partial = rules.partial(text)
        no_branch = set() if partial is None else parser.lines_matching(partial)
    except NotPython as error:
        cause = error.__cause__
        line = getattr(cause, "lineno", None)
        if line is None and isinstance(cause, tokenize.TokenError):
            line = cause.args[1][0]
        raise UnanalysableError(
            str(cause.args[0] if cause and cause.args else error), line
        ) from error
    except RecursionError as error:
        raise UnanalysableError("it is nested too deeply for this Python") from error
    except MemoryError as error:
        raise UnanalysableError("it is too large or nested too deeply for this Python") from error
    except (ValueError, OverflowError) as error:
        # Null bytes, surrogates and the like: older Pythons say so by ValueError.
        raise UnanalysableError(str(error)) from error

    # Before 7.6 the attribute had another name, and there were neither fixers nor regions.
    multiline = getattr(parser, "multiline_map", None)
    if multiline is None:
        multiline = parser._multiline  # type: ignore[attr-defined]
    branches = branches_of(arcs, exits)
    fixers: List[int] = []
    for (start, end), fixed in fixers_of(getattr(parser, "_with_jump_fixers", {})).items():
        if start in branches:
            fixers += (start, end, *(fixed or (0, 0)))
    return as_json(
        statements=parser.statements,
        excluded=parser.excluded,
        no_branch=no_branch,
        # Running an empty file is recorded as its first line, or as the one before.
        executable=parser.raw_statements or {0, 1},
        branches=branches,
        words=parser.missing_arc_description,
        regions=python_regions(tree or ast.parse(text)),
        count=len(text.splitlines()),
        spans=[line for span in spans_of(multiline).items() for line in span],
        # Older versions let a module's first line stand for its first statement.
        moved=[n for line, first in multiline.items() if line < first for n in (line, first)],
        fixers=fixers,
    )


def fixers_of(fixers: Mapping[Arc, Any]) -> Dict[Arc, Optional[Arc]]:
    """Return what becomes of each arc that is a jump out of a `with` block, or on from its start.

    Before 7.17 coverage.py followed such jumps from block to block while it fixed arcs: it kept,
    for a jump to the start of a block, the jump on from there and the one to put in their place.
    The jumps on from the starts are no possible arcs then, so that nothing is to be said of them.
    """
    found: Dict[Arc, Optional[Arc]] = {}
    for arc, fixed in fixers.items():
        if fixed and isinstance(fixed[0], tuple):
            onward, instead = fixed
            while onward in fixers:
                onward, instead = fixers[onward]
            fixed = (arc[0], instead[1])
        found[arc] = fixed
    return found


def spans_of(multiline: Mapping[int, int]) -> Dict[int, int]:
    """Turn lines' first lines, ascending within a statement, into statements' last lines."""
    return {first: line for line, first in multiline.items() if line > first}


def python_regions(tree: Any) -> Iterable[CodeRegion]:
    """Return the functions and classes in a syntax tree; none before coverage.py 7.6."""
    try:
        from coverage.regions import RegionFinder
    except ImportError:
        return []
    finder = RegionFinder()
    try:
        finder.handle_node(tree)
    except RecursionError as error:
        raise UnanalysableError("it is nested too deeply for this Python") from error
    return finder.regions


def branches_of(arcs: Iterable[Arc], exits: Mapping[int, int]) -> Dict[int, List[int]]:
    """Return the possible destinations from each line that has several, all ascending."""
    branches: Dict[int, List[int]] = {
        line: [] for line in sorted(line for line, count in exits.items() if count > 1)
    }
    for start, end in arcs:
        if start in branches:
            branches[start].append(end)
    for ends in branches.values():
        ends.sort()
    return branches


def as_json(
    *,
    statements: Set[int],
    excluded: Set[int],
    no_branch: Set[int],
    executable: Set[int],
    branches: Mapping[int, Sequence[int]],
    words: Callable[[int, int], str],
    regions: Iterable[CodeRegion],
    count: int,
    spans: Sequence[int] = (),
    moved: Sequence[int] = (),
    fixers: Sequence[int] = (),
) -> Dict[str, Any]:
    """Put an analysis in the shape that `covls.core.analysis.analysis_from_json` reads."""
    sets = (
        (STATEMENT, statements),
        (EXECUTABLE, executable),
        (EXCLUDED, excluded),
        (NO_BRANCH, no_branch),
    )
    lines = bytearray(b"@" * (1 + max((line for _, found in sets for line in found), default=0)))
    for bit, found in sets:
        for line in found:
            lines[line] |= bit

    twos: List[int] = []
    more: List[int] = []
    for line, ends in branches.items():
        if len(ends) == 2:
            twos += (line, *ends)
        else:
            more += (line, len(ends), *ends)
    templates: Dict[str, int] = {}
    chosen = []
    for two in (True, False):
        for line, ends in branches.items():
            if (len(ends) == 2) is two:
                for end in ends:
                    template = template_of(words(line, end), line, end)
                    chosen.append(templates.setdefault(template, len(templates)))

    names = []
    numbers: List[int] = []
    for region in regions:
        ranges = ranges_of(region.lines)
        names.append(region.kind + "\t" + region.name)
        numbers += (region.start, len(ranges) // 2, *ranges)

    return {
        "lines": lines.decode("ascii"),
        "count": count,
        "spans": spans,
        "moved": moved,
        "twos": twos,
        "more": more,
        "fixers": fixers,
        "later": compact([list(templates), chosen, "\n".join(names), numbers]),
    }


NUMBER = re.compile(r"\d+")


def template_of(words: str, start: int, end: int) -> str:
    """Replace an arc's ends in what is said of it, so that many arcs share their words."""
    places = {str(end): "{end}", str(start): "{start}"}
    template = NUMBER.sub(lambda number: places.get(number.group(), number.group()), words)
    again = template.replace("{start}", str(start)).replace("{end}", str(end))
    return template if again == words else words


def ranges_of(lines: Iterable[int]) -> List[int]:
    """Return the first and last lines of runs of lines, one after the other."""
    found: List[int] = []
    last = None
    for line in sorted(lines):
        if last is None or line != last + 1:
            if last is not None:
                found.append(last)
            found.append(line)
        last = line
    if last is not None:
        found.append(last)
    return found


class Workspace:
    """The project's own configuration and plugins, imported and asked."""

    def __init__(self) -> None:
        from coverage import Coverage

        # As the `coverage` command has it.
        sys.path.insert(0, "")
        self.coverage = Coverage(data_file=None, messages=False)
        self.coverage._init()

    def settings(self) -> Dict[str, Any]:
        """Return the attributes of the configuration that can be said in JSON."""
        found = {}
        for name, value in vars(self.coverage.config).items():
            try:
                json.dumps(value)
            except (TypeError, ValueError):
                continue
            found[name] = value
        return found

    def analyse(self, source: bytes, path: str, tracer: str) -> Optional[Dict[str, Any]]:
        """Ask a plugin about a file of its own; None where it says that this is Python."""
        from coverage.exceptions import CoverageException

        plugin = self.coverage._plugins.names.get(tracer)
        if plugin is None:
            raise UnanalysableError(
                "it was measured by the plugin {!r}, which the configuration does not name".format(
                    tracer
                )
            )
        # Plugins read the file themselves.
        with open(path, "rb") as file:
            if file.read() != source:
                raise UnanalysableError(
                    "the plugin {!r} can only analyse what is saved, and there are changes".format(
                        tracer
                    )
                )
        try:
            reporter = plugin.file_reporter(self.coverage._file_mapper(path))
            if isinstance(reporter, str):
                return None
            if reporter is None:
                raise UnanalysableError("the plugin {!r} knows nothing of it".format(tracer))
            return reporters_analysis(reporter)
        except CoverageException as error:
            raise UnanalysableError("the plugin {!r} says: {}".format(tracer, error)) from error


def reporters_analysis(reporter: FileReporter) -> Dict[str, Any]:
    """Put into numbers what a plugin answers about one file.

    How it translates lines is asked line by line. How it translates arcs cannot be asked for all
    that may come: their ends are taken to translate as lines do.
    """
    statements = set(reporter.lines())
    excluded = set(reporter.excluded_lines())
    no_branch = set(reporter.no_branch_lines())
    count = len(reporter.source().splitlines())
    moved: List[int] = []
    for line in range(1, max((count, *statements)) + 1):
        for first in reporter.translate_lines([line]):
            if first != line:
                moved += (line, first)
    return as_json(
        statements=statements,
        excluded=excluded,
        no_branch=no_branch,
        executable=statements | excluded | set(moved[::2]),
        branches=branches_of(reporter.arcs(), reporter.exit_counts()),
        words=reporter.missing_arc_description,
        regions=reporter.code_regions(),
        count=count,
        moved=moved,
    )


def compact(value: Any) -> str:
    """Write JSON without spaces, in ASCII."""
    return json.dumps(value, separators=(",", ":"))


class Worker:
    """Answers requests until there are no more."""

    def __init__(
        self, requests: BinaryIO, answers: BinaryIO, coverage_from: Optional[str], plugins: bool
    ) -> None:
        self.requests = requests
        self.answers = answers
        self.coverage_from = coverage_from
        self.plugins = plugins
        self.workspace: Optional[Workspace] = None
        self.rules: Optional[Rules] = None
        self.files = 0

    def serve(self) -> None:
        """Answer requests until the other side closes."""
        while True:
            line = self.requests.readline()
            if not line:
                return
            request = json.loads(line)
            body = self.requests.read(request.get("size", 0))
            try:
                header, answer = self.answer(request, body)
            except UnanalysableError as error:
                header, answer = {"error": str(error), "line": error.line}, b""
            except Exception as error:  # noqa: BLE001
                # A plugin, or coverage.py itself, failed on this file; others may do well.
                words = "{}: {}".format(type(error).__name__, error)
                header, answer = {"error": words, "line": None}, b""
            self.answers.write(compact({**header, "size": len(answer)}).encode() + b"\n" + answer)
            self.answers.flush()

    def answer(self, request: Dict[str, Any], body: bytes) -> Tuple[Dict[str, Any], bytes]:
        """Do what one request asks; raise UnanalysableError where it cannot be done."""
        if request["do"] == "start":
            header = self.start(request)
            return header, b""
        if request["do"] == "configuration":
            return {}, compact(self.asked_workspace().settings()).encode()
        found = None
        with time_limit(request.get("seconds", 0)):
            if request["tracer"]:
                found = self.asked_workspace().analyse(body, request["path"], request["tracer"])
            if found is None:
                assert self.rules is not None, "start comes first"
                found = analyse_python(body, request["path"], self.rules)
        self.files += 1
        if self.files % FILES_BETWEEN_COLLECTIONS == 0:
            gc.collect()
        return {}, compact(found).encode()

    def start(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """Get ready, and say what with."""
        try:
            if self.coverage_from:
                import_coverage_from(self.coverage_from)
            import coverage
        except ImportError as error:
            raise UnanalysableError(
                "{} cannot import coverage.py: {}".format(sys.executable, error)
            ) from error
        if coverage.version_info[:2] < OLDEST_COVERAGE:
            raise UnanalysableError(
                "{} has coverage.py {}, and covls needs {}.{} or newer".format(
                    sys.executable, coverage.__version__, *OLDEST_COVERAGE
                )
            )
        self.rules = Rules(request["exclude"], request["partial"])
        use_statement_tokens()
        # Import what the first file needs while nobody waits for it.
        analyse_python(b"if x:\n    pass\n", "", self.rules)
        gc.collect()
        gc.freeze()
        return {
            "python": sys.version,
            "coverage": coverage.__version__,
            "pid": os.getpid(),
        }

    def asked_workspace(self) -> Workspace:
        if not self.plugins:
            raise UnanalysableError(
                "only a plugin of the project's can analyse it, and plugins run in trusted "
                "workspaces only"
            )
        if self.workspace is None:
            self.workspace = Workspace()
        return self.workspace


def import_coverage_from(folder: str) -> None:
    """Import the coverage.py in a folder, and nothing else that is there."""
    package = os.path.join(folder, "coverage")
    spec = importlib.util.spec_from_file_location(
        "coverage", os.path.join(package, "__init__.py"), submodule_search_locations=[package]
    )
    if spec is None or spec.loader is None:
        raise ImportError("there is none in {}".format(folder))
    module = sys.modules["coverage"] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except OSError as error:
        raise ImportError(str(error)) from error


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Let the operating system end this process after so many seconds, where it can; 0: never."""
    if not seconds or not hasattr(signal, "setitimer"):
        yield
        return
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def own_pipes() -> Tuple[BinaryIO, BinaryIO]:
    """Take stdin and stdout for the protocol alone: prints go to stderr, and reads find nothing."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, answers


def main() -> int:
    """Serve until stdin ends; 130 on an interrupt, as shells have it."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--coverage-from", metavar="FOLDER")
    arguments.add_argument("--plugins", action="store_true")
    options = arguments.parse_args()
    # Python puts this file's folder first, or with -I nothing.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry and os.path.abspath(entry) != here]
    # The sources' SyntaxWarnings are no news, and must not be made errors.
    warnings.simplefilter("ignore")
    gc.disable()
    requests, answers = own_pipes()
    try:
        Worker(requests, answers, options.coverage_from, options.plugins).serve()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever asked is gone. What is left in the buffer must not be tried again at exit.
        os.dup2(2, answers.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
