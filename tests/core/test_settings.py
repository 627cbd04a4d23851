"""Settings are read from layers, and what is wrong in them is told with its path."""

import math
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covls.core.settings import (
    Layer,
    Problem,
    Settings,
    all_settings,
    client_layer,
    read_settings,
    settings_schema,
)


def project(**values: Any) -> Layer:
    return Layer("tool.covls", values)


def test_no_layers_are_the_defaults() -> None:
    settings, problems = read_settings()
    assert settings == Settings()
    assert problems == ()
    assert settings.enable
    assert settings.trusted is None
    assert settings.diagnostics.severity == "hint"
    assert settings.watch.settle == 10.0


def test_later_layers_go_over_earlier_ones_one_setting_at_a_time() -> None:
    settings, problems = read_settings(
        project(data_file="from/file", diagnostics={"severity": "error", "partial": False}),
        client_layer({"diagnostics": {"severity": "warning"}, "hover": {"enable": False}}),
    )
    assert problems == ()
    assert settings.data_file == "from/file"
    assert settings.diagnostics.severity == "warning"
    assert not settings.diagnostics.partial
    assert not settings.hover.enable


@pytest.mark.parametrize(
    "values",
    [
        {"dataFile": "x", "cache": {"maxMb": 3}},
        {"data_file": "x", "cache": {"max_mb": 3}},
        {"data-file": "x", "cache": {"max-mb": 3}},
        {"DataFile": "x", "cache": {"maxMB": 3}},
        {"covls": {"dataFile": "x", "cache": {"maxMb": 3}}},
        {"dataFile": "x", "cache": {"maxMb": 3.0}},  # the only numbers of Lua and JavaScript
        {"dataFile": "x", "cache": {"maxMb": 3}, "watch": [], "roots": {}},  # Lua's empty table
        {"dataFile": "x", "cache": {"maxMb": 3}, "python": None, "hover": None},
        {"dataFile": "x", "cache": {"maxMb": 3}, "roots": []},
        {"covls.dataFile": "x", "covls.cache.maxMb": 3},
        {"dataFile": "x", "cache.maxMb": 3},
        {"covls": {"dataFile": "x"}, "covls.cache.maxMb": 3},
    ],
)
def test_spellings_that_editors_use(values: Any) -> None:
    settings, problems = read_settings(client_layer(values))
    assert problems == ()
    assert settings.data_file == "x"
    assert settings.cache.max_mb == 3


@pytest.mark.parametrize("values", [None, [], "covls", 3, {}, {"covls": None}, {"covls": {}}])
def test_a_client_that_has_no_settings(values: Any) -> None:
    assert read_settings(client_layer(values)) == (Settings(), ())


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"diagnostics": {"severity": "loud"}},
            '`tool.covls.diagnostics.severity`: "loud" is not one of hint, information, warning, error',  # noqa: E501
        ),
        ({"enable": "yes"}, '`tool.covls.enable`: "yes" is not true or false'),
        ({"enable": 1}, "`tool.covls.enable`: 1 is not true or false"),
        ({"data_file": 3}, "`tool.covls.data_file`: 3 is not a string"),
        ({"data_file": ""}, '`tool.covls.data_file`: "" is not a string'),
        ({"watch": {"settle": True}}, "`tool.covls.watch.settle`: true is not a number"),
        ({"watch": {"settle": -1}}, "`tool.covls.watch.settle`: -1 is under 0"),
        ({"watch": {"settle": 1e9}}, "`tool.covls.watch.settle`: 1000000000.0 is over 3600"),
        ({"watch": {"settle": math.nan}}, "`tool.covls.watch.settle`: NaN is not a number"),
        ({"watch": 3}, "`tool.covls.watch`: 3 is not a table of settings"),
        ({"cache": {"max-mb": 0.5}}, "`tool.covls.cache.max-mb`: 0.5 is not a whole number"),
        ({"cache": {"maxMb": "256"}}, '`tool.covls.cache.maxMb`: "256" is not a whole number'),
        ({"roots": "src"}, '`tool.covls.roots`: "src" is not a list of strings'),
        ({"roots": ["src", 3]}, "`tool.covls.roots[1]`: 3 is not a string"),
        ({"diagnostic": {}}, "`tool.covls.diagnostic`: is no setting of covls's; did you mean diagnostics?"),  # noqa: E501
        ({"dataFil": 1}, "`tool.covls.dataFil`: is no setting of covls's; did you mean dataFile?"),
        ({"data-fil": 1}, "`tool.covls.data-fil`: is no setting of covls's; did you mean data-file?"),  # noqa: E501
        ({"zzz": 1}, "`tool.covls.zzz`: is no setting of covls's"),
        ({"trusted": True}, "`tool.covls.trusted`: is taken from the editor's settings only, not from the workspace"),  # noqa: E501
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_path_and_left_out(values: Any, line: str) -> None:
    settings, problems = read_settings(project(**values))
    assert [str(problem) for problem in problems] == [line]
    assert settings == Settings(roots=("src",) if "roots[1]" in line else ())


def test_one_wrong_value_leaves_the_others() -> None:
    settings, problems = read_settings(
        project(
            data_file="x",
            nonsense=1,
            diagnostics={"severity": "loud", "partial": False, "stale": "no"},
            watch={"mode": "poll", "settle": "soon"},
        )
    )
    assert len(problems) == 4
    assert settings.data_file == "x"
    assert not settings.diagnostics.partial
    assert settings.diagnostics.stale
    assert settings.watch.mode == "poll"


