"""What to test next: uncovered code ranked by what testing it would bring, with the reasons.

The score of a block of uncovered code is

    missed × (1 + complexity / 20) × (1 + commits / 20) × weight

where `missed` is the number of its statements that no test runs and of its branches that none
takes, those that the patch touches counted three times, and those that only another platform runs
a quarter; `complexity` is that of its function and
`commits` how many changed its file in the last year, both of them up to 20. A function's score is
the sum of its blocks', a file's that of its functions and of what is outside of them. Of a module
that no test imports, what is outside of functions is no row beside them.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from covls.core.coverage import FileCoverage
from covls.core.gates import is_below
from covls.core.lines import Arc, LineRange
from covls.core.platforms import OtherPlatforms
from covls.core.report import counted, escape_markdown, printable
from covls.core.settings import PriorityRule

Level = Literal["file", "function", "block"]

PATCH: Final = 3
"""What a missed statement or branch counts that the patch touches."""

ELSEWHERE: Final = 0.25
"""What one counts that only another platform runs: no test can reach it here."""

MOST: Final = 20
"""Complexity and commits count up to this; each doubles the score there."""


@dataclass(frozen=True, slots=True)
class Factors:
    """What a score is made of. Those of several blocks add up to those of their function."""

    statements: int = 0
    """That no test runs."""
    branches: int = 0
    """That no test takes."""
    in_patch: int = 0
    """Of both, those that the patch touches."""
    elsewhere: int = 0
    """Of both, those that only another platform runs."""
    complexity: int | None = None
    """Of the function, or the most of several; None where there is none, or it is not known."""
    commits: int | None = None
    """That changed the file in the last year; None where that is not known."""
    weight: float = 1.0

    @property
    def missed(self) -> int:
        """Statements and branches."""
        return self.statements + self.branches

    @property
    def score(self) -> float:
        """What testing it would bring."""
        missed = self.missed + (PATCH - 1) * self.in_patch - (1 - ELSEWHERE) * self.elsewhere
        return missed * _grows(self.complexity) * _grows(self.commits) * self.weight

    def __add__(self, other: "Factors") -> "Factors":
        return replace(
            self,
            statements=self.statements + other.statements,
            branches=self.branches + other.branches,
            in_patch=self.in_patch + other.in_patch,
            elsewhere=self.elsewhere + other.elsewhere,
            complexity=max(
                (each for each in (self.complexity, other.complexity) if each is not None),
                default=None,
            ),
        )


def _grows(number: int | None) -> float:
    return 1 + min(number or 0, MOST) / MOST


@dataclass(frozen=True, slots=True)
class Function:
    """A function, or all that is in none, as it is in the current text."""

    name: str
    """"" for what is in none."""
    start: int
    """The line of its `def`; 1 for what is in none."""
    end: int
    statements: int
    """How many it has."""
    called: bool
    """Whether any test runs any of it."""
    measured: int = 0
    """The line of its `def` in the measured text."""
    complexity: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Uncovered code without anything covered within, on lines of the current text."""

    function: Function
    start: int
    end: int
    statements: int
    branches: int
    in_patch: int
    measured: tuple[int, ...]
    """The measured lines of its statements that did not run, or of the branch line."""
    words: tuple[str, ...] = ()
    """What is said of branches that lead from what ran."""
    elsewhere: int = 0
    """How many of its statements and branches only another platform runs."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file, and what is known of it beside its coverage."""

    name: str
    """Relative to the root, with slashes."""
    path: str
    blocks: tuple[Block, ...]
    commits: int | None = None
    stale: bool = False
    """Whether it may not be the text that was measured."""
    imported: bool = True
    """Whether any of it ran."""
    statements: int = 0
    """How many it has."""

    def looked_at(self, complexity: Mapping[int, int], others: OtherPlatforms) -> "Source":
        """The same with what its measured text says: how complex the functions are, by the line of
        their `def`, and what other platforms run.
        """
        functions = {
            block.function: replace(
                block.function, complexity=complexity.get(block.function.measured)
            )
            for block in self.blocks
        }
        blocks = (
            replace(
                block,
                function=functions[block.function],
                elsewhere=_elsewhere(block, others),
            )
            for block in self.blocks
        )
        return replace(self, blocks=tuple(blocks))


