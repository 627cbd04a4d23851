"""`covls doctor` tells what it sees in words, JSON and Markdown, and exits as it promises."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from covls.cli.main import run


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A measured project, and the current folder."""
    root = tmp_path / "project"
    root.mkdir()
    (root / ".git").mkdir()
    (root / "main.py").write_text("def f():\n    return 1\n\n\nprint('hello')\n")
    (root / "other.py").write_text("x = 1\n")
    for path in root.glob("*.py"):
        os.utime(path, (time.time() - 100, time.time() - 100))
    command = [sys.executable, "-m", "coverage", "run", "main.py"]
    subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)
    monkeypatch.chdir(root)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    return root


def test_a_folder_in_words(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "\x1b" not in out
    for words in (
        f"{root} (it has coverage data)",
        "trusted",
        "not said: nothing of the workspace runs on its own",
        str(root / ".coverage"),
        ".coveragerc",
        "not there",
        "branches",
        "not measured",
        "1 of 1",
        "What to do",
        "--cov-context=test",
    ):
        assert words in out


def test_a_folder_as_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--format", "json", str(root)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["root"] == str(root)
    assert told["trusted"] is None
    assert told["data"]["file"] == str(root / ".coverage")
    assert told["data"]["branches"] is False
    assert told["files"]["found"] == 1
    assert {finding["level"] for finding in told["findings"]} <= {"note", "warning"}


def test_a_folder_as_markdown(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--format", "markdown"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("# covls doctor\n")
    tables = [line for line in out.splitlines() if line.startswith("|")]
    # A pipe in a value would break the table.
    assert {line.replace("\\|", "").count("|") for line in tables} == {3}


def test_no_data(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / ".coverage").unlink()
    assert run(["doctor"]) == 3
    out = capsys.readouterr().out
    assert f"To measure: cd {root} && coverage run -m pytest" in out


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("covls.toml", "watch = 3\n", "`covls.toml: watch`: 3 is not a table of settings"),
        (".coveragerc", "[run]\nbranch = perhaps\n", "Not a boolean: perhaps"),
        ("pyproject.toml", "[tool.covls]\nhower = 1\n", "did you mean hover?"),
    ],
)
def test_wrong_settings(
    root: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, words: str
) -> None:
    (root / name).write_text(text)
    assert run(["doctor"]) == 2
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("main.py", 0, "Nothing is wrong with the coverage of main.py.\n2 of 3 statements ran.\n"),
        ("other.py", 3, "No test imports other.py"),
        ("gone.py", 2, "gone.py is not there"),
    ],
)
def test_a_file(
    root: Path, capsys: pytest.CaptureFixture[str], name: str, code: int, words: str
) -> None:
    assert run(["doctor", name]) == code
    assert words in capsys.readouterr().out


def test_a_file_as_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "other.py", "-f", "json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(root / "other.py")
    assert told["reason"] == "not imported"
    assert told["measured_as"] is None
    assert run(["doctor", "main.py", "-f", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["measured_as"] == str(root / "main.py")
    assert (told["reason"], told["message"], told["remedy"]) == (None, None, None)
    assert (told["executed"], told["statements"]) == (2, 3)


def test_a_file_elsewhere_is_looked_at_in_its_own_root(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["doctor", "project/main.py"]) == 0
    assert "2 of 3 statements ran" in capsys.readouterr().out


def test_trust_is_told(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / ".coveragerc").write_text("[run]\nplugins = no_such\n")
    assert run(["doctor", "-f", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert any("not trusted" in finding["message"] for finding in told["findings"])
    assert run(["doctor", "--no-trusted", "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["trusted"] is False


def test_a_name_that_holds_escape_sequences_does_not_reach_the_terminal(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "\x1b[31m.py").write_text("x = 1\n")
    assert run(["doctor", "\x1b[31m.py"]) == 3
    assert "\x1b" not in capsys.readouterr().out


def test_nothing_is_written(root: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    run(["doctor"])
    run(["doctor", "main.py"])
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_settings_that_name_what_runs_are_told_as_each_takes_them(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "covls.toml").write_text('run.command = ["make", "test"]\nrun.argument = []\n')
    ignored, taken = "ignored because the workspace is not trusted", "is taken by `covls run`"
    # Nobody said anything of trust: the command line takes them where it is asked to run.
    assert run(["doctor", "-f", "json"]) == 2  # The one that is no setting is wrong for all.
    told = json.loads(capsys.readouterr().out)
    messages = {each["message"]: each["level"] for each in told["findings"]}
    (words,) = (each for each in messages if taken in each)
    assert words.startswith("`covls.toml: run.command` is taken")
    assert messages[words] == "note"
    assert not any(ignored in each for each in messages)
    assert any("did you mean arguments" in each for each in messages)
    assert told["tests"] == "a command (the setting `run.command`)"
    assert told["settings"] == {"run.command": ["make", "test"]}
    assert told["trusted"] is None
    # `covls run --no-trusted` runs nothing, and ignores them as the others do.
    (root / "covls.toml").write_text('run.command = ["make", "test"]\n')
    assert run(["doctor", "--no-trusted", "-f", "json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert any(ignored in each["message"] for each in told["findings"])
    assert "run.command" not in told["settings"]
    assert run(["doctor", "--trusted", "-f", "json"]) == 0
    messages = {each["message"]: "" for each in json.loads(capsys.readouterr().out)["findings"]}
    assert not any(ignored in each or taken in each for each in messages)
    assert run(["doctor", "-f", "json"]) == 0
