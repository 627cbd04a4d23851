"""The ledger of measured sources: once per content, bounded, shared, and never in the way."""

import contextlib
import hashlib
import multiprocessing
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

import covls.adapters.ledger as module
from covls.adapters import cache_database
from covls.adapters.data_file import fingerprint
from covls.adapters.ledger import Ledger, Record, content_hash, data_identity
from covls.adapters.snapshot import FileStamp, Fingerprint
from covls.adapters.source import read_source

DAY = 24 * 60 * 60


def data(number: int) -> Fingerprint:
    return Fingerprint((FileStamp(Path("/a/.coverage"), 1, 4096, number),))


def sources(folder: Path, texts: Mapping[str, str], *, age: float = 60) -> dict[str, Path]:
    """Files that were modified some seconds ago, by measured path."""
    files = {}
    for name, text in texts.items():
        files[name] = folder / name
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_text(text)
        then = time.time() - age
        os.utime(files[name], (then, then))
    return files


def contents(ledger: Ledger, record: Record) -> dict[str, bytes | None]:
    return {path: ledger.content(entry.hash) for path, entry in record.items()}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "cache")


def file_in(ledger_folder: Path) -> Path:
    (path,) = (ledger_folder / "cache").glob("ledger-*.sqlite")
    return path


def test_keeps_what_was_measured(ledger: Ledger, tmp_path: Path) -> None:
    files = sources(tmp_path, {"a.py": "a = 1\r\n", "ü/b.py": "b = 1\n", "c.py": "a = 1\r\n"})
    ledger.note(tmp_path, data(1), files, written_at=time.time())
    for path in files.values():
        path.write_text("changed")
    again = Ledger(tmp_path / "cache")
    assert contents(again, again.record(tmp_path, data(1))) == {
        "a.py": b"a = 1\r\n",
        "ü/b.py": b"b = 1\n",
        "c.py": b"a = 1\r\n",
    }
    assert again.record(tmp_path, data(2)) == {}
    assert again.record(tmp_path / "other", data(1)) == {}
    with contextlib.closing(sqlite3.connect(file_in(tmp_path))) as database, database:
        assert database.execute("SELECT count(*) FROM source").fetchone() == (2,)


def test_what_was_modified_since_the_data_is_not_kept(ledger: Ledger, tmp_path: Path) -> None:
    files = sources(tmp_path, {"a.py": "a = 1\n", "b.py": "b = 1\n"})
    files["missing.py"] = tmp_path / "missing.py"
    files["folder"] = tmp_path
    os.utime(files["b.py"])
    record = ledger.note(tmp_path, data(1), files, written_at=time.time() - 30)
    assert list(record) == ["a.py"]
    assert ledger.record(tmp_path, data(1)) == record


def test_what_is_on_record_stays(ledger: Ledger, tmp_path: Path) -> None:
    """Of two servers, the one that looks first is nearer to the run."""
    files = sources(tmp_path, {"a.py": "a = 1\n"})
    written_at = time.time()
    first = ledger.note(tmp_path, data(1), files, written_at=written_at)
    files |= sources(tmp_path, {"a.py": "a = 2\n", "b.py": "b = 1\n"})
    second = ledger.note(tmp_path, data(1), files, written_at=written_at)
    assert second["a.py"] == first["a.py"]
    assert contents(ledger, ledger.record(tmp_path, data(1))) == {
        "a.py": b"a = 1\n",
        "b.py": b"b = 1\n",
    }
    third = ledger.note(tmp_path, data(2), files, written_at=written_at)
    assert ledger.content(third["a.py"].hash) == b"a = 2\n"