@dataclass(frozen=True, slots=True)
class Action:
    """What to do about it."""

    words: str
    """One sentence."""
    file: str = ""
    """The test file, relative to the root; "" where none could be found."""
    path: str = ""
    exists: bool = False
    test: str | None = None
    """The test that comes nearest, as the runner names it."""
    command: tuple[str, ...] = ()
    """What to run then, word by word."""


@dataclass(frozen=True, slots=True)
class Priority:
    """One row of the ranking."""

    level: Level
    file: str
    path: str
    name: str
    """The function's; "" for a file, and for what is in no function."""
    start: int
    end: int
    lines: tuple[LineRange, ...]
    """Where in the current text something is missing."""
    measured: tuple[int, ...]
    """The same as lines of the measured text."""
    factors: Factors
    score: float
    reasons: tuple[str, ...]
    advice: str = ""
    stale: bool = False
    partial: bool = False
    """Whether some of it ran: what is missing is a way through it, and not all of it."""
    action: Action | None = None

    @property
    def first(self) -> int:
        """The first line that is missing."""
        return self.lines[0][0] if self.lines else self.start

    @property
    def title(self) -> str:
        """What it is, for people: `Cart.total`, `lines 12-14 of Cart.total`, `module level`."""
        if self.level == "file":
            return self.file
        # Of two of one name the later has its line behind it, which stands there anyway.
        name = self.name.partition("@")[0] or "module level"
        if self.level == "function":
            return name
        return f"{lines_words(self.lines)} of {name}" if self.name else lines_words(self.lines)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The first rows, and what is to be known of all."""

    level: Level
    rows: tuple[Priority, ...] = ()
    total: int = 0
    """How many there are in all."""
    notes: tuple[str, ...] = field(default_factory=tuple)
    """Sentences: what could not be told, and what was left out."""


def find_blocks(
    coverage: FileCoverage,
    where: Mapping[int, LineRange],
    places: Mapping[int, LineRange],
    patch: Sequence[LineRange] | None = None,
    words: Mapping[Arc, str] | None = None,
    *,
    only_patch: bool = False,
) -> tuple[Block, ...]:
    """The uncovered blocks of a file, by line.

    `where` says of missing statements and of lines with missing branches, by measured line, on
    which lines of the current text they are; of those that are not in it nothing is known any
    more. `places` says the same of functions, by the measured line of their `def`. `patch` are
    current lines, `words` what is said there of measured branches (None: what the analysis says).
    """
    found: list[Block] = []
    functions, owner = _functions(coverage, places)
    missing, branches = coverage.missing, coverage.missing_branches
    told = coverage.analysis.words if words is None else words
    leading, own_branches = _branches_by_block(coverage, where, owner, told)

    def touched(line: int) -> bool:
        return patch is not None and _overlaps(patch, where[line])

    def add(lines: Sequence[int]) -> None:
        first, last = lines[0], lines[-1]
        count = n_branches = in_patch = 0
        for line in lines:
            more = len(branches.get(line, ())) + len(leading.get(line, ()))
            if touched(line):
                in_patch += 1 + more
            elif only_patch:
                continue
            count += 1
            n_branches += more
        if count:
            led = tuple(word for line in lines for word in leading.get(line, ()))
            span = where[first][0], where[last][1]
            function = functions[owner.get(first, -1)]
            found.append(Block(function, *span, count, n_branches, in_patch, tuple(lines), led))

    together: list[int] = []
    for line in sorted(coverage.statements):
        belongs = line in missing and line in where
        if together and (not belongs or owner.get(line, -1) != owner.get(together[0], -1)):
            add(together)
            together = []
        if belongs:
            together.append(line)
    if together:
        add(together)
    for line, said in own_branches.items():
        in_patch = len(said) if touched(line) else 0
        if in_patch or not only_patch:
            function = functions[owner.get(line, -1)]
            found.append(
                Block(function, *where[line], 0, len(said), in_patch, (line,), tuple(said))
            )
    return tuple(sorted(found, key=lambda block: (block.start, block.end)))


def _functions(
    coverage: FileCoverage, places: Mapping[int, LineRange]
) -> tuple[dict[int, Function], dict[int, int]]:
    """The functions by the measured line of their `def`, and which each line is in; -1: none."""
    owner: dict[int, int] = {}
    functions: dict[int, Function] = {}
    for name, region, inner in coverage.named_regions:
        if region.kind != "function" or region.start not in places:
            continue
        start, end = places[region.start]
        functions[region.start] = Function(
            name,
            start,
            end,
            len(inner.statements),
            bool(inner.executed),
            region.start,
        )
        owner.update(dict.fromkeys(inner.statements, region.start))
    outside = coverage.statements.difference(owner)
    ran = not outside.isdisjoint(coverage.executed)
    functions[-1] = Function("", 1, 1, len(outside), ran)
    return functions, owner


def _branches_by_block(
    coverage: FileCoverage,
    where: Mapping[int, LineRange],
    owner: Mapping[int, int],
    told: Mapping[Arc, str],
) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """The words of branches never taken from lines that ran: by the missing line that they lead
    to, and by their own line where what they lead to ran.
    """
    leading: dict[int, list[str]] = {}
    own: dict[int, list[str]] = {}
    for line, ends in coverage.missing_branches.items():
        if line in coverage.missing or line not in where:
            continue
        for end in ends:
            words = told.get((line, end), "")
            inside = end in coverage.missing and end in where and owner.get(end) == owner.get(line)
            if inside:
                leading.setdefault(end, []).append(words)
            else:
                own.setdefault(line, []).append(words)
    return leading, own


def _overlaps(lines: Sequence[LineRange], place: LineRange) -> bool:
    at = bisect_left(lines, place[0], key=lambda each: each[1])
    return at < len(lines) and lines[at][0] <= place[1]


# Ranking


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be a row: blocks of one file that are ranked together."""

    level: Level
    source: Source
    rule: PriorityRule
    blocks: tuple[Block, ...]
    name: str
    start: int
    end: int
    score: float


