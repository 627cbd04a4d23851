"""Two runs compared, as Markdown for comments and summaries."""

from collections.abc import Iterator

from covls.core.formats.comparison_text import change_words, details, points, steps, title
from covls.core.regression import RunComparison
from covls.core.report import escape_markdown, printable


def comparison_markdown(compared: RunComparison) -> Iterator[str]:
    """The lines: what the change is made of as a table, and each file that differs."""
    drop = compared.found.drop
    before, now = compared.before.commit, compared.now.commit
    commits = " to ".join(
        f"{_text(each.id[:12])} ({each.authored:%Y-%m-%d})" for each in (before, now)
    )
    yield f"**{_text(change_words(drop.before, drop.now, drop.naive))}** from {commits}."
    yield ""
    yield "| | Points | |"
    yield "| --- | ---: | --- |"
    for name, value, words in steps(compared):
        yield f"| {name} | {_text(points(value))} | {_text(words)} |"
    fair = change_words(drop.fair_before, drop.fair_now, drop.fair)
    yield f"| **fair** | **{_text(points(-drop.fair))}** | {_text(fair)} |"
    for file in compared.found.files:
        if file.differs:
            yield ""
            yield f"**{_text(title(file))}**"
            yield ""
            yield from (f"- {_text(line)}" for line in details(file))
    for note in compared.notes:
        yield ""
        yield _text(note)


def _text(text: str) -> str:
    return escape_markdown(printable(text))
