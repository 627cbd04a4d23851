"""Which files of a project are listed, and which are not."""

from pathlib import Path

from covls.adapters.local_files import local_python_files


def made(root: Path, *names: str) -> list[str]:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return sorted(str(root / name) for name in names)


def test_lists_the_projects_own_files(tmp_path: Path) -> None:
    own = made(
        tmp_path, "a.py", "src/pkg/b.py", "src/gui.pyw", "tests/ünï code.py", "build/script.py"
    )
    made(
        tmp_path,
        "a.txt",
        ".hidden/a.py",
        "env/pyvenv.cfg",
        "env/lib/a.py",
        "node_modules/x/a.py",
        "lib/site-packages/x/a.py",
        "src/pkg/__pycache__/a.py",
        "build/lib/pkg/b.py",
    )
    assert local_python_files(tmp_path) == own


def test_a_root_may_itself_be_an_environment_or_hidden(tmp_path: Path) -> None:
    root = tmp_path / ".env"
    own = made(root, "a.py")
    made(root, "pyvenv.cfg")
    assert local_python_files(root) == own


def test_links_that_loop_are_not_followed(tmp_path: Path) -> None:
    own = made(tmp_path, "src/a.py")
    (tmp_path / "src" / "again").symlink_to(tmp_path)
    assert local_python_files(tmp_path) == own


def test_a_root_behind_a_link_gives_real_paths(tmp_path: Path) -> None:
    own = made(tmp_path / "real", "a.py")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert local_python_files(tmp_path / "link") == own


def test_no_more_than_asked_for(tmp_path: Path) -> None:
    made(tmp_path, *(f"m{number}.py" for number in range(20)))
    assert len(local_python_files(tmp_path, most=7)) == 7


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert local_python_files(tmp_path / "nowhere") == []