def rank(sources: Iterable[Source], level: Level, rules: Sequence[PriorityRule]) -> list[Candidate]:
    """All that is missing, what brings most first. What has a score of 0 is left out."""
    found: list[Candidate] = []
    for source in sources:
        rule = rule_for(source.name, rules)
        found += (each for each in _candidates(source, level, rule) if each.score > 0)
    return sorted(found, key=lambda each: (-each.score, each.source.name, each.start))


def may_lead(ranked: Sequence[Candidate], limit: int | None) -> set[str]:
    """The paths of files that may have one of the first rows, whatever their complexity is.

    The candidates are those of which it is not known: it may double each one's score.
    """
    if limit is None or len(ranked) <= limit:
        return {each.source.path for each in ranked}
    least = ranked[limit - 1].score if limit else float("inf")
    return {each.source.path for each in ranked if 2 * each.score >= least}


def rule_for(name: str, rules: Iterable[PriorityRule]) -> PriorityRule:
    """The weight and the advice for a file: of each the last one that a matching rule has.

    Its `match` is that of the rule with the weight.
    """
    match, weight, advice = "", None, None
    for rule in rules:
        if is_below(name, rule.match):
            if rule.weight is not None:
                match, weight = rule.match, rule.weight
            advice = rule.advice if rule.advice is not None else advice
    return PriorityRule(match, weight, advice)


