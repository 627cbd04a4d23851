"""The hooks in a real repository, run by a real pre-commit, as `covls init` sets them up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.measured import write

ROOT = Path(__file__).resolve().parents[2]

FILES = {
    ".gitignore": ".coverage*\n__pycache__/\n",
    "pyproject.toml": "[tool.covls.gates]\ntotal = 60\npatch = 90\n\n"
    "[tool.coverage.run]\nbranch = true\nsource = ['.']\n",
    "conftest.py": "",
    "shop.py": "def price(x):\n    return x * 2\n",
    "stock.py": "def take(x):\n    return x - 1\n",
    "test_shop.py": "from shop import price\n\n\ndef test_price():\n    assert price(1) == 2\n",
    "test_stock.py": "from stock import take\n\n\ndef test_take():\n    assert take(1) == 0\n",
}
UNTESTED = "\n\ndef pay(x):\n    y = x\n    return y\n"
TESTED = "\n\ndef test_pay():\n    from shop import pay\n\n    assert pay(1) == 1\n"


class Repository:
    """A repository with the hooks in it, and commands in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        names = {"GIT_AUTHOR", "GIT_COMMITTER"}
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "PRE_COMMIT"))},
            **{f"{name}_NAME": "a" for name in names},
            **{f"{name}_EMAIL": "a@example.org" for name in names},
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_EDITOR": "true",
            "PRE_COMMIT_HOME": str(root.parent / "pre-commit"),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, *command: str) -> tuple[int, str]:
        done = subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    def do(self, *command: str) -> str:
        code, said = self.run(*command)
        assert code == 0, f"{command}\n{said}"
        return said

    def covls(self, *arguments: str) -> str:
        return self.do(sys.executable, "-m", "covls", *arguments)

    def git(self, *arguments: str) -> str:
        return self.do("git", *arguments)

    def refuses(self, *command: str) -> str:
        code, said = self.run("git", *command)
        assert code != 0, f"{command} went through\n{said}"
        return said

    def add_to(self, name: str, text: str) -> None:
        with (self.root / name).open("a") as file:
            file.write(text)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository whose hooks are installed, with nothing committed."""
    root = tmp_path / "project"
    write(root, FILES)
    made = Repository(root)
    made.git("init", "--quiet", "--initial-branch=main")
    made.covls("init", "--yes", "--only=pre-commit")
    made.do(
        sys.executable, "-m", "pre_commit", "install",
        "--hook-type=pre-commit", "--hook-type=pre-push",
    )  # fmt: skip
    made.git("add", ".")
    return made


@pytest.fixture
def committed(repository: Repository) -> Repository:
    """The same with a first commit, and coverage of it."""
    repository.covls("run")
    repository.git("commit", "--quiet", "-m", "first")
    return repository


def test_first_commit(repository: Repository) -> None:
    said = repository.refuses("commit", "-m", "first")
    assert "exit code: 3" in said
    assert "To measure" in said
    repository.covls("run")
    repository.git("commit", "--quiet", "-m", "first")


def test_a_change_is_refused_until_it_is_measured_and_tested(committed: Repository) -> None:
    committed.add_to("shop.py", UNTESTED)
    committed.git("add", ".")
    said = committed.refuses("commit", "-m", "pay")
    assert "exit code: 3" in said, "the staged code was never measured"
    assert "covls run" in said
    committed.covls("run")
    said = committed.refuses("commit", "-m", "pay")
    assert "exit code: 1" in said
    assert "shop.py:6-7" in said
    committed.add_to("test_shop.py", TESTED)
    committed.git("add", ".")
    assert "exit code: 3" in committed.refuses("commit", "-m", "pay"), "the test never ran"
    committed.covls("run", "--affected")
    committed.git("commit", "--quiet", "-m", "pay")


def test_what_is_not_staged_does_not_count(committed: Repository) -> None:
    # Unstaged code, in another file and in the same one.
    committed.add_to("stock.py", UNTESTED)
    committed.add_to("shop.py", "\n\nSHOP = 1\n")
    committed.git("add", "shop.py")
    committed.add_to("shop.py", UNTESTED)
    committed.covls("run")
    committed.git("commit", "--quiet", "-m", "what is tested")
    assert (committed.root / "shop.py").read_text().endswith(UNTESTED)
    # The other way round: what is staged is untested, what makes up for it is not.
    committed.git("add", "shop.py")
    committed.add_to("test_shop.py", TESTED)
    said = committed.refuses("commit", "-m", "what is not tested")
    assert "exit code: " in said
    committed.covls("run")
    committed.git("commit", "--quiet", "-m", "tested by what is here", "shop.py", "test_shop.py")
    # By name: git keeps what it commits in an index of its own then.
    assert "exit code: 1" in committed.refuses("commit", "-m", "by name", "stock.py")


def test_files_that_go_and_come(committed: Repository) -> None:
    committed.git("mv", "stock.py", "store.py")
    committed.git("mv", "test_stock.py", "test_store.py")
    test = committed.root / "test_store.py"
    test.write_text(test.read_text().replace("stock", "store"))
    (committed.root / "picture.bin").write_bytes(bytes(range(256)))
    committed.git("add", ".")
    assert "exit code: " in committed.refuses("commit", "-m", "renamed, never measured")
    committed.covls("run")
    committed.git("commit", "--quiet", "-m", "renamed, and a binary file")
    committed.git("rm", "--quiet", "store.py", "test_store.py")
    assert "Skipped" in committed.git("commit", "-m", "deleted")
    other = committed.root.parent / "other"
    shutil.copytree(committed.root, other, ignore=shutil.ignore_patterns(".coverage*"))
    committed.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub"
    )
    committed.add_to("shop.py", "\n\nSHOP = 1\n")
    committed.git("add", ".")
    committed.covls("run", "test_shop.py")
    committed.git("commit", "--quiet", "-m", "a submodule")


def test_merges_and_rebases(committed: Repository) -> None:
    committed.git("checkout", "--quiet", "-b", "side")
    committed.add_to("shop.py", "\n\nSIDE = 1\n")
    committed.covls("run")
    committed.git("commit", "--quiet", "-am", "side")
    committed.git("checkout", "--quiet", "main")
    committed.add_to("shop.py", "\n\nMAIN = 1\n")
    committed.covls("run")
    committed.git("commit", "--quiet", "-am", "main")
    code, _ = committed.run("git", "merge", "side")
    assert code != 0
    resolved = FILES["shop.py"] + "\n\nMAIN = 1\nSIDE = 1\n"
    (committed.root / "shop.py").write_text(resolved)
    committed.git("add", ".")
    assert "exit code: 3" in committed.refuses("commit", "--no-edit"), "the merge was not measured"
    committed.covls("run")
    committed.git("commit", "--quiet", "--no-edit")

    committed.git("checkout", "--quiet", "-b", "late", "side")
    committed.add_to("stock.py", "\n\nLATE = 1\n")
    committed.covls("run")
    committed.git("commit", "--quiet", "-am", "late")
    committed.git("rebase", "--quiet", "main")
    assert (committed.root / "shop.py").read_text() == resolved


def test_what_is_pushed_is_run_and_judged(committed: Repository) -> None:
    remote = committed.root.parent / "remote.git"
    committed.git("init", "--quiet", "--bare", str(remote))
    committed.git("remote", "add", "origin", str(remote))
    committed.git("push", "--quiet", "origin", "main")
    committed.add_to("shop.py", UNTESTED)
    committed.git("commit", "--quiet", "--no-verify", "-am", "untested")
    # The tests run first, so that what is judged is known.
    said = committed.refuses("push", "origin", "main")
    assert "exit code: 1" in said
    assert "shop.py:6-7" in said
    committed.add_to("test_shop.py", TESTED)
    committed.git("commit", "--quiet", "--no-verify", "-am", "tested")
    committed.git("push", "--quiet", "origin", "main")


def test_other_repositories_name_the_hooks(committed: Repository) -> None:
    """covls-check in an environment that pre-commit makes from this repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    source = committed.root.parent / "covls"
    committed.do("git", "clone", "--quiet", str(ROOT), str(source))
    (committed.root / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {source}\n  rev: HEAD\n  hooks: [id: covls-check, id: covls-run]\n"
    )
    kept = Path(os.environ.get("COVLS_DEV_CACHE") or Path.home() / ".cache" / "covls-dev")
    committed.environment |= {
        "PIP_FIND_LINKS": str(kept / "wheels"),
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
        "PIP_NO_INDEX": "1",
    }
    # The wheels that made this environment are kept; without them the index is asked.
    install = (sys.executable, "-m", "pre_commit", "install-hooks")
    if committed.run(*install)[0] != 0:
        del committed.environment["PIP_NO_INDEX"]
        committed.do(*install)
    committed.add_to("shop.py", UNTESTED)
    committed.git("add", ".")
    said = committed.refuses("commit", "-m", "untested")
    assert "exit code: 3" in said
    committed.covls("run")
    assert "exit code: 1" in committed.refuses("commit", "-m", "untested")
