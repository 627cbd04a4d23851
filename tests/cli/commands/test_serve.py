"""The options of `covls serve`."""

import re

import pytest
from click.testing import CliRunner

from covls.cli.commands import serve as module
from covls.cli.commands.serve import serve


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("2087", ("127.0.0.1", 2087)),
        (":2087", ("127.0.0.1", 2087)),
        ("localhost:0", ("127.0.0.1", 0)),
        ("127.0.0.2:1", ("127.0.0.2", 1)),
        ("[::1]:2087", ("::1", 2087)),
        ("::1:2087", ("::1", 2087)),
    ],
)
def test_addresses_of_this_machine(
    value: str, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []

    def listen(found: tuple[str, int]) -> None:
        asked.append(found)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_listen", listen)
    monkeypatch.setattr(module, "_log", lambda _: None)
    assert CliRunner().invoke(serve, ["--tcp", value], standalone_mode=False).return_value == 130
    assert asked == [address]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0.0.0.0:2087", "not an address of this machine alone"),
        ("[::]:2087", "not an address of this machine alone"),
        ("192.168.1.2:2087", "listens on loopback only"),
        ("example.invalid:2087", "listens on loopback only"),
        ("127.0.0.1:", "is not [HOST:]PORT"),
        ("127.0.0.1:http", "is not [HOST:]PORT"),
        ("70000", "is not [HOST:]PORT"),
        ("-1", "is not [HOST:]PORT"),
    ],
)
def test_anything_else_is_refused(value: str, words: str) -> None:
    done = CliRunner().invoke(serve, ["--tcp", value])
    assert done.exit_code == 2
    assert words in re.sub(r"\s+", " ", done.output)


def test_one_way_or_the_other() -> None:
    done = CliRunner().invoke(serve, ["--stdio", "--tcp", "2087"])
    assert done.exit_code == 2
    assert "cannot be had together" in done.output