def _candidates(source: Source, level: Level, rule: PriorityRule) -> Iterator[Candidate]:
    def candidate(blocks: tuple[Block, ...], name: str, start: int, end: int) -> Candidate:
        score = sum(_factors(block, source, rule).score for block in blocks)
        return Candidate(level, source, rule, blocks, name, start, end, score)

    if level == "file":
        if source.blocks:
            yield candidate(source.blocks, "", 1, max(block.end for block in source.blocks))
    elif level == "function":
        by_function: dict[Function, list[Block]] = {}
        for block in source.blocks:
            by_function.setdefault(block.function, []).append(block)
        for function, blocks in by_function.items():
            if not (function.name or source.imported) and len(by_function) > 1:
                continue  # Whatever test comes first imports the module, and with it runs this.
            start, end = function.start, function.end
            if not function.name:
                start, end = blocks[0].start, blocks[-1].end
            yield candidate(tuple(blocks), function.name, start, end)
    else:
        for block in source.blocks:
            yield candidate((block,), block.function.name, block.start, block.end)


def row_of(candidate: Candidate) -> Priority:
    """A candidate with its words."""
    source, level, blocks = candidate.source, candidate.level, candidate.blocks
    together = sum(
        (_factors(block, source, candidate.rule) for block in blocks[1:]),
        _factors(blocks[0], source, candidate.rule),
    )
    of = source.statements if level == "file" else blocks[0].function.statements
    started = source.imported if level == "file" else blocks[0].function.called
    return Priority(
        level,
        source.name,
        source.path,
        candidate.name,
        candidate.start,
        candidate.end,
        _joined((block.start, block.end) for block in blocks),
        tuple(sorted({line for block in blocks for line in block.measured})),
        together,
        candidate.score,
        _reasons(level, together, blocks, candidate.rule, source, of=of, started=started),
        _filled(candidate.rule.advice or "", source.name),
        source.stale,
        started,
    )


def _joined(lines: Iterable[LineRange]) -> tuple[LineRange, ...]:
    """Ranges in order, those that touch or hold one another as one."""
    found: list[LineRange] = []
    for start, end in sorted(lines):
        if found and start <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return tuple(found)


def _elsewhere(block: Block, others: OtherPlatforms) -> int:
    """How much of a block other platforms run; its branches, if all of it."""
    if not block.statements:
        line = block.measured[0]
        return block.branches if line in others.choices or others.holds(line) else 0
    count = sum(map(others.holds, block.measured))
    return count + block.branches if count == len(block.measured) else count


def _factors(block: Block, source: Source, rule: PriorityRule) -> Factors:
    return Factors(
        block.statements,
        block.branches,
        block.in_patch,
        block.elsewhere,
        block.function.complexity,
        source.commits,
        1.0 if rule.weight is None else rule.weight,
    )


def _filled(advice: str, name: str) -> str:
    """Advice with the names that it leaves open: {stem} is the file's name without its ending."""
    return advice.replace("{stem}", name.rpartition("/")[2].removesuffix(".py"))


# What to do


NEIGHBOURS: Final = 5
"""Functions around one that no test calls, whose tests may be like those that it needs."""


def nearest_that_ran(coverage: FileCoverage, line: int) -> Iterator[int]:
    """Measured lines that ran near a missing one, the nearest first: whoever runs them comes
    nearest to it.

    The last that ran before it in its function; then what ran first of the function's neighbours,
    those of its class before others.
    """
    functions = [
        (name, region, inner)
        for name, region, inner in coverage.named_regions
        if region.kind == "function"
    ]
    own = next((each for each in functions if line in each[2].statements), None)
    if own is not None:
        ran = own[2].executed
        before = [each for each in ran if each <= line]
        if ran:
            yield max(before) if before else min(ran)
    around = own[0].rpartition(".")[0] if own is not None else ""
    start = own[1].start if own is not None else line
    others = [each for each in functions if each is not own and each[2].executed]
    others.sort(key=lambda each: (each[0].rpartition(".")[0] != around, abs(each[1].start - start)))
    for _, _, inner in others[:NEIGHBOURS]:
        yield min(inner.executed)


