"""The page in a real browser: what it shows, how it is used, and that nothing leaves it."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from covls.core.coverage import Totals, percent_text
from covls.core.history import RecordedFile, RecordedFunction, Run
from covls.core.history_page import About, gather, page_data
from covls.core.priorities import Factors, Priority, Ranking
from covls.core.settings import Gates
from covls.page.filling import history_page
from tests.page.chromium import ARGUMENTS
from tests.page.values import recorded, run

pytestmark = pytest.mark.needs_tool("chromium", why="it shows the page under test")

HOSTILE = (
    "src/<img src=x onerror=alert(1)>.py",
    'src/"><script>alert(2)</script>.py',
    "src/&lt;b&gt;{data}`${alert(3)}`.py",
)
SUBJECT = "</script><script>alert(4)</script> <b>bold</b> &amp; ${alert(5)}"

# What a machine under load may take for what takes a moment.
PATIENCE = 60_000


def function(name: str, first: int, statements: int, missing: int) -> RecordedFunction:
    counts = Totals(0, statements, 0, missing, 4, 0, 1)
    return RecordedFunction(name, first, first + statements, counts)


def history() -> list[tuple[Run, Mapping[str, RecordedFile]]]:
    """Four runs on main and one beside it; and two with a flag."""
    cart = recorded("src/shop/cart.py", 100, 50, "a", 20, 10)
    price = recorded("src/shop/price.py", 50, 5, "a", 10, 0)
    api = recorded("src/api/client.py", 80, 40, "a")
    old = recorded("src/api/old.py", 20, 20, "a")
    hostile = tuple(recorded(path, 10, 1) for path in HOSTILE)
    functions = (function("Cart.total", 3, 30, 12), function("<i>f</i>", 40, 10, 0))
    after = recorded("src/shop/cart.py", 120, 30, "b", 24, 6, functions)
    tested = recorded("src/shop/price.py", 50, 0, "a", 10, 0)
    new = recorded("src/shop/new.py", 30, 3, "a")
    return [
        run(1, cart, price, api, old, *hostile, subject="Begin"),
        run(2, after, price, api, old, *hostile, subject=SUBJECT),
        run(3, after, price, api, *hostile, subject="Try", branch="side"),
        run(4, after, tested, api, *hostile, subject="Test prices", clean=False),
        run(5, after, tested, api, new, *hostile, subject="Add new"),
        run(1, api, flags=("py313",)),
        run(2, api, old, flags=("py313",), subject="Under 3.13"),
    ]


RANKING = Ranking(
    "function",
    (
        Priority(
            "function",
            "src/shop/cart.py",
            "/src/shop/cart.py",
            "Cart.total",
            3,
            33,
            ((5, 9),),
            (5,),
            Factors(statements=12),
            12.0,
            ("12 statements that no test runs", "<u>hot</u>"),
        ),
    ),
    1,
)

ABOUT = About(
    "shop <script>alert(6)</script>",
    datetime(2024, 3, 9, 8, 30, tzinfo=UTC),
    "1.2",
    "main",
    Gates(total=60, paths={"src/shop/": 70, "src/api/client.py": 45}),
    RANKING,
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS, timeout=2 * PATIENCE
        )
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page that is open, and what it did that it should not."""

    page: Page
    address: str
    wrong: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "history.html"
    file.write_text(history_page(ABOUT, gather(history())), encoding="utf-8")
    return file.as_uri()


def opened(browser: Browser, address: str, scheme: Any = "light", width: int = 1280) -> Opened:
    size: ViewportSize = {"width": width, "height": 900}
    context = browser.new_context(viewport=size, color_scheme=scheme)
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page = context.new_page()
    found = Opened(page, address)
    page.on("console", lambda message: found.wrong.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: found.wrong.append(f"error: {error}"))
    page.on("dialog", lambda dialog: found.wrong.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: found.wrong.append(f"request: {request.url}"))
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    return found


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page, freshly opened. It may say nothing, ask nothing, and load nothing but itself."""
    found = opened(browser, address)
    yield found.page
    found.page.context.close()
    assert found.wrong == [f"request: {address}"]


def rows(page: Page, place: str, column: int = 0) -> list[str]:
    """The texts of a table's column."""
    cells = page.locator(f"{place} tbody tr > :nth-child({column + 1})")
    return [text.strip() for text in cells.all_inner_texts()]


