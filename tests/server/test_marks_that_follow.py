"""Marks that stay right in an editor whatever happens to the files, and few messages about it.

The truth is measuring again: what is done to the files changes nothing that the program does.
"""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from covls.core.lines import split_lines
from tests.adapters.repositories import Repository, needs_git
from tests.core.edits import Edit, add_comments, double_block, into_if, rename_local, swap_blocks
from tests.core.real_modules import text_of
from tests.server.client import Client
from tests.server.conftest import SHOP, measure, write

QUIET = ("covls/status", "$/progress")
TOLD = ("covls/didChangeCoverage", "textDocument/publishDiagnostics")

MODULES = {"words.py": "textwrap", "shell.py": "shlex", "colors.py": "colorsys"}

MAIN = """\
import colors, shell, words

words.wrap("one two-three four " * 5, 20, subsequent_indent="  ")
words.shorten("one two three", 8), words.dedent("  a\\n    b\\n\\n")
shell.split("a 'b c' d # e", comments=True), shell.quote("a b")
colors.rgb_to_hls(0.2, 0.4, 0.4), colors.hsv_to_rgb(0.1, 0.5, 0.5)
"""

States = Mapping[int, tuple[str, str]]
"""State and freshness by line."""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Modules of the standard library as a project in git, measured as committed an hour ago."""
    repository = Repository(tmp_path / "project")
    then = time.time() - 3600
    repository.write(".coveragerc", "[run]\nbranch = true\nrelative_files = true\n", then)
    repository.write(".gitignore", "__pycache__\n.coverage\n", then)
    repository.write("main.py", MAIN, then)
    for name, module in MODULES.items():
        repository.write(name, text_of(module), then)
    repository("add", ".")
    repository("commit", "-qm", "all", at=then)
    measure(repository.folder, "coverage", "run", "main.py")
    return repository


async def shown(client: Client, path: Path) -> States:
    """What an editor shows of a file that it opens now, and closes again."""
    uri = client.open(path)
    found = await client.coverage(uri)
    client.close(uri)
    return states(found)


def states(found: Mapping[str, list[list[str | int]]]) -> States:
    return {
        line: (str(state), str(freshness))
        for start, end, state, freshness in found["marks"]
        for line in range(int(start) + 1, int(end) + 2)
    }


async def opened(launch: Callable[..., Client], folder: Path) -> Client:
    client = launch()
    client.ignore(*QUIET, *TOLD)
    await client.start(folder)
    return client


async def all_shown(launch: Callable[..., Client], folder: Path) -> dict[str, States]:
    """What a server that is started now shows of each file."""
    client = await opened(launch, folder)
    found = {name: await shown(client, folder / name) for name in MODULES}
    await client.end()
    return found


async def measured_again(launch: Callable[..., Client], folder: Path) -> dict[str, States]:
    """What measuring the files as they are now shows, all of it fresh."""
    copy = folder.parent / f"measured {len(list(folder.parent.iterdir()))}"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(".coverage", ".git"))
    measure(copy, "coverage", "run", "main.py")
    found = await all_shown(launch, copy)
    assert all(freshness == "fresh" for each in found.values() for _, freshness in each.values())
    return found


def compare(found: Mapping[str, States], truth: Mapping[str, States], *, fresh: float) -> None:
    """Nothing fresh is wrong, and at least such a share of the lines is fresh."""
    for name, said_again in truth.items():
        right = {line: mark for line, mark in found[name].items() if mark[1] == "fresh"}
        assert right.items() <= said_again.items(), name
        assert len(right) >= fresh * len(said_again), name


def edit(folder: Path, *edits: Edit, seed: int = 1) -> None:
    """Edit each module on disk."""
    chosen = random.Random(seed)
    for name in MODULES:
        lines = split_lines((folder / name).read_text(encoding="utf-8"))
        for each in edits:
            lines = each(lines, chosen)
        (folder / name).write_text("\n".join(lines), encoding="utf-8")


def ruff_format(folder: Path) -> None:
    """Format all of a project as somebody would who likes other quotes than its authors."""
    style = ["--isolated", "--config", "format.quote-style='single'", "--line-length=72"]
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", *style, folder], check=True)


async def test_closed_edited_and_opened_again(
    launch: Callable[..., Client], repository: Repository
) -> None:
    folder = repository.folder
    shutil.rmtree(folder / ".git")
    await all_shown(launch, folder)
    edit(folder, add_comments, swap_blocks, rename_local, into_if, double_block)
    compare(await all_shown(launch, folder), await measured_again(launch, folder), fresh=0.8)


async def test_the_whole_project_is_formatted(
    launch: Callable[..., Client], repository: Repository
) -> None:
    folder = repository.folder
    client = await opened(launch, folder)
    uris = {name: client.open(folder / name) for name in MODULES}
    measured = {name: states(await client.coverage(uri)) for name, uri in uris.items()}
    ruff_format(folder)
    truth = await measured_again(launch, folder)
    for name, uri in uris.items():
        client.change(uri, (folder / name).read_text(encoding="utf-8"))
        client.save(uri)
    found = {name: states(await client.coverage(uri)) for name, uri in uris.items()}
    # No line of these modules holds two statements, so that nothing is left open.
    compare(found, truth, fresh=1)
    for name, uri in uris.items():
        client.change(uri, text_of(MODULES[name]))
    assert measured == {name: states(await client.coverage(uri)) for name, uri in uris.items()}
    await client.end()
    assert await all_shown(launch, folder) == found, "an editor opened since shows the same"


@needs_git
async def test_another_branch_and_back(
    launch: Callable[..., Client], repository: Repository
) -> None:
    folder = repository.folder
    client = await opened(launch, folder)
    uris = {name: client.open(folder / name) for name in MODULES}
    measured = {name: states(await client.coverage(uri)) for name, uri in uris.items()}
    repository("checkout", "-qb", "other")
    edit(folder, swap_blocks, rename_local, double_block, seed=2)
    ruff_format(folder)
    repository("commit", "-qam", "other")
    truth = await measured_again(launch, folder)
    repository("checkout", "-q", "main")
    repository("checkout", "-q", "other")

    async def reloaded() -> dict[str, States]:
        for name, uri in uris.items():
            client.change(uri, (folder / name).read_text(encoding="utf-8"))
            client.save(uri)
        return {name: states(await client.coverage(uri)) for name, uri in uris.items()}

    found = await reloaded()
    compare(found, truth, fresh=0.8)
    assert await all_shown(launch, folder) == found
    repository("checkout", "-q", "main")
    assert await reloaded() == measured
    await client.end()
    assert await all_shown(launch, folder) == measured


@needs_git
async def test_what_was_measured_is_stashed_and_brought_back(
    launch: Callable[..., Client], repository: Repository
) -> None:
    folder = repository.folder
    committed = await all_shown(launch, folder)
    edit(folder, swap_blocks, add_comments, rename_local, seed=3)
    past = time.time() - 600
    for name in MODULES:
        os.utime(folder / name, (past, past))
    measure(folder, "coverage", "run", "main.py")
    measured = await all_shown(launch, folder)
    repository("stash", "-q")
    compare(await all_shown(launch, folder), committed, fresh=0.9)
    repository("stash", "pop", "-q")
    assert await all_shown(launch, folder) == measured


async def test_a_burst_of_typing_is_few_messages(minimal: Client, shop: Path) -> None:
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    await minimal.diagnostics(uri)
    await minimal.receive("covls/didChangeCoverage")
    started = time.monotonic()
    for count in range(1, 41):
        minimal.change(uri, "\n" * count + SHOP)
    found = await minimal.coverage(uri)
    assert found["version"] == 41
    await minimal.receive(
        "textDocument/publishDiagnostics",
        lambda params: params["diagnostics"][0]["range"]["start"]["line"] == 44,
    )
    # One at once, one for each twentieth of a second that the burst takes, and the last.
    most = 2 + (time.monotonic() - started) / 0.05
    for method in TOLD:
        assert minimal.count(method) <= most, method
    minimal.ignore(*TOLD)
    await minimal.end()


async def test_an_edit_that_moves_nothing_is_no_message(minimal: Client, shop: Path) -> None:
    write(shop, other__py="x = 1\n")
    minimal.ignore(*QUIET)
    await minimal.start(shop)
    uri = minimal.open(shop / "shop.py")
    other = minimal.open(shop / "test_shop.py")
    await minimal.diagnostics(uri)
    for _ in range(2):
        await minimal.receive("covls/didChangeCoverage")
    # The state of every line is as it was, and so is the place of every mark.
    for text in (SHOP + "# later\n", SHOP.replace("# Nothing but", "# Only"), SHOP + "\n\n"):
        version = minimal.change(uri, text)
        assert (await minimal.coverage(uri))["version"] == version
    version = minimal.change(uri, "\n" + SHOP)
    moved = await minimal.receive("textDocument/publishDiagnostics")
    assert moved["uri"] == uri
    assert moved["diagnostics"][0]["range"]["start"]["line"] == 5
    assert await minimal.receive("covls/didChangeCoverage") == {"uri": uri, "version": version}
    await minimal.coverage(other)
    # Whatever else had been sent would be here, and `end` fails for it.
    await minimal.end()
