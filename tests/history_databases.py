"""Databases that a history may be kept in: a SQLite file, and a real PostgreSQL of the tests' own.

The PostgreSQL server is started when the first test wants it, one for each of xdist's workers, and
listens on a socket in a folder of its own; every test gets a database of its own in it.
"""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import psycopg

# A skip's reason opens so where a tool is missing; the summary at the end looks for it, as reasons
# are all that comes back from xdist's workers.
MISSING = "needs a tool that is not here: "

KINDS = ("sqlite", "postgresql")


def server_programs() -> Path | None:
    """The folder with PostgreSQL's server programs: Debian keeps them off PATH."""
    folders = [Path(found).parent] if (found := shutil.which("postgres")) else []
    for folder in folders + sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder.resolve()
    return None


class Server:
    """A PostgreSQL server that nobody else knows of; what it holds goes with it."""

    def __init__(self, programs: Path) -> None:
        # The path of a socket may have a hundred letters or so; pytest's folders are too deep.
        self.folder = Path(tempfile.mkdtemp(prefix="covls-pg-"))
        self._programs = programs
        self._names = itertools.count(1)
        # It refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
        self._run("initdb", "-D", "data", "-U", "covls", "-A", "trust", "-E", "UTF8", "--no-sync")
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        options = {
            "unix_socket_directories": str(self.folder),
            "listen_addresses": "",
            "fsync": "off",
            "shared_buffers": "32MB",
            "max_connections": "60",
        }
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    str(self._programs / "postgres"),
                    *("-D", "data"),
                    *(
                        word
                        for name, value in options.items()
                        for word in ("-c", f"{name}={value}")
                    ),
                ],
                cwd=self.folder,
                user=self._user,
                group=self._user,
                extra_groups=() if self._user else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        import psycopg

        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(psycopg.Error), self._connected("postgres"):
                return process
            said = (self.folder / "log").read_text(errors="replace")
            assert process.poll() is None, f"PostgreSQL ended:\n{said}"
            assert time.monotonic() < deadline, f"PostgreSQL does not answer:\n{said}"
            time.sleep(0.05)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=self.folder,
            user=self._user,
            group=self._user,
            extra_groups=() if self._user else None,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def _connected(self, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        import psycopg  # Where it is used: every test's set-up imports this module.

        return psycopg.connect(
            host=str(self.folder), user="covls", dbname=database, autocommit=True
        )

    def new_database(self) -> str:
        """The URL of a database that is empty."""
        name = f"history{next(self._names)}"
        with self._connected("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql+psycopg://covls@/{name}?host={self.folder}"

    def stop(self) -> None:
        """End the server and remove what it held."""
        self._process.send_signal(signal.SIGQUIT)  # At once: nothing of it is kept.
        self._process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A running PostgreSQL server."""
    programs = server_programs()
    if programs is None:
        pytest.skip(f"{MISSING}postgresql")
    server = Server(programs)
    yield server
    server.stop()


@pytest.fixture
def new_history_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Makes the URL of an empty database of a kind, `sqlite` or `postgresql`."""

    def make(kind: str) -> str:
        if kind == "postgresql":
            server: Server = request.getfixturevalue("postgresql")
            return server.new_database()
        return f"sqlite:///{tmp_path_factory.mktemp('history')}/history.sqlite"

    return make


@pytest.fixture(params=KINDS)
def history_url(request: pytest.FixtureRequest, new_history_url: Callable[[str], str]) -> str:
    """The URL of an empty database; a test that names this runs on each kind."""
    return new_history_url(request.param)
