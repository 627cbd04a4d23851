"""Workers: they start when needed, come back after a crash, and leave nothing behind."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest
from coverage.config import DEFAULT_EXCLUDE, DEFAULT_PARTIAL, DEFAULT_PARTIAL_ALWAYS

from covls.adapters import analyst
from covls.adapters.analysis_cache import AnalysisCache
from covls.adapters.analyst import AnalystError, Analysts, Rules
from covls.core.analysis import Analysis, NotAnalysed

RULES = Rules(tuple(DEFAULT_EXCLUDE), (*DEFAULT_PARTIAL, *DEFAULT_PARTIAL_ALWAYS))
# Python's regexes take time that doubles with each letter here.
SLOW_RULES = Rules(("(a+)+$",), ("no branch",))
SLOW = b"x = '" + b"a" * 60 + b"!'\n"

EMPTY: dict[str, Any] = {
    "lines": "@",
    "count": 0,
    "spans": [],
    "moved": [],
    "twos": [],
    "more": [],
    "fixers": [],
    "later": "",
}

Make = Callable[..., Analysts]

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="looks at POSIX processes: run it there"
)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Analysts] = []

    def start(rules: Rules = RULES, **options: Any) -> Analysts:
        made.append(Analysts(tmp_path, rules, **options))
        return made[-1]

    yield start
    for analysts in made:
        analysts.close()


def analysed(found: Analysis | NotAnalysed) -> Analysis:
    assert isinstance(found, Analysis), found
    return found


def reason(found: Analysis | NotAnalysed) -> str:
    assert isinstance(found, NotAnalysed)
    return found.reason


def pids(analysts: Analysts) -> list[int]:
    return [worker.hello["pid"] for worker in analysts._alive]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_analyses_what_it_is_given(make: Make, tmp_path: Path) -> None:
    analysts = make()
    assert pids(analysts) == []
    path = tmp_path / "is not there.py"
    found = analysed(analysts.analyse(path, b"if x:\n    y\nelse:  # pragma: no cover\n    z\n"))
    assert found.statements == {1, 2}
    assert found.excluded == {3, 4}
    assert len(pids(analysts)) == 1
    assert analysed(analysts.analyse(path, b"x\ny\n")).statements == {1, 2}
    assert len(pids(analysts)) == 1


def test_what_does_not_parse_is_told_with_its_place(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    found = make().analyse(path, b"x = 1\nif x\n    y\n")
    assert found == NotAnalysed(f"{path}, line 2 cannot be analysed: expected ':'", 2)


def test_versions(make: Make) -> None:
    """Known without a worker, and the same as the worker's own."""
    own = make()
    python, of_coverage = own.python_version, own.coverage_version
    assert pids(own) == []
    other = make(python=sys.executable)
    assert other.python_version == python == sys.version.split()[0]
    assert other.coverage_version == of_coverage == coverage.__version__
    assert len(pids(other)) == 1


def test_a_warm_worker_is_there_before_it_is_needed(make: Make) -> None:
    analysts = make()
    analysts.warm_up()
    until(lambda: len(analysts._idle) == 1)
    (pid,) = pids(analysts)
    analysts.analyse(Path("a.py"), b"x\n")
    assert pids(analysts) == [pid]


def test_a_crash_between_files_is_not_noticed(make: Make) -> None:
    analysts = make()
    analysts.analyse(Path("a.py"), b"x\n")
    (pid,) = pids(analysts)
    os.kill(pid, signal.SIGKILL)
    assert analysed(analysts.analyse(Path("a.py"), b"x\n")).statements == {1}
    assert pids(analysts) != [pid]


