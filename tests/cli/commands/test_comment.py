"""`covls comment`: composed, left as a file, posted; and the token stays secret."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from covls.core.comment import LIMIT, MARKER
from tests.adapters.github_server import APP_TOKEN, REPOSITORY, Answer, Service, github_service
from tests.cli.measured import Covls, coverage, write

FILES = {
    "pyproject.toml": "[tool.coverage.run]\nbranch = true\nsource = ['.']\n"
    "[tool.covls.gates]\ntotal = 50\npatch = 90\n",
    "shop.py": "def price(x):\n    return x\n\n\nprice(1)\n",
}
CHANGED = "def price(x):\n    return x\n\n\ndef pay(x):\n    print('to be paid')\n\n\nprice(1)\n"


def git(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    for name in ("GITHUB_ACTIONS", "GITHUB_EVENT_PATH", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with github_service() as found:
        monkeypatch.setenv("GITHUB_TOKEN", APP_TOKEN)
        monkeypatch.setenv("GITHUB_API_URL", found.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
        yield found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A branch with a change that no test reaches, measured."""
    root = tmp_path / "project"
    write(root, FILES)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "first")
    (root / "shop.py").write_text(CHANGED)
    coverage(root, "run", "shop.py")
    return root


def event(monkeypatch: pytest.MonkeyPatch, folder: Path, values: object) -> None:
    path = folder / "event.json"
    path.write_text(json.dumps(values))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(path))


def test_it_is_left_as_a_file_and_posted_by_another_workflow(
    covls: Covls, project: Path, service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    event(monkeypatch, tmp_path, {"pull_request": {"number": 7, "head": {"sha": "abc"}}})
    monkeypatch.delenv("GITHUB_TOKEN")
    file = tmp_path / "comment.md"
    done = covls(project, "comment", f"--output={file}")
    assert (done.code, done.out, done.err) == (0, "", "")
    text = file.read_text()
    assert text.startswith(f"{MARKER}\n## Coverage of abc\n")
    assert "❌ failed" in text
    assert "to be paid" in text
    assert service.asked == []

    monkeypatch.setenv("GITHUB_TOKEN", APP_TOKEN)
    head = {"head_branch": "change", "head_sha": "abc"}
    event(
        monkeypatch,
        tmp_path,
        {"workflow_run": {**head, "head_repository": {"owner": {"login": "fork"}}}},
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert "nothing is posted" in covls(elsewhere, "comment", f"--post={file}").out
    service.add_pull(7, "change", "abc", owner="fork")
    assert covls(elsewhere, "comment", f"--post={file}").out == "commented pull request 7\n"
    again = covls(elsewhere, "comment", f"--post={file}")
    assert again.out == "the comment on pull request 7 is up to date\n"
    assert [comment["body"] for comment in service.comments] == [text]


def test_it_is_posted_at_once(
    covls: Covls, project: Path, service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    event(monkeypatch, tmp_path, {"pull_request": {"number": 7}})
    assert covls(project, "comment").code == 0
    (project / "shop.py").write_text(FILES["shop.py"])
    coverage(project, "run", "shop.py")
    done = covls(project, "comment", "--base=HEAD")
    assert done.out == "brought the comment on pull request 7 up to date\n"
    (comment,) = service.comments
    assert "❌" not in comment["body"]
    named = covls(project, "comment", "--pull-request=9")
    assert (named.code, named.out) == (1, "")
    assert "knows no pull request 9" in named.err


def test_the_token_is_neither_shown_nor_written(
    covls: Covls, project: Path, service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    event(monkeypatch, tmp_path, {"pull_request": {"number": 7}})
    service.answers = [Answer(403, f"Resource not accessible by {APP_TOKEN}")]
    done = covls(project, "comment")
    assert done.code == 1
    assert "--post" in done.err
    covls(project, "comment", "--output=comment.md")
    said = done.out + done.err
    for path in tmp_path.rglob("*"):
        if path.is_file():
            said += path.read_bytes().decode("latin-1")
    assert APP_TOKEN not in said


def test_what_a_fork_left_is_text_that_fits(covls: Covls, service: Service, tmp_path: Path) -> None:
    file = tmp_path / "comment.md"
    file.write_bytes(b"\xff\0" + b"x\n" * 600_000)
    done = covls(tmp_path, "comment", f"--post={file}", "--pull-request=7")
    assert done.code == 0
    (comment,) = service.comments
    assert comment["body"].startswith(MARKER)
    assert len(comment["body"]) <= LIMIT


def test_without_data_the_comment_says_so(covls: Covls, service: Service, tmp_path: Path) -> None:
    write(tmp_path, FILES)
    assert covls(tmp_path, "comment", "--pull-request=7").code == 3
    assert covls(tmp_path, "comment", "--output=c.md").code == 0
    assert "Not known" in (tmp_path / "c.md").read_text()
    assert service.asked == []


@pytest.mark.parametrize(
    ("unset", "arguments", "says"),
    [
        ("GITHUB_TOKEN", ["--pull-request=7"], "There is no token"),
        ("GITHUB_REPOSITORY", ["--pull-request=7"], "Which repository"),
        ("GITHUB_EVENT_PATH", [], "Which pull request"),
        ("", ["--output=a.md"], "one of --output and --post"),
    ],
)
def test_what_is_missing_is_asked_for(
    covls: Covls,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    unset: str,
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.delenv(unset, raising=False)
    (tmp_path / "comment.md").write_text("figures\n")
    done = covls(tmp_path, "comment", "--post=comment.md", *arguments)
    assert done.code == 2
    assert says in done.err
    assert service.asked == []