def nearest_test(tests: Sequence[str], file: str, function: str) -> str | None:
    """Of tests that come as near the one to begin from: in the file that has the tests of the
    module, if it is known, and named after the function, if one is.
    """
    words = {word for word in function.lower().replace(".", "_").split("_") if word}

    def fits(test: str) -> tuple[bool, int, int, str]:
        name = test.rpartition("::")[2] if "::" in test else test.rpartition(".")[2]
        told = set(name.lower().partition("[")[0].split("_"))
        return not (file and test.startswith(f"{file}::")), -len(words & told), len(test), test

    return min(tests, key=fits, default=None)


def action_for(row: Priority, file: str, test: str | None, path: str, exists: bool) -> Action:
    """What to do about a row, in words, and the command that shows whether it helped."""
    if row.factors.elsewhere == row.factors.missed:
        return Action("Run the tests on that platform, too, and combine the data; or exclude it.")
    if not file:
        return Action(f"Write a test of {_what(row)}.", command=("covls", "run"))
    command = ("covls", "run", file)
    what = _what(row)
    if test is not None:
        name = test.rpartition("::")[2] if "::" in test else test.rpartition(".")[2]
        name = name.partition("[")[0]
        if row.partial and row.level != "file":
            words = f"Add a case beside {name} in {file}, which comes nearest to {what}."
        else:
            words = f"Add a test of {what} to {file}, beside {name}."
    elif exists:
        words = f"Add a test of {what} to {file}."
    else:
        words = f"Write {file} with a test of {what}."
    return Action(words, file, path, exists, test, command)


def _what(row: Priority) -> str:
    if row.level == "file":
        return row.file
    if row.level == "function" and row.name and not row.partial:
        return row.title
    lines = lines_words(row.lines, 3)
    return f"{lines} of {row.name.partition('@')[0]}" if row.name else lines


DJANGO: Final = (
    PriorityRule(
        "**/migrations/**",
        0.2,
        "A migration: leave it out (omit), unless it moves data. Then migrate to the one before, "
        "make what it is to move, migrate, and look at it.",
    ),
    PriorityRule(
        "**/management/commands/**",
        1.5,
        "A management command: call it with call_command('{stem}', stdout=StringIO()), look at "
        "what it wrote and changed, and mock the services that it calls.",
    ),
    PriorityRule(
        "**/admin.py",
        0.7,
        "The admin: log a superuser in with client.force_login, get the list and the change page, "
        "and post each action.",
    ),
    PriorityRule(
        "**/admin/**",
        0.7,
        "The admin: log a superuser in with client.force_login, get the list and the change page, "
        "and post each action.",
    ),
    PriorityRule(
        "**/views.py",
        1.2,
        "A view: request it with the test client; look at status and content, also without the "
        "permission and with wrong data.",
    ),
    PriorityRule(
        "**/views/**",
        1.2,
        "A view: request it with the test client; look at status and content, also without the "
        "permission and with wrong data.",
    ),
    PriorityRule(
        "**/models.py",
        1.2,
        "A model: make an instance in the test database and look at what its methods, its manager "
        "and its constraints do.",
    ),
    PriorityRule(
        "**/models/**",
        1.2,
        "A model: make an instance in the test database and look at what its methods, its manager "
        "and its constraints do.",
    ),
    PriorityRule(
        "**/forms.py",
        None,
        "A form: give it data that is right and wrong, and look at is_valid() and errors.",
    ),
    PriorityRule(
        "**/serializers.py",
        None,
        "A serializer: give it data that is right and wrong, and look at is_valid() and errors.",
    ),
    *(
        PriorityRule(
            pattern,
            None,
            "It may call services of others: mock them where they are called, and look at what is "
            "sent, and at what is made of errors and time-outs.",
        )
        for pattern in ("**/executors/**", "**/services/**", "**/services.py", "**/clients/**")
    ),
    PriorityRule(
        "**/signals.py", None, "A signal handler: save or delete what sends it, and look."
    ),
    PriorityRule(
        "**/tasks.py", None, "A task: call its function directly, and mock the services it calls."
    ),
    PriorityRule(
        "**/middleware.py",
        None,
        "Middleware: call it with a RequestFactory's request and a get_response of your own.",
    ),
    PriorityRule(
        "**/templatetags/**",
        None,
        "A template tag: render a Template that uses it, and look at the text.",
    ),
    PriorityRule("**/settings.py", 0.2, "Settings: leave them out of the measurement (omit)."),
    PriorityRule("**/settings/**", 0.2, "Settings: leave them out of the measurement (omit)."),
    PriorityRule("**/wsgi.py", 0.2, "Deployment: leave it out of the measurement (omit)."),
    PriorityRule("**/asgi.py", 0.2, "Deployment: leave it out of the measurement (omit)."),
    PriorityRule("manage.py", 0.2, "Django's own: leave it out of the measurement (omit)."),
)
"""Of the parts that Django projects have: what testing them is worth, and how it is done."""


