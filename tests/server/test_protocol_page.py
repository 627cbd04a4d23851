"""docs/protocol.md says what the code does: messages, commands, codes, settings, and shapes."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest
from lsprotocol import types
from lsprotocol.converters import get_converter

from covls.core.coverage import State as MarkState
from covls.core.marks import Freshness
from covls.core.settings import all_settings, client_layer, read_settings
from covls.project import State
from covls.server import messages
from covls.server.features.code_actions import ACTIONS
from covls.server.features.commands import COMMANDS
from covls.server.features.diagnostics import CODES
from covls.server.protocol import Server

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")

EXAMPLES = {
    messages.FILE_COVERAGE: (messages.FileCoverageParams, messages.FileCoverageResult),
    messages.PROJECT_COVERAGE: (messages.ProjectCoverageParams, messages.ProjectCoverageResult),
    messages.PRIORITIES: (messages.PrioritiesParams, messages.PrioritiesResult),
    messages.TESTS_AT: (messages.TestsAtParams, list[messages.TestAt]),
    messages.STATEMENTS: (messages.StatementsParams, list[messages.MeasuredStatement]),
    messages.PROJECT_TESTS: (messages.ProjectTestsParams, list[messages.FolderTests]),
    messages.DID_CHANGE_COVERAGE: (messages.DidChangeCoverageParams,),
    messages.STATUS: (messages.StatusParams,),
    messages.TEST_RUN: (messages.TestRunParams,),
}


def section(title: str) -> str:
    """A heading's text, down to the next of its level or above."""
    level = re.search(rf"^(#+) {re.escape(title)}$", PAGE, re.MULTILINE)
    assert level is not None, f"no section {title}"
    rest = PAGE[level.end() :]
    end = re.search(rf"^#{{1,{len(level[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def blocks(title: str) -> list[Any]:
    """The JSON examples of a section."""
    return [
        json.loads(block) for block in re.findall(r"```json\n(.*?)```", section(title), re.DOTALL)
    ]


def first_cells(title: str) -> set[str]:
    """The names in the first column of a section's table."""
    return set(re.findall(r"^\| `([^`]+)` \|", section(title), re.MULTILINE))


def own_messages() -> set[str]:
    return {
        value
        for value in vars(messages).values()
        if isinstance(value, str) and value.startswith("covls/")
    }


def test_every_message_has_a_section() -> None:
    assert set(re.findall(r"^### `(covls/\w+)`$", PAGE, re.MULTILINE)) == own_messages()
    assert set(EXAMPLES) == own_messages()
    assert set(messages.MESSAGES) == own_messages() - {
        messages.DID_CHANGE_COVERAGE,
        messages.STATUS,
        messages.TEST_RUN,
    }


def test_no_message_is_named_that_does_not_exist() -> None:
    assert set(re.findall(r"covls/\w+", PAGE)) == own_messages()


@pytest.mark.parametrize("method", EXAMPLES)
def test_examples_have_the_shape_of_the_code(method: str) -> None:
    found = blocks(f"`{method}`")
    assert len(found) == len(EXAMPLES[method])
    converter = get_converter()
    converter.forbid_extra_keys = True
    for example, shape in zip(found, EXAMPLES[method], strict=True):
        value: Any = converter.structure(example, shape)
        assert converter.unstructure(value) == example
        _check_keys(example, shape)


def _check_keys(example: Any, shape: Any) -> None:
    """Fail on a field that the example does not show, or that the code does not have."""
    if isinstance(example, list):
        inner = get_args(shape)
        for each in example if inner else ():
            _check_keys(each, inner[0])
    elif isinstance(example, dict) and attrs.has(shape):
        if shape.__module__ != messages.__name__:
            return
        hints = {_camel(field.name): field.type for field in attrs.fields(shape)}
        assert set(example) == set(hints)
        for name, kind in hints.items():
            _check_keys(example[name], kind)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def test_commands_and_codes_and_states() -> None:
    assert first_cells("Commands") == set(COMMANDS)
    for name, command in COMMANDS.items():
        (row,) = re.findall(rf"^\| `{re.escape(name)}` \|(.*)$", section("Commands"), re.MULTILINE)
        arguments = row.split("|")[0]
        assert re.findall(r"`(\w+)`", arguments) == list(command.arguments)
    assert first_cells("Code actions") == set(ACTIONS)
    assert first_cells("Diagnostics") == set(CODES)
    assert first_cells("`covls/status`") == {state.value for state in State}
    marks = section("`covls/fileCoverage`")
    for value in [*MarkState, *Freshness]:
        assert f"`{value.value}`" in marks


def test_settings_are_all_there_and_right() -> None:
    (example,) = blocks("Settings")
    _, problems = read_settings(client_layer(example))
    assert problems == ()

    paths = {setting.path for setting in all_settings()}

    def names(values: dict[str, Any], prefix: str = "") -> set[str]:
        found: set[str] = set()
        for key, value in values.items():
            name = prefix + re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), key)
            section = isinstance(value, dict) and name not in paths
            found |= names(value, f"{name}.") if section else {name}
        return found

    assert names(example) == paths


def test_lines_are_said_to_be_0_based() -> None:
    assert "Lines are **0-based**" in PAGE


def test_a_server_announces_the_commands_of_the_page() -> None:
    # Made as `covls serve` makes it; what pygls would announce is what stands in its registry.
    from covls.server.app import FEATURES

    assert isinstance(Server(), Server)
    assert types.WORKSPACE_EXECUTE_COMMAND in FEATURES
    assert own_messages() >= {method for method in FEATURES if method.startswith("covls/")}