def test_only_what_changed_is_read_again(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sources(tmp_path, {f"{number}.py": f"a = {number}\n" for number in range(20)})
    read: list[str] = []

    def counting(path: Path) -> object:
        read.append(path.name)
        return read_source(path)

    monkeypatch.setattr(module, "read_source", counting)
    # Files changed just now may change again within a tick of the disk's clock.
    ledger.note(tmp_path, data(1), files, written_at=time.time())
    later = time.time() + 10
    monkeypatch.setattr(time, "time", lambda: later)
    ledger.note(tmp_path, data(2), files, written_at=time.time())
    read.clear()
    ledger.note(tmp_path, data(3), files, written_at=time.time())
    assert read == []
    files["3.py"].write_text("a = 'anew'\n")
    record = ledger.note(tmp_path, data(4), files, written_at=time.time())
    assert read == ["3.py"]
    assert ledger.content(record["3.py"].hash) == b"a = 'anew'\n"
    assert len(ledger.record(tmp_path, data(4))) == 20


def test_a_source_that_was_thrown_out_is_read_again(ledger: Ledger, tmp_path: Path) -> None:
    files = sources(tmp_path, {"a.py": "a = 1\n"})
    ledger.note(tmp_path, data(1), files, written_at=time.time())
    with contextlib.closing(sqlite3.connect(file_in(tmp_path))) as database, database:
        database.execute("DELETE FROM source")
    record = ledger.note(tmp_path, data(2), files, written_at=time.time())
    assert ledger.content(record["a.py"].hash) == b"a = 1\n"


def random_texts(count: int, size: int) -> dict[str, str]:
    return {f"{number}.py": f"# {os.urandom(size // 2).hex()}\n" for number in range(count)}


def test_the_longest_unused_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = time.time()
    now = start
    monkeypatch.setattr(time, "time", lambda: now)
    ledger = Ledger(tmp_path / "cache", max_mb=1)
    old = sources(tmp_path / "old", random_texts(40, 20_000))
    first = ledger.note(tmp_path / "old", data(1), old, written_at=now)
    now += DAY
    new = sources(tmp_path / "new", random_texts(50, 20_000))
    second = ledger.note(tmp_path / "new", data(1), new, written_at=now)
    assert file_in(tmp_path).stat().st_size < 1.2 * 1024 * 1024
    assert all(contents(ledger, second).values())
    assert 0 < sum(text is not None for text in contents(ledger, first).values()) < 25


def test_the_old_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    ledger = Ledger(tmp_path / "cache", max_days=90)
    files = sources(tmp_path, {"a.py": "a = 1\n", "b.py": "b = 1\n"})
    record = ledger.note(tmp_path, data(1), files, written_at=now)
    now += 80 * DAY
    ledger.note(tmp_path, data(2), {"a.py": files["a.py"]}, written_at=now)
    assert ledger.content(record["b.py"].hash)
    now += 20 * DAY
    ledger.note(tmp_path, data(3), {"a.py": files["a.py"]}, written_at=now)
    assert ledger.content(record["a.py"].hash)
    assert ledger.content(record["b.py"].hash) is None
    assert ledger.record(tmp_path, data(1)) == {}


def test_what_is_in_use_stays(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same data, looked at again and again."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    files = sources(tmp_path, {"a.py": "a = 1\n"})
    for _ in range(5):
        ledger.note(tmp_path, data(1), files, written_at=now)
        now += 80 * DAY
    assert contents(ledger, ledger.record(tmp_path, data(1))) == {"a.py": b"a = 1\n"}


def test_few_records_of_a_root_are_kept(ledger: Ledger, tmp_path: Path) -> None:
    files = sources(tmp_path, {"a.py": "a = 1\n"})
    ledger.note(tmp_path / "other", data(0), files, written_at=time.time())
    for number in range(20):
        ledger.note(tmp_path, data(number), files, written_at=time.time())
    assert [bool(ledger.record(tmp_path, data(number))) for number in (0, 11, 12, 19)] == [
        False,
        False,
        True,
        True,
    ]
    assert ledger.record(tmp_path / "other", data(0))


def test_no_room_keeps_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "cache", max_mb=0)
    files = sources(tmp_path, {"a.py": "a = 1\n"})
    assert ledger.note(tmp_path, data(1), files, written_at=time.time()) == {}
    assert not (tmp_path / "cache").exists()


def test_looking_makes_no_file(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger.record(tmp_path, data(1)) == {}
    assert ledger.content(content_hash(b"a")) is None
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    "damage", [b"", b"not a database" * 1000, b"SQLite format 3\x00" + b"\x01" * 8000]
)
def test_a_damaged_file_is_replaced(ledger: Ledger, tmp_path: Path, damage: bytes) -> None:
    files = sources(tmp_path, {"a.py": "a = 1\n"})
    record = ledger.note(tmp_path, data(1), files, written_at=time.time())
    file_in(tmp_path).write_bytes(damage)
    assert ledger.content(record["a.py"].hash) is None
    assert ledger.record(tmp_path, data(1)) == {}
    ledger.note(tmp_path, data(1), files, written_at=time.time())
    assert contents(ledger, ledger.record(tmp_path, data(1))) == {"a.py": b"a = 1\n"}


@pytest.mark.parametrize("body", [b"", b"x", "text", 5, b"x\x9cnonsense"])
def test_damaged_rows_are_not_there(ledger: Ledger, tmp_path: Path, body: object) -> None:
    files = sources(tmp_path, {"a.py": "a = 1\n"})
    record = ledger.note(tmp_path, data(1), files, written_at=time.time())
    with contextlib.closing(sqlite3.connect(file_in(tmp_path))) as database, database:
        database.execute("UPDATE source SET body = ?", (body,))
        database.execute("UPDATE record SET body = ?", (body,))
    assert ledger.content(record["a.py"].hash) is None
    assert ledger.record(tmp_path, data(1)) == {}


def test_a_content_under_a_wrong_hash_is_not_believed(ledger: Ledger, tmp_path: Path) -> None:
    files = sources(tmp_path, {"a.py": "a = 1\n", "b.py": "b = 1\n"})
    record = ledger.note(tmp_path, data(1), files, written_at=time.time())
    with contextlib.closing(sqlite3.connect(file_in(tmp_path))) as database, database:
        bodies = [row[0] for row in database.execute("SELECT body FROM source ORDER BY rowid")]
        database.execute("UPDATE source SET body = ? WHERE body = ?", (bodies[0], bodies[1]))
    assert [ledger.content(entry.hash) for entry in record.values()] == [b"a = 1\n", None]


def test_a_bomb_is_not_unpacked(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = ledger.note(
        tmp_path, data(1), sources(tmp_path, {"a.py": "a" * 10_000}), written_at=time.time()
    )
    monkeypatch.setattr(module, "MAX_BYTES", 9_999)
    assert ledger.content(record["a.py"].hash) is None


def test_it_may_be_deleted_at_any_moment(ledger: Ledger, tmp_path: Path) -> None:
    files = sources(tmp_path, {"a.py": "a = 1\n"})
    record = ledger.note(tmp_path, data(1), files, written_at=time.time())
    shutil.rmtree(tmp_path / "cache")
    assert ledger.content(record["a.py"].hash) is None
    ledger.note(tmp_path, data(1), files, written_at=time.time())
    assert ledger.content(record["a.py"].hash) == b"a = 1\n"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file is in the way")
    ledger = Ledger(tmp_path / "cache")
    files = sources(tmp_path, {"a.py": "a = 1\n"})
    assert "a.py" in ledger.note(tmp_path, data(1), files, written_at=time.time())
    assert ledger.record(tmp_path, data(1)) == {}


def test_a_file_that_may_not_be_written(ledger: Ledger, tmp_path: Path) -> None:
    """Also for an administrator, who may write any file, but not one that is locked."""
    files = sources(tmp_path, {"a.py": "a = 1\n"})
    first = ledger.note(tmp_path, data(1), files, written_at=time.time())
    other = sqlite3.connect(file_in(tmp_path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert ledger.content(first["a.py"].hash) == b"a = 1\n"
    seconds = cache_database.SECONDS_TO_WRITE
    try:
        cache_database.SECONDS_TO_WRITE = 0.05  # type: ignore[misc]
        ledger.note(tmp_path, data(2), files, written_at=time.time())
    finally:
        cache_database.SECONDS_TO_WRITE = seconds  # type: ignore[misc]
        other.close()
    assert ledger.record(tmp_path, data(2)) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_it_is_nobody_elses_business(ledger: Ledger, tmp_path: Path) -> None:
    ledger.note(tmp_path, data(1), sources(tmp_path, {"a.py": "a"}), written_at=time.time())
    assert file_in(tmp_path).stat().st_mode & 0o077 == 0
    assert (tmp_path / "cache").stat().st_mode & 0o077 == 0


def test_it_ends_early_when_told_to(ledger: Ledger, tmp_path: Path) -> None:
    files = sources(tmp_path, {f"{number}.py": str(number) for number in range(10)})
    asked: list[None] = []

    def stopped() -> bool:
        asked.append(None)
        return len(asked) > 3

    record = ledger.note(tmp_path, data(1), files, written_at=time.time(), stopped=stopped)
    assert list(record) == ["0.py", "1.py", "2.py"]
    assert ledger.record(tmp_path, data(1)) == record


def note_many(folder: Path, server: int, texts: dict[str, str]) -> None:
    ledger = Ledger(folder / "cache")
    root = folder / str(server)
    files = sources(root, texts)
    for number in range(10):
        files |= sources(root, {"own.py": f"a = {server}, {number}\n"})
        ledger.note(root, data(number), files, written_at=time.time())


def test_two_servers_at_once(tmp_path: Path) -> None:
    texts = random_texts(30, 2_000)
    context = multiprocessing.get_context("spawn")
    servers = [
        context.Process(target=note_many, args=(tmp_path, server, texts)) for server in range(2)
    ]
    for process in servers:
        process.start()
    for process in servers:
        process.join(60)
        assert process.exitcode == 0
    ledger = Ledger(tmp_path / "cache")
    for server in range(2):
        record = ledger.record(tmp_path / str(server), data(9))
        assert ledger.content(record["own.py"].hash) == f"a = {server}, 9\n".encode()
        assert {name: text for name, text in contents(ledger, record).items() if name in texts} == {
            name: text.encode() for name, text in texts.items()
        }


def test_the_identity_of_data(tmp_path: Path) -> None:
    path = tmp_path / ".coverage"
    path.write_bytes(b"a" * 10)
    one = data_identity(fingerprint(path))
    os.utime(path, ns=(1, 1))
    two = data_identity(fingerprint(path))
    (tmp_path / ".coverage.1").write_bytes(b"b")
    three = data_identity(fingerprint(path))
    assert len({one, two, three}) == 3
    # Moved along with its time, as by a backup, it is the same.
    (tmp_path / "other").mkdir()
    shutil.copy2(path, tmp_path / "other")
    assert data_identity(fingerprint(tmp_path / "other" / ".coverage")) == two


def test_hashes_are_those_of_the_content() -> None:
    assert content_hash(b"a") == hashlib.sha256(b"a").hexdigest()
