"""The cache of analyses: bounded, shared, and never in the way."""

import multiprocessing
import os
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from covls.adapters.analysis_cache import AnalysisCache, cache_folder, key_of


def file_in(folder: Path) -> Path:
    (path,) = folder.glob("analyses-*.sqlite")
    return path


def test_keeps_what_it_is_given(tmp_path: Path) -> None:
    cache = AnalysisCache(tmp_path)
    assert cache.get(b"key") is None
    cache.put(b"key", b'{"a":1}')
    assert cache.get(b"key") == b'{"a":1}'
    cache.close()
    again = AnalysisCache(tmp_path)
    assert again.get(b"key") == b'{"a":1}'
    assert again.get(b"other") is None
    again.forget(b"key")
    assert again.get(b"key") is None
    again.close()


def test_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COVLS_CACHE_DIR", str(tmp_path / "there"))
    assert cache_folder() == tmp_path / "there"
    monkeypatch.delenv("COVLS_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder().name == "covls"


def test_keys_keep_parts_apart() -> None:
    assert key_of(b"ab", b"c") != key_of(b"a", b"bc")
    assert key_of(b"ab", b"c") == key_of(b"ab", b"c")


def test_reading_writes_nothing(tmp_path: Path) -> None:
    with_values(tmp_path, 10)
    before = file_in(tmp_path).read_bytes()
    cache = AnalysisCache(tmp_path)
    for number in range(10):
        assert cache.get(b"%d" % number)
    cache.close()
    assert file_in(tmp_path).read_bytes() == before


def with_values(folder: Path, count: int, size: int = 100) -> None:
    cache = AnalysisCache(folder)
    for number in range(count):
        cache.put(b"%d" % number, os.urandom(size))
    cache.close()


def test_the_longest_unused_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day = 24 * 60 * 60
    now = 1000 * day
    monkeypatch.setattr(time, "time", lambda: now)
    with_values(tmp_path, 100, 10_000)
    now += day
    cache = AnalysisCache(tmp_path)
    for number in range(20):
        assert cache.get(b"%d" % number)
    cache.close()
    now += day
    cache = AnalysisCache(tmp_path, max_mb=0.5)
    cache.put(b"new", os.urandom(10_000))
    cache.close()
    assert file_in(tmp_path).stat().st_size <= 0.5 * 1024 * 1024
    cache = AnalysisCache(tmp_path, max_mb=0.5)
    assert all(cache.get(b"%d" % number) for number in range(20))
    assert cache.get(b"new")
    kept = [number for number in range(20, 100) if cache.get(b"%d" % number)]
    assert 5 < len(kept) < 50
    cache.close()


def test_stays_within_its_bound(tmp_path: Path) -> None:
    cache = AnalysisCache(tmp_path, max_mb=1)
    for number in range(1000):
        cache.put(b"%d" % number, os.urandom(5000))
    cache.close()
    assert file_in(tmp_path).stat().st_size < 1.5 * 1024 * 1024


def test_a_size_of_nothing_keeps_nothing(tmp_path: Path) -> None:
    cache = AnalysisCache(tmp_path, max_mb=0)
    cache.put(b"key", b"value")
    assert cache.get(b"key") is None
    cache.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"not a database at all" * 100, b"SQLite format 3\x00" + b"\x01" * 5000]
)
def test_a_damaged_file_is_replaced(tmp_path: Path, content: bytes) -> None:
    with_values(tmp_path, 3)
    path = file_in(tmp_path)
    path.write_bytes(content)
    cache = AnalysisCache(tmp_path)
    assert cache.get(b"1") is None
    cache.put(b"1", b"anew")
    cache.close()
    cache = AnalysisCache(tmp_path)
    assert cache.get(b"1") == b"anew"
    cache.close()