def crashing(tmp_path: Path, how: str) -> str:
    """An interpreter that crashes on certain sources, as an old parser does on deep nesting."""
    marker = tmp_path / "crashed"
    (tmp_path / "start.py").write_text(
        "import os, sys, runpy\n"
        "sys.argv.pop(0)\n"
        "if sys.argv[0] == '-I': sys.argv.pop(0)\n"
        "import ast\n"
        "parse = ast.parse\n"
        "def crash(text, *args, **options):\n"
        f"    marker, how = {str(marker)!r}, {how!r}\n"
        "    if 'crash' in text and (how == 'always' or not os.path.exists(marker)):\n"
        "        open(marker, 'w').close()\n"
        "        os.abort()\n"
        "    return parse(text, *args, **options)\n"
        "ast.parse = crash\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path}/start.py" "$@"\n')
    python.chmod(0o755)
    return str(python)


def test_a_crash_on_a_file_is_tried_once_more(make: Make, tmp_path: Path) -> None:
    analysts = make(python=crashing(tmp_path, "once"))
    assert analysed(analysts.analyse(Path("a.py"), b"crash\n")).statements == {1}
    assert (tmp_path / "crashed").exists()


def test_a_file_that_crashes_the_parser_is_named(make: Make, tmp_path: Path) -> None:
    analysts = make(python=crashing(tmp_path, "always"))
    path = tmp_path / "a.py"
    words = f"{path} cannot be analysed: the process that parses it crashed, twice"
    assert analysts.analyse(path, b"crash\n") == NotAnalysed(words)
    assert analysed(analysts.analyse(path, b"fine\n")).statements == {1}


def test_a_slow_regex_is_stopped_and_told(make: Make, tmp_path: Path) -> None:
    analysts = make(SLOW_RULES, seconds_a_file=0.5)
    path = tmp_path / "slow.py"
    found = reason(analysts.analyse(path, SLOW))
    assert str(path) in found
    assert "more than 0.5 seconds" in found
    assert "exclusion regexes" in found
    assert pids(analysts) == []
    assert analysed(analysts.analyse(path, b"x\n")).statements == {1}


def test_many_come_in_order_and_singly(make: Make, tmp_path: Path) -> None:
    sources = {
        "good.py": b"x = 1\n",
        "wrong.py": b"x = \n",
        "slow.py": SLOW,
        "long.py": b"if x:\n    y = 1\n" * 3000,
        "empty.py": b"",
        **{f"m{n}.py": b"x = 1\n" * n for n in range(100)},
    }
    for name, source in sources.items():
        (tmp_path / name).write_bytes(source)
    names = [*sources, "gone.py"]
    analysts = make(SLOW_RULES, seconds_a_file=2.0)
    found = list(analysts.analyse_many([(tmp_path / name, "") for name in names]))
    assert [path.name for path, _, _ in found] == names
    assert [source for _, source, _ in found] == [*sources.values(), b""]
    results = {path.name: result for path, _, result in found}
    assert "seconds" in reason(results.pop("slow.py"))
    assert "invalid syntax" in reason(results.pop("wrong.py"))
    assert "does not exist" in reason(results.pop("gone.py"))
    assert all(isinstance(result, Analysis) for result in results.values())
    assert len(analysed(results["m99.py"]).statements) == 99


def test_sources_are_not_all_held_at_once(make: Make, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x = 1\n")
    asked = 0

    def items() -> Iterator[tuple[Path, str]]:
        nonlocal asked
        for _ in range(500):
            asked += 1
            yield tmp_path / "a.py", ""

    for count, _ in enumerate(make().analyse_many(items()), 1):
        assert asked <= count + analyst._LOOK_AHEAD + 1
    assert asked == 500


def test_many_can_be_ended_early(make: Make, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x = 1\n")
    analysts = make()
    found = analysts.analyse_many([(tmp_path / "a.py", "")] * 300)
    next(found)
    found.close()  # type: ignore[attr-defined]
    until(lambda: len(analysts._idle) == len(analysts._alive))
    assert analysed(analysts.analyse(tmp_path / "a.py", b"x\n")).statements == {1}


def test_threads_share_two_workers(make: Make) -> None:
    analysts = make()
    results: list[int] = []

    def work(number: int) -> None:
        for more in range(5):
            source = b"x = 1\n" * (number * 10 + more)
            found = analysed(analysts.analyse(Path("a.py"), source))
            assert len(found.statements) == number * 10 + more
            results.append(len(pids(analysts)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 40
    assert max(results) == 2


def test_who_waits_goes_before_the_rest(make: Make, tmp_path: Path) -> None:
    """A file that is open in the editor does not queue behind a whole project's report."""
    (tmp_path / "a.py").write_bytes(b"if x:\n    y = 1\n" * 300)
    analysts = make(workers=1)
    found = analysts.analyse_many([(tmp_path / "a.py", "")] * 40)
    next(found)
    analysed(analysts.analyse(Path("b.py"), b"x\n"))
    waiting = sum(1 for _ in analysts._waiting)
    assert waiting > 0
    assert len(list(found)) == 39


def test_close_ends_workers_and_what_they_started(tmp_path: Path) -> None:
    child = tmp_path / "child"
    (tmp_path / "plugin.py").write_text(
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(child)!r}, 'w').write(str(child.pid))\n"
        "def coverage_init(reg, options): pass\n"
    )
    (tmp_path / ".coveragerc").write_text("[run]\nplugins = plugin\n")
    analysts = Analysts(tmp_path, RULES, plugins=True)
    assert analysts.settings()["plugins"] == ["plugin"]
    workers = pids(analysts)
    started = int(child.read_text())
    assert not is_gone(started)
    analysts.close()
    analysts.close()
    assert all(is_gone(pid) for pid in workers)
    until(lambda: is_gone(started) or is_zombie(started))
    assert "covls is closing" in reason(analysts.analyse(tmp_path / "a.py", b"x\n"))


def is_zombie(pid: int) -> bool:
    """Ended, but nobody has asked how: in a container there may be no init to do so."""
    status = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return status.stdout.startswith("Z")


def test_close_frees_whoever_waits(make: Make, tmp_path: Path) -> None:
    analysts = make(SLOW_RULES, workers=1)
    found: list[Analysis | NotAnalysed] = []

    def work(name: str) -> None:
        found.append(analysts.analyse(tmp_path / name, SLOW))

    threads = [threading.Thread(target=work, args=(f"slow{i}.py",)) for i in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: len(analysts._waiting) == 2 and len(analysts._alive) == 1)
    analysts.close()
    for thread in threads:
        thread.join(60)
    assert [("closing" in reason(result)) for result in found] == [True] * 3


def test_what_is_being_asked_is_not_asked_again(make: Make, tmp_path: Path) -> None:
    analysts = make(SLOW_RULES)
    found: list[Analysis | NotAnalysed] = []

    def work() -> None:
        found.append(analysts.analyse(tmp_path / "slow.py", SLOW))

    threads = [threading.Thread(target=work) for _ in range(2)]
    threads[0].start()
    until(lambda: len(analysts._alive) == 1 and not analysts._idle)
    # The first is never answered, so that a second worker would start for the second.
    threads[1].start()
    analysts.analyse(tmp_path / "other.py", b"x\n")
    assert len(analysts._alive) == 2
    analysts.close()
    for thread in threads:
        thread.join(60)
    assert found[0] is found[1]


def test_a_worker_that_grew_is_replaced(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    analysts = make()
    monkeypatch.setattr(analyst, "_FILES_A_WORKER", 3)
    seen = set()
    for _ in range(7):
        analysts.analyse(Path("a.py"), b"x\n")
        seen.update(pids(analysts))
    assert len(seen) == 3
    monkeypatch.setattr(analyst, "_FILES_A_WORKER", 1000)
    monkeypatch.setattr(analyst, "_FILES_BETWEEN_LOOKS", 1)
    monkeypatch.setattr(analyst, "_MB_A_WORKER", 1)
    analysts.analyse(Path("a.py"), b"x\n")
    if Path("/proc/self/statm").exists():
        assert pids(analysts) == []


@pytest.mark.parametrize(
    ("python", "words"),
    [
        ("/no/such/python", "/no/such/python cannot be started: No such file"),
        ("/bin/false", "/bin/false did not start as an analyst"),
    ],
)
def test_an_interpreter_that_is_none(make: Make, python: str, words: str, tmp_path: Path) -> None:
    analysts = make(python=python, cache=AnalysisCache(tmp_path))
    path = tmp_path / "a.py"
    path.touch()
    assert words in reason(analysts.analyse(path, b"x\n"))
    with pytest.raises(AnalystError, match=words):
        _ = analysts.coverage_version
    began = time.monotonic()
    found = list(analysts.analyse_many([(path, "")] * 500))
    assert all(words in reason(result) for _, _, result in found)
    assert time.monotonic() - began < 30


def test_a_wrong_rule_is_named(make: Make, tmp_path: Path) -> None:
    found = reason(make(Rules(("(",), ())).analyse(tmp_path / "a.py", b"x\n"))
    assert "'(' is no regular expression" in found


def test_a_shell_that_measures_everything(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker itself is never measured: it would write data files into the workspace."""
    (tmp_path / "rc").write_text("[run]\nparallel = true\n")
    monkeypatch.setenv("COVERAGE_PROCESS_START", str(tmp_path / "rc"))
    monkeypatch.setenv("COVERAGE_FILE", str(tmp_path / ".coverage"))
    monkeypatch.setenv("COVERAGE_TRACK_ARCS", "1")
    analysts = make()
    assert analysed(analysts.analyse(tmp_path / "a.py", b"x\n")).statements == {1}
    analysts.close()
    assert [path.name for path in tmp_path.iterdir()] == ["rc"]


def test_warnings_of_sources_are_no_errors(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    found = make(python=sys.executable, plugins=True).analyse(Path("a.py"), b"x = '\\d'\n")
    assert analysed(found).statements == {1}


def test_what_was_found_is_kept(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"if x:\n    y\n")
    first = make(cache=AnalysisCache(tmp_path / "cache"))
    found = first.analyse(path, path.read_bytes())
    wrong = first.analyse(path, b"x = \n")
    first.close()
    second = make(cache=AnalysisCache(tmp_path / "cache"))
    assert second.analyse(path, path.read_bytes()) == found
    assert second.analyse(path, b"x = \n") == wrong
    assert list(second.analyse_many([(path, "")])) == [(path, path.read_bytes(), found)]
    assert pids(second) == []
    # Another rule, another answer; another place, another message.
    third = make(Rules(("y",), ()), cache=AnalysisCache(tmp_path / "cache"))
    assert analysed(third.analyse(path, path.read_bytes())).excluded == {2}
    other = reason(second.analyse(tmp_path / "b.py", b"x = \n"))
    assert other == reason(wrong).replace("a.py", "b.py")


def test_a_cache_with_something_else_in_it(make: Make, tmp_path: Path) -> None:
    cache = AnalysisCache(tmp_path)
    analysts = make(cache=cache)
    key = analysts._key(b"x\n")
    assert key is not None
    broken = json.dumps({**EMPTY, "more": [3, 4]}).encode()
    for nonsense in (b"[]", b"{}", b"nonsense", b"null", json.dumps({"lines": 3}).encode(), broken):
        cache.put(key, nonsense)
        assert analysed(analysts.analyse(tmp_path / "a.py", b"x\n")).statements == {1}
