"""The worker processes that analyse one root's sources, and what they found, from the cache."""

import contextlib
import heapq
import json
import os
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from covls.adapters import probes
from covls.adapters.analysis_cache import AnalysisCache, key_of
from covls.adapters.source import Unreadable, read_source
from covls.core.analysis import Analysis, NotAnalysed, analysis_from_json

SECONDS_A_FILE: Final = 30.0
"""How long one file may take. The largest in the standard library takes two seconds."""

_SECONDS_TO_START: Final = 30.0
_PAUSE_SECONDS: Final = 15.0
_FILES_A_WORKER: Final = 2000
_MB_A_WORKER: Final = 400
_FILES_BETWEEN_LOOKS: Final = 20
_LOOK_AHEAD: Final = 48


@dataclass(frozen=True, slots=True)
class Rules:
    """The regexes by which coverage.py excludes lines, and excuses lines from branches."""

    exclude: tuple[str, ...]
    partial: tuple[str, ...]


class AnalystError(Exception):
    """The worker cannot do what it is for: one clear sentence that names the interpreter."""


class _DiedError(Exception):
    """The worker ended without an answer."""


class _TimeoutError(Exception):
    """The worker was killed because it gave no answer in time."""


class _Worker:
    """One process of `covls/probe/analyse.py`. One thread at a time may ask it."""

    def __init__(self, command: list[str], root: Path, rules: Rules) -> None:
        try:
            self._process = probes.start(command, root)
        except OSError as error:
            raise AnalystError(f"{command[0]} cannot be started: {error.strerror}") from error
        self._said: deque[str] = deque(maxlen=20)
        self._answers: queue.SimpleQueue[tuple[dict[str, Any], bytes] | None] = queue.SimpleQueue()
        for work in (self._drain, self._receive):
            threading.Thread(
                target=work, name=f"covls analyst {work.__name__}", daemon=True
            ).start()
        self._killing = threading.Lock()
        self._killed = False
        self.files = 0
        self.hello: Mapping[str, Any] = {}
        try:
            self.hello, _ = self.ask(
                {"do": "start", "exclude": rules.exclude, "partial": rules.partial},
                seconds=_SECONDS_TO_START,
            )
        except (_DiedError, _TimeoutError) as error:
            self.kill()
            raise AnalystError(
                f"{command[0]} did not start as an analyst: {self.last_words() or error}"
            ) from error
        if "error" in self.hello:
            self.kill()
            raise AnalystError(self.hello["error"])

    def ask(
        self, request: dict[str, Any], body: bytes = b"", *, seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        """Send one request, and wait so many seconds for its answer."""
        assert self._process.stdin is not None
        line = json.dumps({**request, "size": len(body)}).encode() + b"\n"
        # The pipe is only full while the worker does not read, and then it is of no use: the
        # timer ends that, too.
        timer = threading.Timer(seconds, self.kill) if len(body) > 32_768 else None
        if timer:
            timer.start()
        try:
            self._process.stdin.write(line + body)
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise _DiedError from error
        finally:
            if timer:
                timer.cancel()
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            self.kill()
            raise _TimeoutError from None
        if answer is None:
            raise _DiedError
        return answer

    def memory_mb(self) -> float:
        """The memory that the process has, 0 where that cannot be known."""
        try:
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_bytes().split()[1])
        except (OSError, IndexError, ValueError):
            return 0.0
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024

    def last_words(self) -> str:
        """The last line of what the process printed, a traceback's error for one."""
        return self._said[-1] if self._said else ""

    def kill(self) -> None:
        """End the process, and all that it started."""
        with self._killing:
            if self._killed:
                return
            self._killed = True
            probes.kill(self._process)
            with contextlib.suppress(OSError):
                assert self._process.stdin is not None
                self._process.stdin.close()

    def _drain(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                if words := line.decode(errors="replace").strip():
                    self._said.append(words)

    def _receive(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as answers, contextlib.suppress(ValueError):
            while line := answers.readline():
                header = json.loads(line)
                body = answers.read(header["size"])
                if len(body) < header["size"]:
                    break
                self._answers.put((header, body))
        self._answers.put(None)


class Analysts:
    """Analyses of one root's files, by worker processes that start when first needed.

    Thread-safe: each call has a worker for itself, and waits while all are busy. Files that
    somebody waits for (`analyse`) go before those of a whole project (`analyse_many`).

    Without `plugins` nothing of the workspace is imported. `python` is an interpreter to use
    instead of covls's own; it, too, may only be given where the workspace is trusted.
    """

    def __init__(
        self,
        root: Path,
        rules: Rules,
        *,
        python: str | None = None,
        plugins: bool = False,
        cache: AnalysisCache | None = None,
        workers: int = 2,
        seconds_a_file: float = SECONDS_A_FILE,
    ) -> None:
        self.plugins = plugins
        self._root = root
        self.rules = rules
        self._seconds = seconds_a_file
        self._cache = cache
        self._size = workers
        self.own = python is None
        self.python = python
        self._command = probes.command_of("analyse", python, plugins=plugins)
        self._lock = threading.Lock()
        self._asked: dict[tuple[Path, bytes], Future[Analysis | NotAnalysed]] = {}
        self._idle: list[_Worker] = []
        self._count = 0
        self._alive: set[_Worker] = set()
        self._waiting: list[tuple[int, int, Future[_Worker | None]]] = []
        self._tickets = 0
        self._closed = False
        # Whoever asks for the next of a thousand files is not to wait for the same failure again.
        self._failed: AnalystError | None = None
        self._failed_until = 0.0
        self._versions: tuple[str, str] | None = None
        self._prefix: bytes | None = None

    @property
    def python_version(self) -> str:
        """The version of the Python that parses, "3.11.7". Raises AnalystError."""
        return self._known_versions()[0].split()[0]

    @property
    def coverage_version(self) -> str:
        """The version of the coverage.py that is asked, "7.17.3". Raises AnalystError."""
        return self._known_versions()[1]

    def warm_up(self) -> None:
        """Start a worker in the background, for the first file to find it running."""

        def start() -> None:
            # Whoever asks first is told what is wrong.
            with contextlib.suppress(AnalystError), self._worker(urgent=False):
                pass

        threading.Thread(target=start, name="covls analyst warm-up", daemon=True).start()

    def analyse(self, path: Path, source: bytes, tracer: str = "") -> Analysis | NotAnalysed:
        """Say what could run in `source`, be it what stands at `path` or not.

        `tracer` is the name of the plugin that measured the file, as the data file has it.
        """
        key = self._key(source) if not tracer else None
        found = self._from_cache(key, path)
        if found is None:
            found = self._ask_once(path, source, tracer, key)
        return found

    def _ask_once(
        self, path: Path, source: bytes, tracer: str, key: bytes | None
    ) -> Analysis | NotAnalysed:
        """Ask a worker, unless another thread is just asking the same: then wait for its answer."""
        same = (path, key or source)
        mine = Future[Analysis | NotAnalysed]()
        with self._lock:
            answer = self._asked.setdefault(same, mine)
        if answer is not mine:
            return answer.result()
        try:
            found = self._ask(path, source, tracer, key, urgent=True)
            answer.set_result(found)
        except BaseException as error:
            answer.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._asked[same]
        if self._cache:
            self._cache.flush()
        return found

    def analyse_many(
        self, items: Iterable[tuple[Path, str]]
    ) -> Iterator[tuple[Path, bytes, Analysis | NotAnalysed]]:
        """Read and analyse many files, given as path and tracer; all workers are kept busy.

        Yields in the order of `items`: path, source (empty where unreadable) and analysis. Holds
        no more than some fifty sources at a time. Closing the iterator ends it at once.
        """
        pending: deque[tuple[Path, bytes, Analysis | NotAnalysed | Future[Any]]] = deque()
        # One thread more than there are workers, so that each has its next file waiting.
        pool = ThreadPoolExecutor(self._size + 1, thread_name_prefix="covls analysts")
        try:
            for path, tracer in items:
                source = read_source(path)
                if isinstance(source, Unreadable):
                    pending.append((path, b"", NotAnalysed(source.reason)))
                else:
                    key = self._key(source) if not tracer else None
                    found: Analysis | NotAnalysed | Future[Any] | None
                    found = self._from_cache(key, path)
                    if found is None:
                        found = pool.submit(self._ask, path, source, tracer, key, urgent=False)
                    pending.append((path, source, found))
                while pending and (len(pending) > _LOOK_AHEAD or _is_there(pending[0][2])):
                    yield _awaited(*pending.popleft())
            while pending:
                yield _awaited(*pending.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            if self._cache:
                self._cache.flush()

    def settings(self) -> dict[str, Any]:
        """coverage.py's configuration after the project's plugins had their say.

        The attributes of `coverage.config.CoverageConfig` under their own names, as far as JSON
        can say them. Raises AnalystError, also where plugins are not allowed.
        """
        try:
            with self._worker(urgent=True) as worker:
                header, body = worker.ask({"do": "configuration"}, seconds=_SECONDS_TO_START)
        except _TimeoutError as error:
            raise AnalystError(
                f"the plugins of the coverage.py configuration in {self._root} took more than "
                f"{_SECONDS_TO_START:g} seconds"
            ) from error
        except _DiedError as error:
            raise AnalystError(
                f"the plugins of the coverage.py configuration in {self._root} ended the process"
            ) from error
        if "error" in header:
            raise AnalystError(header["error"])
        settings: dict[str, Any] = json.loads(body)
        return settings

    def close(self) -> None:
        """End all workers and what they started. Whoever waits is told; may be called twice."""
        with self._lock:
            self._closed = True
            workers = list(self._alive)
            waiting, self._waiting = self._waiting, []
        for _, _, turn in waiting:
            turn.set_result(None)
        for worker in workers:
            worker.kill()
        if self._cache:
            self._cache.close()

    def _known_versions(self) -> tuple[str, str]:
        if self._versions is None:
            if self.own:
                # What the worker would say, without the time that it takes to start.
                from coverage.version import __version__

                self._versions = sys.version, __version__
            else:
                with self._worker(urgent=True) as worker:
                    self._versions = worker.hello["python"], worker.hello["coverage"]
        return self._versions

    def _key(self, source: bytes) -> bytes | None:
        if self._cache is None:
            return None
        if self._prefix is None:
            try:
                python, coverage = self._known_versions()
            except AnalystError:
                return None
            rules = json.dumps([self.rules.exclude, self.rules.partial])
            self._prefix = key_of(
                sys.implementation.name.encode(),
                python.encode(),
                coverage.encode(),
                rules.encode(),
                # The worker's own version: its answers' shape is in it.
                probes.script("analyse").read_bytes(),
            )
        return key_of(self._prefix, source)

    def _from_cache(self, key: bytes | None, path: Path) -> Analysis | NotAnalysed | None:
        if self._cache is None or key is None or (kept := self._cache.get(key)) is None:
            return None
        try:
            return _result(json.loads(kept), path)
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError):
            self._cache.forget(key)
            return None

    def _ask(
        self, path: Path, source: bytes, tracer: str, key: bytes | None, *, urgent: bool
    ) -> Analysis | NotAnalysed:
        request = {
            "do": "analyse",
            "path": str(path),
            "tracer": tracer,
            # For the case that this process is no longer there to end it.
            "seconds": self._seconds + 5,
        }
        crashed = False
        while True:
            try:
                with self._worker(urgent=urgent) as worker:
                    header, body = worker.ask(request, source, seconds=self._seconds)
            except AnalystError as error:
                return NotAnalysed(f"{path} cannot be analysed: {error}")
            except _TimeoutError:
                return NotAnalysed(
                    f"{path} cannot be analysed: it took more than {self._seconds:g} seconds; is "
                    "one of the exclusion regexes of the coverage.py configuration slow on it?"
                )
            except _DiedError:
                if self._closed:
                    return _closing(path)
                if crashed:
                    return NotAnalysed(
                        f"{path} cannot be analysed: the process that parses it crashed, twice"
                    )
                crashed = True
                continue
            if "error" in header:
                body = json.dumps({"error": header["error"], "line": header["line"]}).encode()
            # What has no line can have other reasons than the text: a lack of memory, for one.
            if self._cache and key and ("error" not in header or header["line"]):
                self._cache.put(key, body)
            return _result(json.loads(body), path)

    @contextlib.contextmanager
    def _worker(self, *, urgent: bool) -> Iterator[_Worker]:
        """A worker for oneself. One that failed is not given to anybody again."""
        worker = self._borrow(0 if urgent else 1)
        try:
            yield worker
        except BaseException:
            self._give_back(worker, usable=False)
            raise
        worker.files += 1
        usable = worker.files < _FILES_A_WORKER and not (
            worker.files % _FILES_BETWEEN_LOOKS == 0 and worker.memory_mb() > _MB_A_WORKER
        )
        self._give_back(worker, usable=usable)

    def _borrow(self, priority: int) -> _Worker:
        with self._lock:
            if self._closed:
                raise AnalystError("covls is closing")
            if self._idle:
                return self._idle.pop()
            if self._count < self._size:
                self._count += 1
                turn = None
            else:
                self._tickets += 1
                turn = Future[_Worker | None]()
                heapq.heappush(self._waiting, (priority, self._tickets, turn))
        if turn is not None and (worker := turn.result()) is not None:
            return worker
        # There is room for a new one.
        try:
            self._refuse_in_vain()
            worker = _Worker(self._command, self._root, self.rules)
        except AnalystError as error:
            with self._lock:
                if error is not self._failed:
                    self._failed, self._failed_until = error, time.monotonic() + _PAUSE_SECONDS
            self._make_room()
            raise
        except BaseException:
            self._make_room()
            raise
        with self._lock:
            self._alive.add(worker)
            self._failed = None
        try:
            self._refuse_in_vain()
        except AnalystError:
            self._give_back(worker, usable=False)
            raise
        return worker

    def _refuse_in_vain(self) -> None:
        with self._lock:
            if self._closed:
                raise AnalystError("covls is closing")
            if self._failed is not None and time.monotonic() < self._failed_until:
                raise self._failed

    def _give_back(self, worker: _Worker, *, usable: bool) -> None:
        with self._lock:
            if usable and not self._closed:
                if self._waiting:
                    heapq.heappop(self._waiting)[2].set_result(worker)
                else:
                    self._idle.append(worker)
                return
            self._alive.discard(worker)
        worker.kill()
        self._make_room()

    def _make_room(self) -> None:
        """Let whoever waits start a worker in the place of one that is gone."""
        with self._lock:
            if self._waiting:
                heapq.heappop(self._waiting)[2].set_result(None)
            else:
                self._count -= 1


def _result(found: dict[str, Any], path: Path) -> Analysis | NotAnalysed:
    if "error" not in found:
        return analysis_from_json(found)
    place = f", line {found['line']}" if found["line"] else ""
    return NotAnalysed(f"{path}{place} cannot be analysed: {found['error']}", found["line"])


def _closing(path: Path) -> NotAnalysed:
    return NotAnalysed(f"{path} was not analysed: covls is closing")


def _is_there(found: Analysis | NotAnalysed | Future[Any]) -> bool:
    return not isinstance(found, Future) or found.done()


def _awaited(
    path: Path, source: bytes, found: Analysis | NotAnalysed | Future[Any]
) -> tuple[Path, bytes, Analysis | NotAnalysed]:
    return path, source, found.result() if isinstance(found, Future) else found
