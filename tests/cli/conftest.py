"""The `covls` command for tests of the command line."""

import pytest

from tests.cli.measured import Covls


@pytest.fixture
def covls(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Covls:
    return Covls(monkeypatch, capsys)
