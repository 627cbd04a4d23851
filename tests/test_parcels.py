"""The Django project that the documentation shows: its tests pass, and reach about 55 % of it."""

from pathlib import Path

from tests.cli.measured import coverage
from tests.parcels import copy_parcels


def test_its_tests_reach_about_55_percent(tmp_path: Path) -> None:
    root = copy_parcels(tmp_path)
    coverage(root, "run", "--branch", "--source=.", "manage.py", "test")
    left_out = "*/migrations/*,config/settings.py,config/wsgi.py,manage.py,static/*"
    total = coverage(root, "report", f"--omit={left_out}", "--format=total").out
    assert 53 <= int(total) <= 57
