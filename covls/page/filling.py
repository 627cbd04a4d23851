"""The page of a history as one HTML text: template, style, scripts and data put into one."""

import json
import re
import zlib
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any, Final

from covls.core.coverage import percent_text
from covls.core.history_page import About, Gathered, page_data
from covls.core.report import printable

MAX_SIZE: Final = 1_450_000
"""How many characters the page may have: beyond it the oldest runs keep their totals alone."""


def history_page(about: About, gathered: Gathered, max_size: int = MAX_SIZE) -> str:
    """The page. It needs no network, and runs no script but its own.

    Where it would be larger than `max_size`, files are told of the newest half of the runs, then of
    half of those, and so on.
    """
    n_runs = max((len(series.runs) for series in gathered.series.values()), default=0)
    kept: int | None = None
    while True:
        page = _filled(page_data(about, gathered, kept), _summary(gathered))
        if len(page) <= max_size or kept == 1 or n_runs < 2:
            return page
        kept = (kept or n_runs) // 2


def _filled(data: Any, summary: str) -> str:
    parts = files(__package__)

    def part(name: str) -> str:
        return (parts / name).read_text(encoding="utf-8")

    style = part("page.css")
    script = part("calculate.js") + part("page.js").removeprefix('"use strict";\n')
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_allowed(script)}",
            f"style-src {_allowed(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    told = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    made = datetime.fromtimestamp(data["made"], UTC)
    words = {
        "policy": escape(policy, quote=False),
        "generator": escape(f"covls {data['version']}"),
        "title": escape(f"Coverage of {data['project']}"),
        "summary": escape(summary),
        "footer": escape(f"Made on {made:%Y-%m-%d %H:%M} UTC by covls {data['version']}."),
        "style": style,
        "script": script,
        "data": b64encode(zlib.compress(told, 9)).decode("ascii"),
    }
    return _put_in(part("page.html"), words)


def _summary(gathered: Gathered) -> str:
    """The figure of the newest run, for those whom no script tells more."""
    newest = [series.runs[-1] for series in gathered.series.values()]
    if not newest:
        return ""
    run = max(newest, key=lambda run: run.commit.authored)
    shown = percent_text(run.totals.percent, 1)
    return f"{shown} % at {printable(run.commit.id[:8])}, {run.commit.authored:%Y-%m-%d %H:%M} UTC"


def _put_in(template: str, words: dict[str, str]) -> str:
    """The template with its words put in, in one go: what was put in is not looked at again."""
    return re.sub(r"\{([a-z]+)\}", lambda found: words[found[1]], template)


def _allowed(text: str) -> str:
    """The one text that a policy lets through."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}'"
