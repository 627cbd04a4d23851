"""The totals of a folder, and a row for each file."""

import json
from pathlib import Path
from typing import Any

from tests.server.client import Client, uri_of
from tests.server.conftest import copy, measure, write

QUIET = ("covls/status",)


def figures(project: Path) -> dict[str, Any]:
    """What coverage.py's own report says."""
    measure(project, "coverage", "json", "-q", "-o", "report.json")
    found: dict[str, Any] = json.loads((project / "report.json").read_text())
    return found


async def test_rows_and_totals_are_coverages_own(client: Client, shop: Path) -> None:
    expected = figures(shop)
    # On a busy machine reading takes long enough to be shown.
    client.ignore(*QUIET, "$/progress")
    await client.start(shop)
    found = await client.request("covls/projectCoverage", {})
    assert found["folders"] == [uri_of(shop)]
    assert found["problems"] == []
    assert [row["name"] for row in found["files"]] == list(expected["files"])
    for row in found["files"]:
        theirs = expected["files"][row["name"]]["summary"]
        assert row["summary"]["percent"] == theirs["percent_covered"]
        assert row["summary"]["percentText"] == theirs["percent_covered_display"]
        assert row["summary"]["missing"] == theirs["missing_lines"]
        assert row["freshness"] == "fresh"
        assert row["folder"] == uri_of(shop)
    assert found["files"][0]["uri"] == uri_of(shop / "shop.py")
    assert found["summary"]["percent"] == expected["totals"]["percent_covered"]
    await client.end()


async def test_one_folder_of_several(minimal: Client, shop: Path, tmp_path: Path) -> None:
    other = copy(shop, tmp_path / "other shop")
    minimal.ignore(*QUIET)
    await minimal.start(shop, other)
    found = await minimal.request("covls/projectCoverage", {"folder": uri_of(other)})
    assert found["folders"] == [uri_of(other)]
    both = await minimal.request("covls/projectCoverage", {})
    assert sorted(both["folders"]) == sorted([uri_of(other), uri_of(shop)])
    assert both["summary"]["statements"] == 2 * found["summary"]["statements"]
    assert len(both["files"]) == 4
    await minimal.end()


async def test_a_folder_that_is_none_is_null(minimal: Client, shop: Path) -> None:
    await minimal.start(shop)
    for folder in (uri_of(shop / "gone"), uri_of(shop / "shop.py"), "untitled:a", ""):
        assert await minimal.request("covls/projectCoverage", {"folder": folder}) is None
    await minimal.end()


async def test_without_folders_there_is_nothing(minimal: Client) -> None:
    await minimal.start()
    assert await minimal.request("covls/projectCoverage", None) is None
    await minimal.end()


def large(folder: Path) -> Path:
    """A project with many files, none of which is in the cache."""
    for number in range(300):
        body = "\n".join(f"if a > {line}:\n    a = {number}" for line in range(40))
        write(folder, **{f"m{number}__py": f"a = 1\n{body}\n"})
    imports = "\n".join(f"import m{number}" for number in range(300))
    write(folder, main__py=imports + "\n")
    measure(folder, "coverage", "run", "--branch", "main.py")
    return folder


async def test_progress_under_the_clients_own_token(minimal: Client, tmp_path: Path) -> None:
    project = large(tmp_path / "large")
    minimal.ignore(*QUIET)
    await minimal.start(project)
    params = {"folder": uri_of(project), "workDoneToken": "mine"}
    found = await minimal.request("covls/projectCoverage", params)
    assert len(found["files"]) == 301
    kinds = []
    percentages = []
    while minimal.count("$/progress"):
        message = await minimal.receive("$/progress")
        assert message["token"] == "mine"
        kinds.append(message["value"]["kind"])
        percentages.append(message["value"].get("percentage"))
    assert kinds[0] == "begin"
    assert kinds[-1] == "end"
    assert set(kinds[1:-1]) == {"report"}
    reported = [percentage for percentage in percentages if percentage is not None]
    assert reported == sorted(reported)
    await minimal.end()


async def test_it_can_be_cancelled(minimal: Client, tmp_path: Path) -> None:
    project = large(tmp_path / "large")
    minimal.ignore(*QUIET)
    await minimal.start(project)
    params = {"folder": uri_of(project), "workDoneToken": 7}
    _, answer = minimal.ask("covls/projectCoverage", params)
    await minimal.receive("$/progress", lambda message: message["value"]["kind"] == "report")
    minimal.notify("window/workDoneProgress/cancel", {"token": 7})
    assert await answer is None
    minimal.ignore("$/progress")
    # Cancelled once is not cancelled for ever.
    again = await minimal.request("covls/projectCoverage", {"folder": uri_of(project)})
    assert len(again["files"]) == 301
    await minimal.end()
