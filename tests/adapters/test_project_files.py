"""Which files tests may depend on, and what became of them."""

from pathlib import Path

from covls.adapters.project_files import FileState, changes_since, import_graph, project_files
from covls.core.imports import Imports
from tests.cli.measured import write

FILES = {
    "pkg/a.py": "import pkg.b\n",
    "pkg/b.py": "B = 1\n",
    "tests/data.json": "{}",
    ".coverage": "data",
    ".coverage.host.1": "data",
    "coverage.xml": "<x/>",
    ".hidden/x.py": "",
    ".venv/pyvenv.cfg": "",
    "env/pyvenv.cfg": "",
    "env/lib/x.py": "",
    "node_modules/x.js": "",
    "pkg/__pycache__/a.pyc": "",
    "build/lib/pkg/a.py": "",
}


def test_what_tools_write_and_environments_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    found = project_files(tmp_path, data_file=tmp_path / ".coverage")
    assert set(found) == {"pkg/a.py", "pkg/b.py", "tests/data.json"}


def test_a_file_that_looks_the_same_is_not_read_again(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    found = project_files(tmp_path)
    known = {path: FileState("kept", state.stamp) for path, state in found.items()}
    (tmp_path / "pkg/b.py").write_text("B = 22\n")
    again = project_files(tmp_path, known)
    assert again["pkg/a.py"].hash == "kept"
    assert again["pkg/b.py"].hash not in ("kept", found["pkg/b.py"].hash)


def test_other_measured_files_are_looked_at_where_they_are(tmp_path: Path) -> None:
    write(tmp_path, {"root/a.py": "", "elsewhere/b.py": "1"})
    other = tmp_path / "elsewhere/b.py"
    assert set(project_files(tmp_path / "root", others=[other])) == {"a.py", other.as_posix()}


def test_changes_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    before = project_files(tmp_path)
    texts = {state.hash: (tmp_path / path).read_bytes() for path, state in before.items()}
    measured = {path: state.hash for path, state in before.items()}
    measured["tests/lost.py"] = "0" * 64
    measured["pkg/gone.py"] = "0" * 64
    measured["pkg/unknown.py"] = ""
    write(
        tmp_path,
        {
            "pkg/b.py": "B = 2\n",
            "pkg/new.py": "N = 1\n",
            "tests/lost.py": "",
            "tests/data.json": "[]",
            "pkg/unknown.py": "",
        },
    )
    now = project_files(tmp_path, before)
    found = changes_since(measured, now, texts.get, tmp_path)
    assert {path: change.kind for path, change in found.items()} == {
        "pkg/b.py": "edited",
        "pkg/gone.py": "gone",
        "pkg/new.py": "new",
        "pkg/unknown.py": "unknown",
        "tests/data.json": "data",
        "tests/lost.py": "unknown",
    }
    edit = found["pkg/b.py"].edit
    assert edit is not None
    assert edit.outside == 1
    unsaved = changes_since(measured, now, texts.get, tmp_path, {"pkg/a.py": "import pkg.c\n"})
    assert unsaved["pkg/a.py"].kind == "edited"
    assert "pkg/a.py" not in changes_since(
        measured, now, texts.get, tmp_path, {"pkg/a.py": FILES["pkg/a.py"]}
    )


def test_imports_are_read_once_for_each_content(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "pkg/broken.py": "def ("})
    known: dict[str, Imports | None] = {}
    now = project_files(tmp_path)
    graph = import_graph(tmp_path, now, known, ["pkg/gone.py"])
    assert "pkg/a.py" in graph.importers(["pkg/b.py"])
    assert graph.files["pkg/broken.py"].discovers
    assert graph.importers(["pkg/gone.py"]) >= {"pkg/gone.py"}
    count = len(known)
    import_graph(tmp_path, now, known)
    assert len(known) == count == 3
