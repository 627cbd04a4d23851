"""`covls run --record`: what the tests covered is recorded when they have run."""

import json
import sys

from tests.adapters.repositories import Repository, needs_git
from tests.cli.measured import Covls, coverage_json, write

pytestmark = needs_git

PYPROJECT = f"""\
[tool.coverage.run]
branch = true
source = ["."]
omit = ["use*", "test_*"]
data_file = "data"

[tool.covls]
python = "{sys.executable}"

[tool.pytest.ini_options]
addopts = ["-p", "no:cacheprovider"]
"""


def test_what_ran_is_recorded(covls: Covls, shop: Repository) -> None:
    """With the figures that the report has then, of the commit that is checked out."""
    (shop.folder / ".coveragerc").unlink()
    test = "import shop\n\n\ndef test_price():\n    assert shop.price(3) == 3\n"
    write(shop.folder, {"test_shop.py": test, "pyproject.toml": PYPROJECT, ".gitignore": "data*\n"})
    shop("add", ".")
    shop("commit", "-q", "-m", "Test it")
    done = covls(shop.folder, "run", "--record", "--flag", "py312")
    assert done.code == 0, done.err
    name = shop("rev-parse", "HEAD")[:12]
    last = done.out.splitlines()[-1]
    assert last == f"Recorded {name} on main with py312: 66.67 % of 1 file."
    (run,) = json.loads(covls(shop.folder, "history", "list", "-f", "json").out)
    expected = coverage_json(shop.folder)["totals"]
    assert all(expected[name] == value for name, value in run["totals"].items())
    assert run["clean"] is True
    assert covls(shop.folder, "run", "--flag", "py312").code == 2
