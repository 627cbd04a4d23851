"""Excluding an uncovered block, from the editor's menu and by its command."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.measured import coverage_json
from tests.server.client import Client, ResponseError
from tests.server.conftest import CONFIGURATION, run_tests, write
from tests.server.editing import apply

QUIET = (
    "covls/status",
    "covls/didChangeCoverage",
    "$/progress",
    "textDocument/publishDiagnostics",
)
KIND = "quickfix.covls.exclude"


async def offered(
    client: Client, uri: str, line: int, diagnostics: list[Any] | None = None
) -> list[Any]:
    """The exclusions offered at a line, counted from 1."""
    found = await client.actions(uri, line, only=[KIND], diagnostics=diagnostics)
    return found or []


async def test_coverage_says_the_same_without_the_block(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    path = shop / "shop.py"
    uri = client.open(path)
    before = coverage_json(shop)["files"]["shop.py"]
    if client.kind == "minimal":
        # It takes commands alone, and cannot be asked to edit.
        assert await offered(client, uri, 20) == []
        with pytest.raises(ResponseError, match="cannot be asked to edit"):
            await client.command("covls.excludeLines", uri, 19, 19)
        await client.end()
        return
    (action,) = await offered(client, uri, 20)
    assert action["title"] == "Exclude `def never` from coverage"
    assert action["kind"] == KIND
    made = apply(action["edit"], client.server["capabilities"]["positionEncoding"])
    assert made == []
    assert path.read_text().splitlines()[15] == "def never(a, b):  # pragma: no cover"
    after = coverage_json(shop)["files"]["shop.py"]
    assert set(before["missing_lines"]) - set(after["missing_lines"]) == {17, 20}
    assert after["excluded_lines"] == [16, 17, 18, 19, 20]
    await client.end()


async def test_the_edit_is_of_the_version_on_screen(launch_vscode: Client, shop: Path) -> None:
    client = launch_vscode
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    text = (shop / "shop.py").read_text()
    version = client.change(uri, "# ä𝄞\n" + text.replace("total = a + b", "total = a + b  # 𝄞  "))
    (action,) = await offered(client, uri, 13)
    assert action["title"] == "Exclude the `if` in line 12 from coverage"
    (change,) = action["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": version}
    (edit,) = change["edits"]
    assert edit == {
        "range": {
            "start": {"line": 11, "character": 16},
            "end": {"line": 11, "character": 16},
        },
        "newText": "  # pragma: no cover",
    }
    # In a line of wide letters, and in place of blanks at its end.
    assert await offered(client, uri, 18)
    await client.end()


async def test_it_belongs_to_its_diagnostic(launch_vscode: Client, shop: Path) -> None:
    client = launch_vscode
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    shown = [d for d in await client.diagnostics(uri, bool) if d["range"]["start"]["line"] == 16]
    (action,) = await offered(client, uri, 17, shown)
    assert action["diagnostics"] == shown
    await client.end()


async def test_nothing_is_offered_where_all_ran_or_it_was_edited(
    client: Client, shop: Path
) -> None:
    client.ignore(*QUIET)
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    assert await offered(client, uri, 7) == []
    client.change(uri, (shop / "shop.py").read_text().replace("a + b", "a + b + 1"))
    assert await offered(client, uri, 17) == []
    await client.end()


async def test_the_command_has_the_editor_change_the_file(
    launch: Callable[..., Client], shop: Path
) -> None:
    client = launch("neovim")
    client.ignore(*QUIET)
    await client.start(shop)
    edits: list[Any] = []

    def take(params: Any) -> dict[str, bool]:
        edits.append(params)
        return {"applied": True}

    client.answers["workspace/applyEdit"] = take
    uri = client.open(shop / "shop.py")
    assert await client.command("covls.excludeLines", uri, 27, 29) is True
    (params,) = edits
    assert params["label"] == "Exclude `def total`"
    apply(params["edit"], "utf-8")
    lines = (shop / "shop.py").read_text().splitlines()
    assert lines[26] == "    def total(self):  # pragma: no cover"
    client.answers["workspace/applyEdit"] = lambda _: {"applied": False}
    assert await client.command("covls.excludeLines", uri, 11) is False
    refused: list[tuple[list[Any], str]] = [
        ([uri], "needs uri, startLine, and got 1"),
        ([uri, "1"], "startLine must be a whole number from 0, not '1'"),
        ([uri, -1], "startLine must be a whole number from 0, not -1"),
        ([uri, True], "startLine must be a whole number from 0, not True"),
        ([uri, 6], "nothing is known to be uncovered there"),
        (["untitled:a", 6], "nothing is known to be uncovered there"),
    ]
    for arguments, words in refused:
        with pytest.raises(ResponseError, match=words):
            await client.command("covls.excludeLines", *arguments)
    await client.end()


@pytest.mark.parametrize(
    ("exclude", "comment"), [("# nocov", "  # nocov"), ("raise NotImplementedError", None)]
)
async def test_the_projects_own_pragma_or_why_there_is_none(
    launch_vscode: Client, tmp_path: Path, exclude: str, comment: str | None
) -> None:
    project = write(tmp_path / "p", a__py="def f(a):\n    return a\n", test_a__py=TESTS)
    (project / ".coveragerc").write_text(f"{CONFIGURATION}[report]\nexclude_lines = {exclude}\n")
    run_tests(project)
    client = launch_vscode
    client.ignore(*QUIET)
    await client.start(project)
    uri = client.open(project / "a.py")
    (action,) = await offered(client, uri, 2)
    if comment is None:
        assert "edit" not in action
        reason = action["disabled"]["reason"]
        assert reason.startswith("no comment excludes lines here: the `exclude_lines` of ")
        assert ".coveragerc" in reason
        with pytest.raises(ResponseError, match="no comment excludes lines here"):
            await client.command("covls.excludeLines", uri, 1)
    else:
        apply(action["edit"], client.server["capabilities"]["positionEncoding"])
        assert (project / "a.py").read_text().splitlines()[0] == f"def f(a):{comment}"
        assert coverage_json(project)["files"]["a.py"]["excluded_lines"] == [1, 2]
    await client.end()


TESTS = "import a\n\n\ndef test():\n    assert a\n"
