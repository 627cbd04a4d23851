"""The kept detail of a root: what comes back, what is thrown out, and what damage does."""

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from coverage import CoverageData
from hypothesis import given, settings
from hypothesis import strategies as st

from covls.adapters.data_file import read_snapshot
from covls.adapters.ledger import content_hash
from covls.adapters.recorded_contexts import detail_of_contexts
from covls.adapters.test_detail import About, DetailStore
from covls.core.detail import OUTSIDE, Detail, FileDetail, TestRecord, detail_of_arcs
from covls.core.imports import Imports
from covls.core.splice import Spliced

ROOT = Path("/project")
DETAIL = Detail(
    True,
    {
        "/project/a.py": detail_of_arcs(
            {
                OUTSIDE: [(-1, 1), (1, -1)],
                ("t.py::one", "call"): [(-1, 2), (2, -1)],
                ("t.py::two[a-b]", "setup"): [(-1, 2), (2, -1)],
            }
        ),
        "/project/never.py": FileDetail((), {}),
    },
    {
        "t.py::one": TestRecord("passed", 0.25, 12.5, "t.py", 3),
        "t.py::two[a-b]": TestRecord("failed", outdated="a.py:2 was edited"),
    },
)
ABOUT = About(b"identity", True, {"a.py": content_hash(b"text")}, {"python": "3.12.1"})


@pytest.fixture
def store(tmp_path: Path) -> DetailStore:
    return DetailStore(ROOT, tmp_path)


def files_of(detail: Detail) -> Mapping[str, FileDetail]:
    return dict(detail.files)


def test_what_is_written_comes_back(store: DetailStore) -> None:
    assert store.detail() is None
    assert store.about() is None
    assert store.write(DETAIL, ABOUT, {content_hash(b"text"): b"text"})
    found = store.detail()
    assert found is not None
    assert files_of(found) == DETAIL.files
    assert found.tests == DETAIL.tests
    assert found.has_arcs
    assert store.about() == ABOUT
    assert store.source(content_hash(b"text")) == b"text"
    assert store.source(content_hash(b"other")) is None
    assert store.files_of(["t.py::one"]) == {"/project/a.py"}
    assert dict(store.totals()) == {path: f.measured() for path, f in DETAIL.files.items()}


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["", "t", "u"]), st.sampled_from(["setup", "call", "teardown"])),
        st.sets(st.integers(0, 3000), min_size=1),
    )
)
def test_lines_come_back(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[tuple[str, str], set[int]]
) -> None:
    store = DetailStore(ROOT, tmp_path_factory.mktemp("store"))
    file = FileDetail(None, {who: sum(1 << n for n in lines) for who, lines in rows.items()})
    assert store.write(Detail(False, {"a.py": file}), About(b"x", False), {})
    found = store.detail()
    assert found is not None
    assert found.files["a.py"] == file
    assert dict(store.totals()) == {"a.py": file.measured()}


def test_a_splice_changes_what_it_names_and_forgets_unused_sources(store: DetailStore) -> None:
    store.write(DETAIL, ABOUT, {content_hash(b"text"): b"text"})
    new = detail_of_arcs({OUTSIDE: [(-1, 1)], ("t.py::new", "call"): [(-1, 2)]})
    later = About(b"later", True, {"a.py": content_hash(b"edited")}, {})
    spliced = Spliced(
        {"/project/a.py": new, "/project/never.py": None}, {"t.py::new": TestRecord("passed")}
    )
    assert store.splice(spliced, later, {content_hash(b"edited"): b"edited"}, onto=ABOUT)
    found = store.detail()
    assert found is not None
    assert files_of(found) == {"/project/a.py": new}
    assert found.tests == {"t.py::new": TestRecord("passed")}
    assert store.about() == later
    assert store.source(content_hash(b"text")) is None
    assert store.source(content_hash(b"edited")) == b"edited"


def test_nothing_is_spliced_onto_another_detail_than_it_was_made_for(store: DetailStore) -> None:
    spliced = Spliced({"/project/a.py": None}, {})
    assert not store.splice(spliced, ABOUT, {}, onto=ABOUT)
    assert store.about() is None
    meanwhile = About(b"meanwhile", True)
    store.write(DETAIL, meanwhile, {})
    assert not store.splice(spliced, ABOUT, {}, onto=ABOUT)
    assert store.about() == meanwhile
    found = store.detail()
    assert found is not None
    assert found.tests == DETAIL.tests