def tile_names(page: Page) -> list[str]:
    return [
        (tile.get_attribute("aria-label") or "").split(":")[0]
        for tile in page.locator("#treemap button").all()
    ]


def focused(page: Page) -> str:
    found = page.evaluate("document.activeElement.getAttribute('aria-label')")
    return str(found).split(":")[0]


def test_it_opens_at_the_newest_run_of_the_branch(page: Page) -> None:
    expect(page).to_have_title("Coverage of shop <script>alert(6)</script>")
    expect(page.locator("#summary")).to_contain_text("4 runs")
    expect(page.locator("#commit")).to_contain_text("Add new")
    expect(page.locator("#runs-table")).to_be_hidden()
    page.get_by_text("The runs as a table").click()
    assert rows(page, "#runs-table", 2) == ["Add new", "Test prices", SUBJECT, "Begin"]


def test_gates_are_lines_where_they_hold(page: Page) -> None:
    chart = page.locator("#chart")
    expect(chart.locator(".gate-words")).to_have_text("gate: at least 60 %")
    page.locator("#treemap button").first.click()  # src/shop is the largest folder
    expect(chart.locator(".gate-words")).to_have_text("gate: at least 70 %")
    expect(chart.get_by_role("img")).to_have_accessible_name(
        "Coverage of src/shop over 4 runs: from 63.9 % to 83.3 %, least 63.9 %, most 83.3 %; "
        "gate at 70 %"
    )
    page.locator("#files-table").get_by_role("button", name="client.py").click()
    expect(chart.locator(".gate-words")).to_have_text("gate: at least 45 %")
    page.get_by_role("button", name="Show everything").click()
    expect(chart.locator(".gate-words")).to_have_text("gate: at least 60 %")


