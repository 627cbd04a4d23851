"""Files that a plugin measures: Django templates, in a workspace that is trusted and in others."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from covls.core.settings import Settings
from covls.project import Project
from tests.cli.measured import Covls, coverage, coverage_json, write

TEMPLATE = """\
<h1>Hello</h1>
{% if name %}
  <p>{{ name }}</p>
{% else %}
  <p>nobody</p>
{% endif %}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site whose one page was rendered, with a name, under coverage with Django's plugin."""
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "site_settings")
    write(
        tmp_path,
        {
            ".coveragerc": "[run]\nplugins = django_coverage_plugin\nsource = .\n",
            "site_settings.py": (
                "TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates',\n"
                "              'DIRS': ['templates'], 'OPTIONS': {'debug': True}}]\n"
            ),
            "templates/hello.html": TEMPLATE,
            "render.py": (
                "import django\n"
                "django.setup()\n"
                "from django.template.loader import render_to_string\n"
                "render_to_string('hello.html', {'name': 'Ada'})\n"
            ),
        },
    )
    for path in tmp_path.rglob("*.*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    coverage(tmp_path, "run", "render.py")
    return tmp_path


@contextmanager
def opened(root: Path, *, trusted: bool | None) -> Iterator[Project]:
    project = Project(root, Settings(), trusted=trusted)
    try:
        project.load()
        yield project
    finally:
        project.close()


def test_a_template_has_marks_where_the_workspace_is_trusted(site: Path) -> None:
    with opened(site, trusted=True) as project:
        view = project.view(site / "templates" / "hello.html")
        assert view is not None, list(map(str, project.problems))
        assert [(m.start, m.end, m.state, m.freshness) for m in view.marks] == [
            (1, 3, "covered", "fresh"),
            (5, 5, "missing", "fresh"),
        ]


@pytest.mark.parametrize("trusted", [False, None])
def test_elsewhere_it_is_said_why_it_has_none(site: Path, trusted: bool | None) -> None:
    template = site / "templates" / "hello.html"
    with opened(site, trusted=trusted) as project:
        assert project.view(template) is None
        (said,) = map(str, project.problems)
    assert said.startswith(str(template))
    assert "not trusted" in said


def test_the_report_is_coverages_own(site: Path, covls: Covls) -> None:
    ours = covls.json(site, "--trusted")
    theirs = coverage_json(site)
    assert json.dumps(ours["files"]) == json.dumps(theirs["files"])
    assert ours["totals"] == theirs["totals"]
    assert "templates/hello.html" in ours["files"]


def test_what_to_test_next_of_a_template(covls: Covls, site: Path) -> None:
    done = covls(site, "priorities", "--trusted", "--format", "json", "templates")
    assert done.code == 0, done.err
    (row,) = json.loads(done.out)["rows"]
    assert (row["file"], row["lines"]) == ("templates/hello.html", [[5, 5]])
    assert row["factors"]["complexity"] is None
