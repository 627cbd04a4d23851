"""Coverage that was lost, in each kind of editor: diagnostic, hover, and covls's own message."""

from pathlib import Path
from typing import Any

from tests.server.client import Client, shape
from tests.server.conftest import SHAPE, SHOP, TESTS, run_tests, write

QUIET = ("covls/status", "covls/didChangeCoverage", "$/progress")
FEWER = TESTS[: TESTS.index("class TestParse")]
NUMBER = "test_shop.py::TestParse::test_number"


async def test_a_deleted_test_takes_coverage_with_it(client: Client, shop: Path) -> None:
    client.ignore(*QUIET)
    await client.start(shop, options={"diagnostics": {"lostSeverity": "warning"}})
    uri = client.open(shop / "shop.py")
    before = await client.diagnostics(uri)
    assert shape(before) == SHAPE
    write(shop, test_shop__py=FEWER)
    run_tests(shop)

    after = await client.diagnostics(uri, lambda items: any(map(is_lost, items)))
    lost = {diagnostic["range"]["start"]["line"] + 1: diagnostic for diagnostic in after}
    words = f"No test runs this line. Covered by {NUMBER}[1] until the last run."
    for line in (11, 13):
        assert is_lost(lost[line])
        assert lost[line]["message"] == words
        assert lost[line]["severity"] == 2
    # What was not covered before was not lost, and is what it was.
    others = [diagnostic for diagnostic in after if not is_lost(diagnostic)]
    assert others == [item for item in before if item["range"]["start"]["line"] + 1 != 11]

    hover = (await client.hover(uri, 12))["contents"]["value"].replace("\\", "")
    assert "Not covered" in hover
    assert f"Covered by {NUMBER}[1] until the last run." in hover
    answer = await client.coverage(uri)
    assert [10, 12, "missing", "fresh"] not in answer["marks"]
    assert [(each["startLine"], each["endLine"]) for each in answer["lost"]] == [(10, 10), (12, 12)]
    assert answer["lost"][0]["tests"] == [f"{NUMBER}[1]"]
    assert answer["lost"][0]["lastRun"] is True
    assert answer["lost"][0]["coveredAt"].endswith("+00:00")

    client.change(uri, "# new\n" + SHOP.replace("return int(text)", "return int(text, 10)"))
    moved = await client.diagnostics(
        uri, lambda items: [line_of(item) for item in items if is_lost(item)] == [12]
    )
    assert len(moved) == len(after) - 1, "the edited line is not lost"
    await client.end()


def is_lost(diagnostic: dict[str, Any]) -> bool:
    return bool(diagnostic["code"] == "lost")


def line_of(diagnostic: dict[str, Any]) -> int:
    return int(diagnostic["range"]["start"]["line"]) + 1