def test_a_file_damaged_in_the_middle(tmp_path: Path) -> None:
    """A value comes back as it was or not at all."""
    with_values(tmp_path, 200, 3000)
    path = file_in(tmp_path)
    whole = AnalysisCache(tmp_path)
    values = {b"%d" % number: whole.get(b"%d" % number) for number in range(200)}
    whole.close()
    content = bytearray(path.read_bytes())
    for place in range(5000, len(content), 9001):
        content[place : place + 200] = b"\xaa" * 200
    path.write_bytes(content)
    cache = AnalysisCache(tmp_path)
    found = {key: cache.get(key) for key in values}
    assert all(found[key] in (None, value) for key, value in values.items())
    assert None in found.values()
    cache.put(b"1", b"anew")
    assert cache.get(b"1") == b"anew"
    cache.close()


@pytest.mark.parametrize("what", ["file", "folder"])
def test_deleted_while_open(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "cache"
    with_values(folder, 3)
    cache = AnalysisCache(folder)
    assert cache.get(b"1")
    if what == "file":
        file_in(folder).unlink()
    else:
        shutil.rmtree(folder)
    cache.get(b"2")
    cache.put(b"after", b"value")
    cache.flush()
    assert cache.get(b"after") == b"value"
    cache.close()
    other = AnalysisCache(folder)
    assert other.get(b"after") == b"value"
    other.close()


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = AnalysisCache(tmp_path / "file" / "cache")
    cache.put(b"key", b"value")
    cache.flush()
    assert cache.get(b"key") is None
    cache.close()


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    cache = AnalysisCache(tmp_path)
    cache.put(b"before", b"value")
    cache.flush()
    connection = cache._connection
    assert connection is not None
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    cache.put(b"after", os.urandom(100_000))
    cache.flush()
    assert cache.get(b"after") is None
    cache.close()
    again = AnalysisCache(tmp_path)
    assert again.get(b"before") == b"value"
    again.close()


def test_a_disk_that_is_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_values(tmp_path, 3)
    path = file_in(tmp_path)
    real = sqlite3.connect

    def read_only(*_: object, **options: object) -> sqlite3.Connection:
        return real(f"file:{path}?mode=ro", uri=True, check_same_thread=False)

    monkeypatch.setattr(sqlite3, "connect", read_only)
    cache = AnalysisCache(tmp_path)
    assert cache.get(b"1")
    cache.put(b"new", b"value")
    cache.flush()
    cache.close()
    assert path.is_file()


def test_while_another_process_holds_it(tmp_path: Path) -> None:
    with_values(tmp_path, 3)
    other = sqlite3.connect(file_in(tmp_path), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    cache = AnalysisCache(tmp_path)
    assert cache.get(b"1") is None
    cache.put(b"key", b"value")
    cache.close()
    other.execute("ROLLBACK")
    other.close()
    again = AnalysisCache(tmp_path)
    assert again.get(b"1")
    again.close()


def test_threads(tmp_path: Path) -> None:
    cache = AnalysisCache(tmp_path)
    wrong: list[bytes] = []

    def work(thread: int) -> None:
        for number in range(200):
            key = b"%d" % (number % 50)
            found = cache.get(key)
            if found not in (None, key * 20):
                wrong.append(key)
            cache.put(key, key * 20)
            if number % 20 == thread:
                cache.flush()

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cache.close()
    assert wrong == []


def _fill(folder: Path, start: int) -> None:
    cache = AnalysisCache(folder)
    for number in range(start, start + 300):
        cache.put(b"%d" % number, b"%d" % number * 50)
        found = cache.get(b"%d" % (number - 150))
        assert found in (None, b"%d" % (number - 150) * 50)
    cache.close()


def test_processes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_fill, args=(tmp_path, n * 200)) for n in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    cache = AnalysisCache(tmp_path)
    kept = [n for n in range(700) if cache.get(b"%d" % n) == b"%d" % n * 50]
    cache.close()
    # A writer that finds it busy for long gives up what it had, a batch at a time.
    assert len(kept) > 350
