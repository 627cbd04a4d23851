"""A run told test by test, to clients that want to hear of it: to others it would be unclaimed."""

from pathlib import Path
from typing import Any

from tests.server.client import Client, uri_of
from tests.server.conftest import CONFIGURATION, write
from tests.server.features.test_run import OPTIONS, QUIET, SHOP, TESTS, WAITS, there

FAILS = TESTS.replace("== 7", "== 8")
BROKEN = "import nowhere_at_all\n"


async def started(client: Client, folder: Path, **tests: str) -> Path:
    """A project with these tests, opened by a client that wants to be told."""
    write(folder, shop__py=SHOP, **tests)
    (folder / ".coveragerc").write_text(CONFIGURATION)
    client.ignore(*QUIET, "window/showMessage", "textDocument/publishDiagnostics")
    client.capabilities = {**client.capabilities, "experimental": {"covls": {"testRun": True}}}
    await client.start(folder, options=OPTIONS)
    return folder


async def told_of(client: Client, run: int) -> list[Any]:
    """All that is told of a run, up to its end."""
    found: list[Any] = []
    while not found or found[-1]["state"] != "ended":
        found.append(await client.receive("covls/testRun", lambda params: params["run"] == run))
    return found


async def test_a_run_test_by_test(minimal: Client, tmp_path: Path) -> None:
    shop = await started(minimal, tmp_path / "shop", test_shop__py=FAILS)
    (run,) = await minimal.command("covls.runAll")
    told = await told_of(minimal, run)
    assert {each["folder"] for each in told} == {uri_of(shop)}
    assert {each["title"] for each in told} == {"All tests of shop"}
    states = [each["state"] for each in told]
    assert (states[0], states[-1], set(states[1:-1])) == ("begun", "ended", {"running"})
    finished = {each["test"]: each for message in told for each in message["finished"]}
    tests = ["test_shop.py::test_discount", "test_shop.py::test_parse"]
    assert [test for message in told for test in message["tests"]] == tests
    assert [test for message in told for test in message["started"]] == tests
    outcomes = {test: each["outcome"] for test, each in finished.items()}
    assert outcomes == {
        "test_shop.py::test_discount": "passed",
        "test_shop.py::test_parse": "failed",
    }
    failed = finished["test_shop.py::test_parse"]
    assert failed["location"]["uri"] == uri_of(shop / "test_shop.py")
    assert failed["location"]["range"]["start"]["line"] == 8
    assert "== 8" in failed["details"]
    assert told[-1]["message"].startswith("1 passed, 1 failed")

    # The coverage that it led to is known by the end.
    coverage = await minimal.request("covls/projectCoverage", {})
    assert coverage["summary"]["statements"] > 0
    (again,) = await minimal.command("covls.runTests", uri_of(shop), tests[:1])
    assert again > run
    told = await told_of(minimal, again)
    assert [each["test"] for message in told for each in message["finished"]] == tests[:1]

    # A file that cannot be imported stands for its tests.
    write(shop, test_broken__py=BROKEN)
    (run,) = await minimal.command("covls.runAll")
    told = await told_of(minimal, run)
    (error,) = [each for message in told for each in message["finished"]]
    assert (error["test"], error["outcome"]) == ("test_broken.py", "error")
    assert "nowhere_at_all" in error["message"]
    await minimal.end()


async def test_one_that_never_began_ends_all_the_same(minimal: Client, tmp_path: Path) -> None:
    shop = await started(minimal, tmp_path / "shop", test_waits__py=WAITS)
    (first,) = await minimal.command("covls.runAll")
    await there(tmp_path / "waiting")
    (second,) = await minimal.command("covls.runAll")
    assert await minimal.command("covls.cancelRun", uri_of(shop)) is True
    assert [each["state"] for each in await told_of(minimal, second)] == ["ended"]
    assert (await told_of(minimal, first))[0]["state"] == "begun"
    await minimal.end()
