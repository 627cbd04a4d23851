"""The story of a team on the Django project: set up, measured, gated at commits, commented."""

import json
from pathlib import Path

from tests.e2e.test_pre_commit import Repository
from tests.parcels import copy_parcels

ADDED = '''

def is_heavy(grams):
    """Whether two have to carry it."""
    if grams > 20_000:
        return True
    return False
'''

TEST = """
    def test_heavy(self):
        from shipping.prices import is_heavy

        self.assertTrue(is_heavy(25_000))
        self.assertFalse(is_heavy(500))
"""


def test_from_init_to_the_comment(tmp_path: Path) -> None:
    team = Repository(copy_parcels(tmp_path))
    team.git("init", "--quiet", "--initial-branch=main")
    team.git("add", ".")
    team.git("commit", "--quiet", "-m", "as it was")

    team.covls("init", "--yes", "--only=coverage,covls,pre-commit")
    team.covls("run")
    report = json.loads(team.covls("report", "--format=json"))
    assert 54 < report["totals"]["percent_covered"] < 57
    code, said = team.run("covls", "check")
    assert code == 1
    assert "55.4%" in said
    settings = team.root / "pyproject.toml"
    settings.write_text(settings.read_text().replace("total = 75", "total = 55"))
    team.covls("check")
    first = json.loads(team.covls("priorities", "--format=json"))
    assert "commands" in json.dumps(first) or "executors" in json.dumps(first)

    team.do("pre-commit", "install")
    team.git("add", ".")
    team.git("commit", "--quiet", "-m", "coverage")
    team.git("checkout", "--quiet", "-b", "heavy")
    team.add_to("shipping/prices.py", ADDED)
    team.git("add", ".")
    assert "exit code: 3" in team.refuses("commit", "-m", "heavy")
    team.covls("run", "--affected")
    said = team.refuses("commit", "-m", "heavy")
    assert "exit code: 1" in said
    assert "shipping/prices.py:" in said
    team.covls("comment", "--base=main", "--output=../comment.md")
    comment = (tmp_path / "comment.md").read_text()
    assert "❌ failed" in comment
    assert "grams &gt; 20_000" in comment or "grams > 20_000" in comment

    team.add_to("shipping/tests/test_prices.py", TEST)
    team.git("add", ".")
    team.covls("run", "--affected")
    team.git("commit", "--quiet", "-m", "heavy")
    team.covls("comment", "--base=main", "--output=../comment.md")
    assert "❌" not in (tmp_path / "comment.md").read_text()
