"""What coverage.py's parser says could run in a source, as covls's core reads it."""

import json
from collections.abc import Sequence

from covls.core.analysis import Analysis, analysis_from_json
from tests.probe.comparison import probe


def analysed(source: str, exclude: Sequence[str] = ()) -> Analysis:
    """The analysis of a source under some regexes that exclude lines."""
    probe.use_statement_tokens()
    found = probe.analyse_python(source.encode(), "a.py", probe.Rules(exclude, ()))
    return analysis_from_json(json.loads(probe.compact(found)))