def test_a_setting_in_two_spellings_is_told() -> None:
    settings, problems = read_settings(project(data_file="a", dataFile="b"))
    assert settings.data_file == "a"
    (problem,) = problems
    assert problem.where == "tool.covls.dataFile"
    assert "twice" in problem.message


@pytest.mark.parametrize(
    ("layer", "where"),
    [
        (Layer("covls.toml", {"x": {"y": 1}}), "covls.toml: x"),
        (Layer("covls.toml", {"hover": {"y": 1}}), "covls.toml: hover.y"),
        (client_layer({"hover": {"y": 1}}), "covls.hover.y"),
        (client_layer({"covls": {"hover": {"y": 1}}}), "covls.hover.y"),
        (client_layer({"covls.hover.y": 1}), "covls.hover.y"),
        (client_layer({"y": 1}, "--setting"), "--setting.y"),
    ],
)
def test_a_path_is_as_the_user_wrote_it(layer: Layer, where: str) -> None:
    (problem,) = read_settings(layer)[1]
    assert problem.where == where


@pytest.mark.parametrize(
    ("trust", "expected"),
    [(True, "/project/python"), (False, None), (None, None), ("true", None)],
)
def test_an_interpreter_named_by_the_workspace_counts_only_where_it_is_trusted(
    trust: Any, expected: str | None
) -> None:
    settings, _ = read_settings(project(python="/project/python"), client_layer({"trusted": trust}))
    assert settings.python == expected


def test_a_workspace_cannot_trust_itself() -> None:
    settings, problems = read_settings(project(trusted=True, python="/project/evil"))
    assert settings.trusted is None
    assert settings.python is None
    assert [problem.where for problem in problems] == ["tool.covls.trusted", "tool.covls.python"]


def test_trust_that_the_client_takes_back_does_not_count() -> None:
    settings, _ = read_settings(
        client_layer({"trusted": True}), project(python="/evil"), client_layer({"trusted": False})
    )
    assert settings.trusted is False
    assert settings.python is None


def test_the_client_may_name_an_interpreter_without_trust() -> None:
    settings, problems = read_settings(client_layer({"python": "/my/python"}))
    assert settings.python == "/my/python"
    assert problems == ()


def test_a_problem_is_one_short_line() -> None:
    _, problems = read_settings(project(enable="many\nlines " * 100, roots=[{"a": ["b"] * 50}]))
    assert len(problems) == 2
    for problem in problems:
        assert "\n" not in str(problem)
        assert len(str(problem)) < 120
    assert str(Problem("a.b", "is wrong")) == "`a.b`: is wrong"


names = st.sampled_from([setting.path for setting in all_settings()]).flatmap(
    lambda path: st.sampled_from([path, *path.split("."), "covls"])
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(names | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values, st.dictionaries(names, values, max_size=5))
def test_whatever_is_sent_gives_settings_that_are_well(client: Any, file: dict[str, Any]) -> None:
    settings, problems = read_settings(Layer("tool.covls", file), client_layer(client))
    for setting in all_settings(settings):
        value, about = setting.default, setting.about
        if isinstance(value, int | float):
            assert about.minimum is None or value >= about.minimum, setting
            assert about.maximum is None or value <= about.maximum, setting
    for problem in problems:
        assert "\n" not in problem.message
    # What was read reads the same again: nothing depends on the order or the object given.
    assert read_settings(Layer("tool.covls", file), client_layer(client)) == (settings, problems)


def test_every_setting_says_what_it_is_for() -> None:
    settings = list(all_settings())
    assert {setting.path for setting in settings} >= {"enable", "diagnostics.severity"}
    assert len({setting.path for setting in settings}) == len(settings)
    for setting in settings:
        assert setting.about.description.endswith("."), setting.path


def test_the_schema_takes_the_defaults_and_names_every_setting_of_files() -> None:
    def compare(schema: Any, values: Any) -> None:
        assert schema["additionalProperties"] is False
        names = {field.name for field in fields(values)} - {"trusted"}
        assert set(schema["properties"]) == names
        for name in names:
            entry, value = schema["properties"][name], getattr(values, name)
            assert entry["description"]
            if is_dataclass(value):
                compare(entry, value)
            elif value is not None:
                assert entry["default"] == (list(value) if isinstance(value, tuple) else value)
                assert entry.get("minimum", -math.inf) <= entry.get("maximum", math.inf)

    schema: Any = settings_schema()
    compare(schema, Settings())
    assert schema["properties"]["diagnostics"]["properties"]["severity"]["enum"][0] == "hint"


def test_a_command_with_a_wrong_word_is_not_taken_without_it() -> None:
    settings, problems = read_settings(
        client_layer({"run": {"command": ["make", 3], "arguments": ["-x"]}, "roots": ["a", 3]})
    )
    assert (settings.run.command, settings.run.arguments) == ((), ("-x",))
    assert settings.roots == ("a",)
    assert [str(problem) for problem in problems] == [
        "`covls.run.command[1]`: 3 is not a string",
        "`covls.roots[1]`: 3 is not a string",
    ]


def test_what_a_workspace_says_of_commands_holds_only_where_it_is_trusted() -> None:
    files = project(run={"command": ["evil"], "arguments": ["-p", "evil"], "timeout": 5})
    settings, problems = read_settings(files)
    assert (settings.run.command, settings.run.arguments) == ((), ())
    assert settings.run.timeout == 5
    assert [p.where for p in problems] == ["tool.covls.run.command", "tool.covls.run.arguments"]
    settings, problems = read_settings(files, client_layer({"trusted": True}))
    assert settings.run.command == ("evil",)
    assert problems == ()
