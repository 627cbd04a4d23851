"""`covls history html`: the page of what is recorded, where it is written, and what it has."""

import json
import re
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any

from tests.adapters.repositories import Repository, needs_git
from tests.cli.measured import Covls, coverage, write

pytestmark = needs_git


def data_of(page: str) -> Any:
    found = re.search(r'id="data">([^<]*)</script>', page)
    assert found
    return json.loads(zlib.decompress(b64decode(found[1])))


def test_the_page_has_all_runs_with_their_files(
    covls: Covls, shop: Repository, history_url: str
) -> None:
    folder = shop.folder
    write(folder, {"covls.toml": f'[gates]\ntotal = 60\n[history]\nurl = "{history_url}"\n'})
    assert covls(folder, "history", "record").code == 0
    write(folder, {"other.py": "A = 1\n"})
    shop("add", "other.py")
    shop("commit", "--quiet", "--message", "Add <another>")
    coverage(folder, "run", "--append", "--source=.", "other.py")
    assert covls(folder, "history", "record", "--stale").code == 0
    done = covls(folder, "history", "html")
    assert done.code == 0, done.err
    page = folder / ".covls" / "history.html"
    assert Path(done.out.strip()) == page
    assert "?? .covls" not in shop("status", "--porcelain")
    told = data_of(page.read_text())
    assert told["project"] == folder.name
    assert told["branch"] == "main"
    assert told["gates"] == [{"path": "", "least": 60}]
    (series,) = told["series"]
    assert series["subject"] == ["Begin to sell ümlauts", "Add <another>"]
    assert series["id"][-1] == shop("rev-parse", "HEAD")
    assert {"other.py", "shop.py"} <= set(told["files"])
    assert told["priorities"]["rows"][0]["file"] == "shop.py"


def test_it_is_written_where_one_asks(covls: Covls, shop: Repository, tmp_path: Path) -> None:
    folder = shop.folder
    assert covls(folder, "history", "record", "--flag", "py312").code == 0
    wanted = tmp_path / "site" / "index.html"
    asked = ("--output", str(wanted), "--title", "A & B", "--no-priorities")
    done = covls(folder, "history", "html", *asked)
    assert Path(done.out.strip()) == wanted
    assert "<title>Coverage of A &amp; B</title>" in wanted.read_text()
    assert data_of(wanted.read_text())["priorities"] is None
    printed = covls(folder, "history", "html", "--output", "-", "--flag", "py312")
    assert data_of(printed.out)["series"][0]["flags"] == ["py312"]
    assert not (folder / ".covls" / "history.html").exists()


def test_it_is_opened_where_one_asks(covls: Covls, shop: Repository, opened: Path) -> None:
    assert covls(shop.folder, "history", "record").code == 0
    assert covls(shop.folder, "history", "html").code == 0
    assert not opened.exists()
    done = covls(shop.folder, "history", "html", "--open")
    assert opened.read_text() == Path(done.out.strip()).as_uri()


def test_without_data_it_says_nothing_of_priorities(covls: Covls, shop: Repository) -> None:
    folder = shop.folder
    assert covls(folder, "history", "record").code == 0
    (folder / ".coverage").unlink()
    done = covls(folder, "history", "html", "--output", "-")
    assert done.code == 0, done.err
    assert data_of(done.out)["priorities"] is None


def test_what_is_not_there_or_asked_wrongly(covls: Covls, shop: Repository) -> None:
    folder = shop.folder
    done = covls(folder, "history", "html")
    assert done.code == 3
    assert "covls history record" in done.err
    assert covls(folder, "history", "record").code == 0
    done = covls(folder, "history", "html", "--branch", "topic")
    assert done.code == 3
    assert "No run was recorded that is like this" in done.err
    assert covls(folder, "history", "html", "--open", "--output", "-").code == 2
