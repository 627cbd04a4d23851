"""What clients get that lack a part of the protocol: pushed instead of pulled, words instead of a
document or a progress, and positions in the encoding they count in.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from covls.server.session import PATIENCE
from tests.server.client import Client, ResponseError, shape, uri_of
from tests.server.conftest import MISSING, SHAPE, measure, write
from tests.server.features.test_run import OPTIONS, QUIET, WAITS, there

ASTRAL = """\
def price(amount):
    if amount < 0: raise ValueError("\N{MONEY BAG}" * amount)  # \N{MONEY BAG}\N{EURO SIGN}
    return amount


def never():
    return "\N{MONEY BAG}", "\N{EURO SIGN}", 1
"""
"""The uncovered line ends in text that every encoding counts in another way."""

LITERALS = {"codeActionKind": {"valueSet": ["quickfix"]}}

CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


@pytest.fixture
def astral(tmp_path: Path) -> Path:
    """A measured project with text beyond the basic plane."""
    folder = write(tmp_path / "astral", a__py=ASTRAL, use__py="import a\na.price(1)\n")
    measure(folder, "coverage", "run", "--source=.", "use.py")
    return folder


async def test_pulled_and_never_refreshed_is_pushed(
    launch: Callable[..., Client], shop: Path
) -> None:
    client = launch("minimal")
    client.capabilities = {"textDocument": {"diagnostic": {}, "codeLens": {}}}
    client.ignore(*QUIET)
    server = await client.start(shop)
    assert "diagnosticProvider" not in server["capabilities"]
    uri = client.open(shop / "shop.py")
    assert sorted(shape(await client.diagnostics(uri, bool))) == SHAPE
    # Lenses cannot be refreshed either, and are there whenever they are asked for.
    assert len(await client.lenses(uri)) == 6
    await client.end()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_positions_count_in_the_clients_encoding(
    launch: Callable[..., Client], astral: Path, encoding: str
) -> None:
    client = launch("minimal")
    client.capabilities = {
        "general": {"positionEncodings": [encoding]},
        "textDocument": {"codeAction": {"codeActionLiteralSupport": LITERALS}},
    }
    client.ignore(*QUIET)
    server = await client.start(astral)
    assert server["capabilities"]["positionEncoding"] == encoding
    uri = client.open(astral / "a.py")
    found = await client.diagnostics(uri, bool)
    (last,) = [each for each in found if each["range"]["start"]["line"] == 6]
    line = ASTRAL.splitlines()[6]
    codec, size = CODECS[encoding]
    width = len(line.encode(codec)) // size
    assert last["range"]["end"] == {"line": 6, "character": width}
    (action,) = await client.actions(uri, 7, only=["quickfix.covls.exclude"])
    (edit,) = action["edit"]["changes"][uri]
    assert edit["range"]["start"]["line"] == 5
    assert edit["newText"] == "  # pragma: no cover"
    assert await client.hover(uri, 6, width) is not None
    await client.end()


async def test_settings_that_come_with_initialize_alone(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    options = {"covls": {"diagnostics": {"severity": "error"}, "hints": {"enable": True}}}
    await minimal.start(shop, options=options)
    uri = minimal.open(shop / "shop.py")
    found = await minimal.diagnostics(uri, bool)
    assert {each["severity"] for each in found} == {1}
    assert await minimal.hints(uri)
    await minimal.end()


async def test_the_end_of_a_run_is_told_where_it_was_cancelled_too(
    minimal: Client, tmp_path: Path
) -> None:
    minimal.ignore(*QUIET)
    folder = write(tmp_path / "shop", test_waits__py=WAITS)
    await minimal.start(folder, options=OPTIONS)
    await minimal.command("covls.runAll", uri_of(folder))
    await minimal.receive("window/showMessage")
    await there(tmp_path / "waiting")
    assert await minimal.command("covls.cancelRun") is True
    ended = await minimal.receive("window/showMessage")
    assert "Cancelled after 0 of 1 tests." in ended["message"]
    await minimal.end()


async def test_where_no_question_is_asked_its_words_are_told(
    launch: Callable[..., Client], shop: Path
) -> None:
    """It says that it shows documents, and refuses what it is asked of the user."""
    client = launch("minimal")
    client.capabilities = {"window": {"showDocument": {"support": True}}}
    client.ignore(*QUIET, "textDocument/publishDiagnostics", "window/showMessageRequest")
    await client.start(shop, options=OPTIONS)
    uri = client.open(shop / "shop.py")
    # Both tests reach one of these lines.
    await client.command("covls.goToTests", uri, 3, 12)
    said = (await client.receive("window/showMessage"))["message"].splitlines()
    assert said == [
        "covls: 2 tests reach this:",
        f"test_shop.py::TestParse::test_number is in {shop / 'test_shop.py'}, line 12",
        f"test_shop.py::test_discount is in {shop / 'test_shop.py'}, line 6",
    ]
    tests = shop / "test_shop.py"
    tests.write_text(tests.read_text().replace("== 90", "== 80"))
    await client.command("covls.runAll")
    await client.receive("window/showMessage", lambda said: "running" in said["message"])
    failed = await client.receive("window/showMessage")
    assert failed["type"] == 2
    assert "test_shop.py::test_discount: assert 90 == 80" in failed["message"]
    log = Path(failed["message"].rpartition("What they printed: ")[2])
    assert "def test_discount():" in log.read_text()
    await client.end()


@pytest.mark.parametrize("can", [False, True])
async def test_edits_are_offered_to_those_who_can_make_them(
    launch: Callable[..., Client], shop: Path, can: bool
) -> None:
    client = launch("minimal")
    client.capabilities = {"workspace": {"applyEdit": can}}
    client.ignore(*QUIET, "textDocument/publishDiagnostics")
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    line = MISSING[1][0]
    offered = {
        action["command"]: action["arguments"] for action in await client.actions(uri, line - 1)
    }
    edits = {"covls.excludeLines", "covls.createTest"}
    assert set(offered) & edits == (edits if can else set())
    assert "covls.explain" in offered
    if can:
        client.answers["workspace/applyEdit"] = lambda _: {"applied": True}
        assert await client.command("covls.excludeLines", *offered["covls.excludeLines"]) is True
    else:
        for command in ("covls.excludeLines", "covls.createTest"):
            with pytest.raises(ResponseError, match="cannot be asked to edit files"):
                await client.command(command, uri, line - 2)
    await client.end()


async def test_an_edit_that_its_user_thinks_about(
    launch: Callable[..., Client], shop: Path
) -> None:
    """Emacs asks before it makes an edit that a server sends; the answer may take its time."""
    client = launch("minimal")
    client.capabilities = {"workspace": {"applyEdit": True}}
    client.silent = True
    client.ignore(*QUIET, "textDocument/publishDiagnostics")
    await client.start(shop)
    uri = client.open(shop / "shop.py")
    params: dict[str, Any] = {"command": "covls.createTest", "arguments": [uri, MISSING[1][0] - 2]}
    _, answer = client.ask("workspace/executeCommand", params)
    await client.until(lambda: client.count("workspace/applyEdit"))
    (asked,) = [m for m in client.unclaimed if m["method"] == "workspace/applyEdit"]
    client.unclaimed.remove(asked)
    # Longer than the server waits for what it has to know.
    done, _ = await asyncio.wait([answer], timeout=PATIENCE + 0.5)
    assert not done
    client.send({"id": asked["id"], "result": {"applied": True}})
    assert (await answer)["name"] == "test_never"
    said = (await client.receive("window/showMessage"))["message"]
    assert said.startswith("covls: test_never is in ")
    await client.end()