def test_imports_come_back(store: DetailStore) -> None:
    kept = {"1 a.py": Imports({"os": 1}, discovers=True), "2 bad.py": None}
    store.keep_imports(kept)
    assert store.imports() == kept
    store.keep_imports({"1 a.py": kept["1 a.py"]})
    assert store.imports() == {"1 a.py": kept["1 a.py"]}
    assert store.sources() == set()


def test_a_splice_leaves_other_files_what_ran_outside_of_tests(store: DetailStore) -> None:
    files = {
        "a.py": FileDetail(None, {OUTSIDE: 2, ("t.py::one", "call"): 4}),
        "b.py": FileDetail(None, {("t.py::one", "call"): 4}),
    }
    tests = {"t.py::one": TestRecord("passed")}
    store.write(Detail(False, files, tests), ABOUT, {})
    changed = FileDetail(None, {("t.py::one", "call"): 8})
    store.splice(Spliced({"b.py": changed}, tests), ABOUT, {}, onto=ABOUT)
    found = store.detail()
    assert found is not None
    assert files_of(found) == {"a.py": files["a.py"], "b.py": changed}


@pytest.mark.parametrize("damage", [b"no database at all", b"", "cut"])
def test_a_damaged_file_is_nothing_and_is_written_anew(
    store: DetailStore, damage: bytes | str
) -> None:
    store.write(DETAIL, ABOUT, {})
    content = store.path.read_bytes()
    cut = content[:4096] + b"\xff" * (len(content) - 4096)
    store.path.write_bytes(damage if isinstance(damage, bytes) else cut)
    detail = store.detail()
    assert detail is None or not any(map(detail.files.get, detail.files))
    assert store.write(DETAIL, ABOUT, {}) or store.write(DETAIL, ABOUT, {})
    found = store.detail()
    assert found is not None
    assert files_of(found) == DETAIL.files


def test_nowhere_to_write_is_forgetful_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = DetailStore(ROOT, tmp_path / "file")
    assert not store.write(DETAIL, ABOUT, {})
    assert store.detail() is None
    assert store.files_of(["t.py::one"]) == set()


def test_two_writers_at_once_leave_one_of_both(tmp_path: Path) -> None:
    stores = [DetailStore(ROOT, tmp_path) for _ in range(2)]
    details = [
        Detail(False, {f"{n}.py": FileDetail(None, {(f"t{k}", "call"): 2}) for n in range(50)})
        for k in range(2)
    ]

    def write(number: int) -> None:
        for _ in range(10):
            assert stores[number].write(details[number], About(b"%d" % number, False), {})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    about, found = stores[0].about(), stores[0].detail()
    assert about is not None
    assert found is not None
    assert files_of(found) == details[int(about.data)].files


def test_old_details_of_other_roots_are_thrown_out(tmp_path: Path) -> None:
    old = DetailStore(Path("/old"), tmp_path)
    old.write(DETAIL, ABOUT, {})
    month_ago = time.time() - 100 * 24 * 60 * 60
    os.utime(old.path, (month_ago, month_ago))
    DetailStore(ROOT, tmp_path).write(DETAIL, ABOUT, {})
    assert old.detail() is None
    DetailStore(Path("/other"), tmp_path, max_mb=0).write(DETAIL, ABOUT, {})
    assert DetailStore(ROOT, tmp_path).detail() is None


@pytest.mark.parametrize("arcs", [True, False])
def test_contexts_of_other_tools_are_taken_over(tmp_path: Path, *, arcs: bool) -> None:
    data_file = tmp_path / ".coverage"
    data = CoverageData(str(data_file))
    for context, lines in {"": [1, 2], "t.py::a|setup": [3], "t.py::a|run": [3, 4]}.items():
        data.set_context(context)
        if arcs:
            data.add_arcs({"/src/a.py": [(line, line) for line in lines]})
        else:
            data.add_lines({"/src/a.py": lines})
    data.touch_files(["/src/never.py"])
    data.write()
    data.close(force=True)
    with read_snapshot(data_file, root=tmp_path) as snapshot:
        detail = detail_of_contexts(snapshot)
        assert detail is not None
        assert detail_of_contexts(snapshot, lambda: True) is None
        file = detail.files["/src/a.py"]
        assert {who: file.lines(bits) for who, bits in file.ran.items()} == {
            OUTSIDE: {1, 2},
            ("t.py::a", "setup"): {3},
            ("t.py::a", "call"): {3, 4},
        }
        assert file.measured() == snapshot.measured("/src/a.py")
        assert set(detail.files) == {"/src/a.py", "/src/never.py"}
        assert detail.tests == {"t.py::a": TestRecord("unknown")}
