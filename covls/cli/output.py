"""Where a command's result goes: stdout, or a file that appears whole or not at all."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from covls.cli.invocation import SettingsError


@contextmanager
def opened(output: Path | None) -> Iterator[IO[str]]:
    """The stream to write a result to; None and `-` are stdout.

    What stood in the file before stays until everything new is written. Raises SettingsError
    where the file cannot be written.
    """
    if output is None or str(output) == "-":
        yield sys.stdout
        return
    try:
        if output.exists() and not output.is_file():  # a pipe or a device
            with output.open("w", encoding="utf-8") as stream:
                yield stream
            return
        target = output.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w",
            encoding="utf-8",
            dir=target.parent,
            prefix=f".{target.name}.",
            delete=False,
        ) as stream:
            unfinished = Path(stream.name)
            try:
                yield stream
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
        unfinished.chmod(_mode(target))
        unfinished.replace(target)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SettingsError(f"{output} cannot be written: {error.strerror}") from error


def _mode(target: Path) -> int:
    """The permissions the file has, or that a new one would get."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