# Words


def _reasons(
    level: Level,
    factors: Factors,
    blocks: Sequence[Block],
    rule: PriorityRule,
    source: Source,
    *,
    of: int,
    started: bool,
) -> tuple[str, ...]:
    reasons = [_missed_words(level, factors, blocks, of=of, started=started, source=source)]
    if factors.in_patch:
        all_of_it = factors.in_patch == factors.missed
        reasons.append("in the patch" if all_of_it else f"{factors.in_patch} of them in the patch")
    if factors.elsewhere:
        some = "" if factors.elsewhere == factors.missed else f"{factors.elsewhere} of them "
        reasons.append(f"{some}for another platform")
    if factors.complexity is not None and factors.complexity > 1:
        most = "up to " if level == "file" else ""
        reasons.append(f"complexity {most}{factors.complexity}")
    if factors.commits:
        reasons.append(f"{counted(factors.commits, 'commit')} in a year")
    if factors.weight != 1:
        reasons.append(f"weight {factors.weight:g} by {rule.match}")
    if source.stale:
        reasons.append("may have changed since it was measured")
    return tuple(reasons)


def _missed_words(
    level: Level,
    factors: Factors,
    blocks: Sequence[Block],
    *,
    of: int,
    started: bool,
    source: Source,
) -> str:
    statements, branches = factors.statements, factors.branches
    if not source.imported:
        return f"no test imports it: {counted(statements, 'statement')}"
    if not started and level == "function" and blocks[0].function.name:
        return f"no test calls it: {counted(statements, 'statement')}"
    if level == "block" and not statements:
        words = [word for word in blocks[0].words if word]
        return "; ".join(words) or "a branch was never taken"
    parts = []
    if statements:
        share = f"{statements} of " if level != "block" else ""
        parts.append(share + counted(of if level != "block" else statements, "statement"))
    if branches:
        parts.append("1 branch" if branches == 1 else f"{branches} branches")
    return f"{' and '.join(parts)} not run" if statements else f"{parts[0]} never taken"


def lines_words(lines: Sequence[LineRange], most: int = 4) -> str:
    """Lines in words: `line 4`, `lines 4-7, 9 and 3 more`."""
    words = [f"{start}" if start == end else f"{start}-{end}" for start, end in lines[:most]]
    more = f" and {len(lines) - most} more" if len(lines) > most else ""
    one = len(lines) == 1 and lines[0][0] == lines[0][1]
    return f"line{'' if one else 's'} {', '.join(words)}{more}"


def score_words(score: float) -> str:
    """A score as it is shown."""
    return f"{score:.0f}" if score >= 10 else f"{score:.1f}"


SCORE_WORDS: Final = (
    "Score: statements and branches missed (in the patch ×3, for another platform ×¼) "
    "× (1 + complexity/20) × (1 + commits/20) × weight."
)
"""How the figures come about."""


def closing_words(ranking: Ranking) -> list[str]:
    """What is to be said below the rows, a paragraph each."""
    if not ranking.rows and not ranking.total:
        words = ["Nothing is left to test of what was measured."]
    else:
        words = [SCORE_WORDS]
    if ranking.total > len(ranking.rows):
        shown = f"{len(ranking.rows)} of {counted(ranking.total, ranking.level)} to test."
        words.insert(0, shown)
    return [*words, *ranking.notes]