def test_files_are_sorted_and_filtered(page: Page) -> None:
    place = "#files-table"
    assert rows(page, place)[:2] == ["src/api/client.py", "src/shop/cart.py"]  # by what is missing
    head = page.locator(f"{place} thead")
    head.get_by_role("button", name="File").click()
    assert rows(page, place)[0] == HOSTILE[1]
    expect(head.locator("[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    head.get_by_role("button", name="File").click()
    assert rows(page, place)[0] == "src/shop/price.py"
    head.get_by_role("button", name="Statements").click()
    statements = [int(text) for text in rows(page, place, 2)]
    assert statements == sorted(statements, reverse=True)
    page.get_by_role("searchbox", name="Filter files").first.fill("SHOP new")
    assert rows(page, place) == ["src/shop/new.py"]
    expect(page.locator(f"{place} [role=status]")).to_have_text("1 of 7 files")


def test_the_map_is_walked_by_keyboard(page: Page) -> None:
    tiles = page.locator("#treemap button")
    # src holds all, and is passed over.
    assert tile_names(page)[:2] == ["Folder shop", "Folder api"]
    assert [tile.get_attribute("tabindex") for tile in tiles.all()].count("0") == 1
    tiles.first.focus()
    page.keyboard.press("End")
    assert focused(page) in HOSTILE or focused(page).startswith(("<", '"', "&"))
    page.keyboard.press("Home")
    assert focused(page) == "Folder shop"
    seen = {focused(page)}
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
        seen.add(focused(page))
    assert "Folder api" in seen
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    assert tile_names(page) == ["cart.py", "price.py", "new.py"]
    assert focused(page) == "cart.py"
    expect(page.locator("#crumbs")).to_have_text("Everything/src/shop")
    page.keyboard.press("Enter")  # a file shows its trend
    expect(page.locator("#trend-where strong")).to_have_text("src/shop/cart.py")
    expect(page.locator("#treemap button[aria-pressed=true]")).to_have_count(1)
    page.keyboard.press("Escape")
    assert focused(page) == "Folder shop"
    expect(page.locator("#crumbs")).to_have_text("Everything")


def test_the_map_is_walked_by_mouse(page: Page) -> None:
    tile = page.locator("#treemap button").first
    tile.hover(position={"x": 20, "y": 60})
    expect(page.locator("#treemap .tip strong")).to_have_text("src/shop/cart.py")
    tile.click()
    page.get_by_text("The folder as a table").click()
    assert rows(page, "#folder-table") == ["cart.py", "price.py", "new.py"]
    page.locator("#crumbs").get_by_role("button", name="Everything").click()
    page.locator("#folder-table").get_by_role("button", name="api/").click()
    assert tile_names(page) == ["client.py"]


def test_another_commit_is_looked_at(page: Page) -> None:
    cursor = page.get_by_role("slider", name="Commit")
    cursor.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#commit")).to_contain_text("Test prices")
    expect(page.locator("#commit")).to_contain_text("work tree not clean")
    expect(page.locator("#files-table [role=status]")).to_have_text("6 files")
    page.keyboard.press("Home")
    expect(page.locator("#commit")).to_contain_text("Begin")
    expect(page.locator("#files-table [role=status]")).to_have_text("7 files")
    assert "src/api/old.py" in rows(page, "#files-table")
    assert "Begin" in (cursor.get_attribute("aria-valuetext") or "")
    chart = page.locator("#chart").bounding_box()
    assert chart
    page.mouse.move(chart["x"] + chart["width"] - 15, chart["y"] + 60)
    expect(page.locator("#chart .tip")).to_contain_text("Add new")
    page.mouse.click(chart["x"] + chart["width"] - 15, chart["y"] + 80)
    expect(page.locator("#commit")).to_contain_text("Add new")
    page.mouse.down()
    page.mouse.move(chart["x"] + 50, chart["y"] + 80)
    page.mouse.up()
    expect(page.locator("#commit")).to_contain_text("Begin")
    page.get_by_role("button", name="To the latest").click()
    expect(page.locator("#commit")).to_contain_text("Add new")


def test_two_commits_are_compared(page: Page) -> None:
    assert rows(page, "#compare-table") == ["src/shop/new.py"]  # against the run before
    page.locator("#compare-from").select_option(index=3)
    expect(page.locator("#compare-summary")).to_contain_text("58.71 % → 76.16 % (+17.45)")
    by_file = dict(zip(rows(page, "#compare-table"), rows(page, "#compare-table", 1), strict=True))
    assert by_file == {
        "src/shop/cart.py": "code changed",
        "src/shop/price.py": "code the same",
        "src/shop/new.py": "new",
        "src/api/old.py": "deleted",
    }
    assert rows(page, "#compare-parts", 3) == ["−20", "−5", "+3", "−20"]
    page.get_by_role("button", name="Swap").click()
    expect(page.locator("#compare-summary")).to_contain_text("the first is the later one")
    assert rows(page, "#compare-parts", 3) == ["+20", "+5", "+20", "−3"]
    page.get_by_role("slider", name="Commit").press("ArrowLeft")
    page.get_by_role("button", name="Compare from here").click()
    expect(page.locator("#compare-from")).to_have_value("2")


def test_branches_and_flags_are_chosen(page: Page) -> None:
    page.locator("#branch").select_option("all")
    expect(page.locator("#summary")).to_contain_text("5 runs")
    page.locator("#flags").select_option("py313")
    expect(page.locator("#summary")).to_contain_text("2 runs")
    expect(page.locator("#commit")).to_contain_text("Under 3.13")
    assert set(rows(page, "#files-table")) == {"src/api/client.py", "src/api/old.py"}
    expect(page.locator("#functions")).to_be_hidden()


def test_functions_and_priorities(page: Page) -> None:
    assert rows(page, "#functions-table") == ["Cart.total", "<i>f</i>"]
    assert rows(page, "#functions-table", 1)[0] == "src/shop/cart.py:3"
    assert rows(page, "#priorities-table", 3) == ["12 statements that no test runs, <u>hot</u>"]


def test_names_are_shown_and_nothing_of_them_becomes_an_element(page: Page) -> None:
    assert set(HOSTILE) <= set(rows(page, "#files-table"))
    page.get_by_role("slider", name="Commit").press("Home")
    page.get_by_role("slider", name="Commit").press("ArrowRight")
    expect(page.locator("#commit")).to_contain_text(SUBJECT)
    for path in HOSTILE:
        page.locator("#files-table").get_by_role("button", name=path, exact=True).click()
        expect(page.locator("#trend-where strong")).to_have_text(path)
    for selector in ("img", "main script", "u", "i", "b"):
        expect(page.locator(selector)).to_have_count(0)


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_colours_follow_the_system_until_they_are_chosen(page: Page) -> None:
    light = background(page)
    page.emulate_media(color_scheme="dark")
    dark = background(page)
    assert light != dark
    page.locator("#theme").select_option("light")
    assert background(page) == light
    page.emulate_media(color_scheme="light")
    page.locator("#theme").select_option("dark")
    assert background(page) == dark
    page.locator("#theme").select_option("as the system")
    assert background(page) == light


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_it_is_accessible(browser: Browser, address: str, scheme: str, width: int) -> None:
    found = opened(browser, address, scheme, width)
    page = found.page
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    page.locator("#treemap button").first.click()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()
    assert found.wrong == [f"request: {address}"]


def test_everything_is_reached_by_tab(page: Page) -> None:
    reached = []
    for _ in range(80):
        page.keyboard.press("Tab")
        name = page.evaluate(
            "((e) => e === document.body ? '' : e.id || e.closest('section')?.id || e.textContent)"
            "(document.activeElement)"
        )
        if not name:
            break
        reached.append(name)
    assert reached[0] == "To the content"
    parts = list(dict.fromkeys(name for name in reached if "\n" not in name))
    for name in ("theme", "cursor", "map", "files", "functions", "priorities", "compare-from"):
        assert name in parts, name
    order = [parts.index(name) for name in ("theme", "cursor", "map", "files", "compare-from")]
    assert order == sorted(order)


def test_a_long_table_is_shown_in_parts(browser: Browser, tmp_path: Path) -> None:
    files = [recorded(f"src/name{number}.py", 9, 1) for number in range(230)]
    file = tmp_path / "long.html"
    file.write_text(history_page(ABOUT, gather([run(0, *files)])), encoding="utf-8")
    page = opened(browser, file.as_uri()).page
    expect(page.locator("#files-table tbody tr")).to_have_count(200)
    page.get_by_role("button", name="Show more (30 are left)").click()
    expect(page.locator("#files-table tbody tr")).to_have_count(230)
    expect(page.locator("#files-table tbody tr:nth-child(201) button")).to_be_focused()
    expect(page.locator("#files-table .more")).to_be_hidden()
    page.context.close()


def test_a_page_without_runs_says_so(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "empty.html"
    file.write_text(history_page(ABOUT, gather([])), encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    expect(page.locator("#trouble")).to_contain_text("No run is recorded yet", timeout=PATIENCE)
    page.close()


# What it calculates


def test_it_rounds_as_covls_does(page: Page) -> None:
    values = [0, 0.01, 0.04, 0.26, 49.94, 50.0, 99.9, 99.94, 99.96, 99.999, 100]
    shown = page.evaluate("values => values.map((value) => percentText(value))", values)
    assert shown == [f"{percent_text(value, 1)} %" for value in values]


def test_what_was_packed_is_unpacked(page: Page) -> None:
    random = Random(3)
    paths = [f"a/{number}.py" for number in range(12)]
    runs = []
    for number in range(30):
        some = [
            recorded(path, random.choice([3, 50]), random.choice([0, 3]), random.choice("ab"))
            for path in random.sample(paths, random.randint(1, 12))
        ]
        runs.append(run(number, *some))
    told = page.evaluate(
        """(page) => {
            const packed = JSON.parse(page);
            const series = unpack(packed.series[0], packed.files.length);
            return series.runs.map((run) => [run.totals, filesAt(series, packed.files, run.at)
                .map(({ path, source, totals }) => [path, source, ...totals])]);
        }""",
        json.dumps(page_data(ABOUT, gather(runs))),
    )
    for (each, files), (totals, found) in zip(runs, told, strict=True):
        assert totals[:2] == [each.totals.n_statements, each.totals.n_missing]
        expected = [
            [path, file.totals.n_statements, file.totals.n_missing] for path, file in files.items()
        ]
        assert sorted([path, *counts[1:3]] for path, *counts in found) == sorted(expected)
    # The number of a file's text is the same exactly where the text is.
    for path in paths:
        seen = [
            (files[path].source, next(row[1] for row in found if row[0] == path))
            for (_, files), (_, found) in zip(runs, told, strict=True)
            if path in files
        ]
        for one, other in pairwise(seen):
            assert (one[0] == other[0]) == (one[1] == other[1])


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (recorded("a.py", 9, 3, "1"), recorded("a.py", 9, 3, "1"), None),
        (recorded("a.py", 9, 3, "1"), recorded("a.py", 9, 2, "1"), "tests"),
        (recorded("a.py", 9, 3, "1"), recorded("a.py", 9, 3, "2"), "code"),
        (recorded("a.py", 9, 3, ""), recorded("a.py", 9, 3, ""), None),
        (recorded("a.py", 9, 3, ""), recorded("a.py", 9, 2, ""), "unknown"),
        (recorded("a.py", 9, 3, "1"), recorded("a.py", 9, 2, ""), "unknown"),
        (recorded("b.py", 9, 3, "1"), recorded("a.py", 9, 3, "1"), "added"),
        (recorded("a.py", 9, 3, "1"), recorded("b.py", 9, 3, "1"), "deleted"),
    ],
)
def test_what_became_of_a_file(
    page: Page, before: RecordedFile, after: RecordedFile, kind: str | None
) -> None:
    told = page.evaluate(
        """(page) => {
            const packed = JSON.parse(page);
            const series = unpack(packed.series[0], packed.files.length);
            return compare(series, packed.files, 0, 1).rows.map(({ path, kind }) => [path, kind]);
        }""",
        json.dumps(page_data(ABOUT, gather([run(0, before), run(1, after)]))),
    )
    assert dict(told).get("a.py") == kind


def test_a_map_fills_its_area(page: Page) -> None:
    weights = sorted((Random(5).randint(1, 500) for _ in range(40)), reverse=True)
    parts = page.evaluate(
        "weights => squarify(weights, {x: 0, y: 0, width: 400, height: 300})", weights
    )
    for weight, part in zip(weights, parts, strict=True):
        area = part["width"] * part["height"]
        assert area == pytest.approx(120_000 * weight / sum(weights))
        assert part["x"] + part["width"] < 400.01
        assert part["y"] + part["height"] < 300.01
    for at, one in enumerate(parts):
        for other in parts[at + 1 :]:
            wide = min(one["x"] + one["width"], other["x"] + other["width"]) - max(
                one["x"], other["x"]
            )
            high = min(one["y"] + one["height"], other["y"] + other["height"]) - max(
                one["y"], other["y"]
            )
            assert min(wide, high) < 0.001
