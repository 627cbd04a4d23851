"""A report as Cobertura's XML, as `coverage xml` writes it, for GitLab, GitHub and others.

Rules and shape are those of `coverage.xmlreport.XmlReporter`; the tests hold them equal.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from covls.core.coverage import NOTHING, FileCoverage, Totals
from covls.core.formats.xml_text import attribute, escaped
from covls.core.report import in_order_of_names

_DTD = "https://raw.githubusercontent.com/cobertura/web/master/htdocs/xml/coverage-04.dtd"


@dataclass(frozen=True, slots=True)
class XmlFile:
    """One file of the report."""

    path: str
    """Its absolute path, with slashes."""
    name: str
    """Its path as coverage.py's reports write it, with slashes."""
    coverage: FileCoverage


@dataclass(slots=True)
class _Package:
    classes: dict[str, str] = field(default_factory=dict)
    totals: Totals = NOTHING


def cobertura(
    files: Iterable[XmlFile],
    *,
    sources: Sequence[str],
    branches: bool,
    version: str,
    timestamp: int,
    skip_empty: bool = False,
) -> Iterator[str]:
    """The report in pieces.

    `sources` are the folders that `source` of coverage.py's configuration names, absolute and with
    slashes; `timestamp` is in milliseconds since the epoch.
    """
    below = dict.fromkeys(sources)
    packages: dict[str, _Package] = {}
    for file in files:
        coverage = file.coverage
        if skip_empty and not coverage.statements:
            continue
        name = _name_below(file, below)
        folder = name.rpartition("/")[0] or "."
        package = packages.setdefault(folder.replace("/", "."), _Package())
        package.classes[name] = _class(name, folder, coverage, branches)
        package.totals += coverage.totals
    totals = sum((package.totals for package in packages.values()), NOTHING)
    counts = (
        f'lines-valid="{totals.n_statements}" lines-covered="{totals.n_executed}" '
        f'line-rate="{_rate(totals.n_executed, totals.n_statements)}" '
        f'branches-valid="{totals.n_branches}" branches-covered="{totals.n_executed_branches}" '
        f'branch-rate="{_branch_rate(totals, branches)}" complexity="0"'
    )
    yield '<?xml version="1.0" ?>\n'
    yield f'<coverage version={attribute(version)} timestamp="{timestamp}" {counts}>\n'
    yield f"\t<!-- Based on {_DTD} -->\n"
    yield "\t<sources>\n"
    for source in in_order_of_names(below):
        yield f"\t\t<source>{escaped(source)}</source>\n"
    yield "\t</sources>\n\t<packages>\n"
    for name in in_order_of_names(packages):
        package = packages[name]
        inner = package.totals
        yield (
            f"\t\t<package name={attribute(name)} "
            f'line-rate="{_rate(inner.n_executed, inner.n_statements)}" '
            f'branch-rate="{_branch_rate(inner, branches)}" complexity="0">\n\t\t\t<classes>\n'
        )
        yield from (package.classes[each] for each in in_order_of_names(package.classes))
        yield "\t\t\t</classes>\n\t\t</package>\n"
    yield "\t</packages>\n</coverage>\n"


def _name_below(file: XmlFile, below: dict[str, None]) -> str:
    """A file's path against the source that it is below; where there is none, that becomes one."""
    for source in below:
        if file.path.startswith(source.rstrip("/") + "/"):
            return file.path[len(source.rstrip("/")) + 1 :]
    below[file.path.removesuffix(file.name).rstrip("/")] = None
    return file.name


def _class(name: str, folder: str, coverage: FileCoverage, branches: bool) -> str:
    totals = coverage.totals
    within = name if folder == "." else name[len(folder) + 1 :]
    lines = "".join(_line(coverage, line, branches) for line in sorted(coverage.statements))
    inner = f"\t\t\t\t\t<lines>\n{lines}\t\t\t\t\t</lines>\n" if lines else "\t\t\t\t\t<lines/>\n"
    return (
        f'\t\t\t\t<class name={attribute(within)} filename={attribute(name)} complexity="0" '
        f'line-rate="{_rate(totals.n_executed, totals.n_statements)}" '
        f'branch-rate="{_branch_rate(totals, branches)}">\n'
        f"\t\t\t\t\t<methods/>\n{inner}\t\t\t\t</class>\n"
    )


def _line(coverage: FileCoverage, line: int, branches: bool) -> str:
    words = f'number="{line}" hits="{int(line not in coverage.missing)}"'
    missed = coverage.missing_branches.get(line, ())
    if branches and line in coverage.exits:
        total = coverage.exits[line]
        taken = total - len(missed)
        share = 100 * taken // total if total else 100
        words += f' branch="true" condition-coverage="{share}% ({taken}/{total})"'
    if missed:
        ends = ",".join("exit" if end < 0 else str(end) for end in missed)
        words += f' missing-branches="{ends}"'
    return f"\t\t\t\t\t\t<line {words}/>\n"


def _branch_rate(totals: Totals, branches: bool) -> str:
    return _rate(totals.n_executed_branches, totals.n_branches) if branches else "0"


def _rate(hit: int, of: int) -> str:
    """A share of 1: never 0 where some, never 1 where not all."""
    if hit == of:
        return "1"
    if not hit:
        return "0"
    return f"{min(max(hit / of, 0.0001), 0.9999):.4g}"