def as_text(ranking: Ranking) -> str:
    """The ranking for people, in plain text."""
    lines: list[str] = []
    width = max((len(score_words(row.score)) for row in ranking.rows), default=0)
    number_width = len(str(len(ranking.rows)))
    indent = " " * (number_width + width + 4)
    for number, row in enumerate(ranking.rows, 1):
        place = printable(f"{row.file}:{row.first}" if row.level != "file" else row.file)
        title = "" if row.level == "file" else f"  {printable(row.title)}"
        lines += [
            f"{number:>{number_width}}  {score_words(row.score):>{width}}  {place}{title}",
            f"{indent}{printable('; '.join(row.reasons))}",
        ]
        if row.advice:
            lines.append(f"{indent}{printable(row.advice)}")
        if row.action is not None:
            lines.append(f"{indent}→ {printable(row.action.words)}")
            if row.action.command:
                lines.append(f"{indent}$ {printable(command_words(row.action.command))}")
    for words in closing_words(ranking):
        lines += ["", words] if lines else [words]
    return "\n".join(lines)


def as_markdown(ranking: Ranking, link: Callable[[Priority], str] | None = None) -> str:
    """The ranking as Markdown; `link` gives the address of a row, to be gone to by a click."""
    lines = ["# What to test next", ""]
    for number, row in enumerate(ranking.rows, 1):
        place = escape_markdown(
            printable(row.file if row.level == "file" else f"{row.file}:{row.first}")
        )
        if link is not None:
            place = f"[{place}]({link(row)})"
        title = "" if row.level == "file" else f" **{escape_markdown(printable(row.title))}**"
        lines.append(f"{number}. {place}{title} (score {score_words(row.score)})  ")
        lines.append(f"   {escape_markdown(printable('; '.join(row.reasons)))}")
        if row.advice:
            lines[-1] += "  "
            lines.append(f"   *{escape_markdown(printable(row.advice))}*")
        if row.action is not None:
            lines[-1] += "  "
            lines.append(f"   → {escape_markdown(printable(row.action.words))}")
            if row.action.command:
                lines[-1] += "  "
                lines.append(f"   `{printable(command_words(row.action.command))}`")
    for words in closing_words(ranking):
        lines += ["", escape_markdown(words)]
    return "\n".join(lines)


def as_json(ranking: Ranking) -> dict[str, Any]:
    """The ranking for programs. Lines count from 1, both ends of a range included."""
    return {
        "by": ranking.level,
        "total": ranking.total,
        "rows": [row_json(row) for row in ranking.rows],
        "notes": list(ranking.notes),
    }


def row_json(row: Priority) -> dict[str, Any]:
    """One row for programs."""
    factors, action = row.factors, row.action
    return {
        "file": row.file,
        "name": row.name or None,
        "title": row.title,
        "start": row.start,
        "end": row.end,
        "lines": [list(each) for each in row.lines],
        "score": round(row.score, 2),
        "factors": {
            "statements": factors.statements,
            "branches": factors.branches,
            "in_patch": factors.in_patch,
            "elsewhere": factors.elsewhere,
            "complexity": factors.complexity,
            "commits": factors.commits,
            "weight": factors.weight,
        },
        "reasons": list(row.reasons),
        "advice": row.advice or None,
        "stale": row.stale,
        "action": None
        if action is None
        else {
            "words": action.words,
            "file": action.file or None,
            "exists": action.exists,
            "test": action.test,
            "command": list(action.command),
        },
    }


def command_words(command: Sequence[str]) -> str:
    """A command as it is typed into a shell."""
    return " ".join(
        word
        if word and all(char.isalnum() or char in "-_./:=@+," for char in word)
        else "'" + word.replace("'", "'\\''") + "'"
        for word in command
    )
