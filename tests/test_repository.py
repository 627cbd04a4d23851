"""What stands in the repository: nothing of any one machine, and documents that are true."""

import ast
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from covls.cli import invocation
from covls.cli.main import cli
from scripts.environment import CONSTRAINTS, requirements
from scripts.generate import generated

ROOT = Path(__file__).resolve().parent.parent
MAX_BYTES = 600_000

# Put together here, so that this file does not hold what it looks for.
FORBIDDEN = {
    "a package registry's host": "|".join(
        [
            "py" + r"pi\.org",
            "python" + r"hosted\.org",
            "npm" + r"js\.(org|com)",
            "crates" + r"\.io",
            "proxy" + r"\.golang\.org",
        ]
    ),
    "a path of the machine this was made on": r"(?<![\w/])/(" + "ro" + "ot|wo" + "rk|tm" + "p/w)/",
}


def tracked() -> list[Path]:
    """The files git knows, without those deleted in the work tree."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def documents() -> list[Path]:
    """The pages people read."""
    return [path for path in tracked() if path.suffix == ".md"]


def console_commands(page: Path) -> Iterator[tuple[int, list[str]]]:
    """The commands (after `$ `) in a page's console blocks, as words, with their line numbers."""
    inside = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            inside = line.strip() == "```console"
        elif inside and line.lstrip().startswith("$ "):
            yield number, shlex.split(line.lstrip()[2:], comments=True)


def cli_commands() -> dict[str, click.Command]:
    """covls's commands by name."""
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def make_targets() -> dict[str, str]:
    """The Makefile's targets that are commands, each with its sentence of help."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony is not None
    helped = dict(re.findall(r"^([a-z-]+):.*## (.+)$", text, re.MULTILINE))
    return {name: helped.get(name, "") for name in phony[1].split()}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what].encode())
    found = [
        f"{path.relative_to(ROOT)}: {match[0].decode()}"
        for path in tracked()
        for match in pattern.finditer(path.read_bytes())
    ]
    assert found == [], f"{what} has no place in the repository"


def test_no_file_is_large() -> None:
    assert [path for path in tracked() if path.stat().st_size > MAX_BYTES] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix == ".py"
        and (text := path.read_text(encoding="utf-8")).strip()
        and not ast.get_docstring(ast.parse(text))
    ]
    assert silent == []


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in tracked() if path.is_relative_to(ROOT / "covls")}
    modules = {path.parent for path in tracked() if path.suffix == ".py"}
    assert [f for f in folders & modules if not (f / "__init__.py").is_file()] == []


def test_the_map_names_exactly_the_modules_that_exist() -> None:
    page = (ROOT / "covls/ARCHITECTURE.md").read_text(encoding="utf-8")
    block = re.search(r"^## Map\n.*?```text\n(.*?)```", page, re.DOTALL | re.MULTILINE)
    assert block is not None
    named: list[str] = []
    above: list[str] = []  # the folders a line stands in
    for line in block[1].splitlines():
        name = line.split()[0]
        above = above[: (len(line) - len(line.lstrip())) // 2]
        if name.endswith("/"):
            above.append(name)
        elif above[0] == "covls/":
            named.append("".join(above) + name)
    modules = sorted(
        path.relative_to(ROOT).with_suffix("").as_posix()
        for path in tracked()
        if path.suffix == ".py"
        and path.is_relative_to(ROOT / "covls")
        and not path.stem.startswith("__")
    )
    assert sorted(named) == modules


def test_every_command_in_the_documents_exists() -> None:
    commands, targets = cli_commands(), make_targets()
    wrong: list[str] = []
    seen: set[str] = set()
    for page in documents():
        for number, words in console_commands(page):
            match words:
                case ["covls", str(name), *arguments] if not name.startswith("-"):
                    # What stands behind `--` is another program's.
                    arguments = arguments[: [*arguments, "--"].index("--")]
                    known = commands.get(name)
                    if isinstance(known, click.Group) and arguments:
                        known = known.get_command(click.Context(known), arguments[0])
                    options = [option for p in known.params for option in p.opts] if known else []
                    given = [a.partition("=")[0] for a in arguments if a.startswith("-")]
                    right = known is not None and {*given} <= {*options, "--help"}
                case ["make", str(name), *_]:
                    right = name in targets
                case _:
                    continue
            seen.add(words[0])
            if not right:
                wrong.append(f"{page.relative_to(ROOT)}:{number}: {shlex.join(words)}")
    assert wrong == []
    assert seen == {"covls", "make"}


def test_the_table_of_formats_is_what_commands_write() -> None:
    page = (ROOT / "docs/gates.md").read_text(encoding="utf-8")
    table = page[page.index("| format | for |") :].partition("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    names = [head.strip("`") for head in rows[0][2:]]
    told: dict[str, list[str]] = {name: [] for name in names}
    for formats, _, *ticks in rows[2:]:
        for name, tick in zip(names, ticks, strict=True):
            told[name] += re.findall(r"`(\w+)`", formats) if tick else []
    written = {}
    for name, command in cli_commands().items():
        form = next((each for each in command.params if each.name == "form"), None)
        if form is not None and isinstance(form.type, click.Choice):
            written[name] = sorted(form.type.choices)
    assert {name: sorted(found) for name, found in told.items()}.items() <= written.items()
    others = {form for name in written.keys() - told.keys() for form in written[name]}
    assert others <= {"text", "json", "markdown"}, "formats for tools belong into the table"


@pytest.mark.parametrize("page", ["README.md", "docs/commands.md"])
def test_every_exit_code_is_told(page: str) -> None:
    codes = {value for name, value in vars(invocation).items() if name.isupper()}
    text = (ROOT / page).read_text(encoding="utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == codes


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in cli_commands() if f"| `covls {name}" not in readme] == []


def test_the_readme_shows_neovims_configuration_as_it_is() -> None:
    configuration = (ROOT / "editors/neovim/lsp/covls.lua").read_text(encoding="utf-8")
    shown = configuration[configuration.index("return {") :]
    assert f"```lua\n{shown}```\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_make_target_has_help() -> None:
    assert [name for name, sentence in make_targets().items() if not sentence] == []


def test_every_link_to_a_file_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in documents()
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        if "://" not in target
        and not target.startswith("mailto:")
        and not (page.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.parametrize(("file", "text"), generated().items(), ids=lambda value: str(value)[:40])
def test_what_is_generated_is_up_to_date(file: str, text: str) -> None:
    assert (ROOT / file).read_text(encoding="utf-8") == text, "run `make generate`"


def test_every_news_fragment_is_of_a_known_type() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    types = [kind["directory"] for kind in project["tool"]["towncrier"]["type"]]
    fragment = re.compile(rf"(\d+|\+[a-z0-9-]+)(\.[a-z0-9-]+)?\.({'|'.join(types)})(\.\d+)?\.md")
    names = {path.name for path in tracked() if path.parent == ROOT / "news"}
    others = {"README.md", "template.md.jinja"}
    assert [name for name in names - others if not fragment.fullmatch(name)] == []


def test_every_development_requirement_is_pinned_by_version_alone() -> None:
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", pin)] == []
    pinned = {re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower() for pin in pins}
    names = [re.split(r"[<>=!~\[; ]", name, maxsplit=1)[0] for name in requirements(["dev"])]
    wanted = {re.sub(r"[-_.]+", "-", name).lower() for name in names}
    assert wanted - pinned == set()
