"""Places where CI leaves what it measured: a folder, an HTTP server, a bucket, the history.

Files are written and read there by names of two parts, `commit/file`. All that is read is bounded,
and no answer is run, unpacked or followed to anything but another HTTP address. Credentials come
from the environment: COVLS_SHARE_HEADER for HTTP, and what each cloud's library reads. They are in
no message.
"""

import contextlib
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any, Final, Protocol
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import url2pathname

from covls.core.settings import Settings

HEADER: Final = "COVLS_SHARE_HEADER"
"""A header for HTTP, as `Authorization: Bearer abc`."""

BUCKETS: Final = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "memory": "fsspec",
}
"""Schemes that fsspec serves, and the package that each needs. Others of its schemes would read
what is here, or run what they find."""

HISTORY: Final = "history"
"""The address of the database that the team's history is in."""

_SECONDS: Final = 30.0
"""What a server may take to say the next thing."""
_CHUNK: Final = 1 << 20


class ShareError(Exception):
    """Why a share cannot be used: one sentence for people, without credentials."""


class ForbiddenError(ShareError):
    """A share does not let us read something. Some say so, too, of what is not there."""


class Share(Protocol):
    """One such place. Names are `commit/file`; all may raise ShareError."""

    @property
    def shown(self) -> str:
        """The address, for people."""

    def commits(self) -> frozenset[str] | None:
        """The folders that are there; None where it cannot be listed."""

    def names(self, commit: str) -> tuple[str, ...] | None:
        """The files of a commit; None where it cannot be listed."""

    def open(self, name: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """A file to be read. Raises FileNotFoundError where there is none."""

    def write(self, name: str, content: Path | bytes) -> None:
        """Put a file there, in the place of one that has its name, whole or not at all."""


def open_share(
    address: str, root: Path, settings: Settings, *, trusted: bool, with_header: bool
) -> Share:
    """The share at an address: a folder (against `root`), `http(s)://`, a bucket, or `history`.

    The database of the history may be one that the workspace names where that is `trusted`.
    `with_header` says that the address may be told the environment's COVLS_SHARE_HEADER. Raises
    ShareError where it is none.
    """
    if address == HISTORY:
        # It takes long to import.
        from covls.adapters.history_share import HistoryShare

        return HistoryShare(root, settings, trusted=trusted)
    scheme, separator, rest = address.partition("://")
    scheme = scheme.lower()
    if "::" in address or "\0" in address:
        raise ShareError(f"{_shown(address)} is not one address.")
    if not separator:
        return FolderShare(root / Path(address).expanduser())
    if scheme in ("file", "local"):
        return FolderShare(Path(url2pathname("/" + rest.lstrip("/"))))
    if scheme in ("http", "https"):
        return HttpShare(address, _header() if with_header else {})
    if scheme in BUCKETS:
        return BucketShare(address)
    raise ShareError(
        f"{_shown(address)} is no address that covls knows: folders, http://, https://, s3://, "
        "gs://, az:// and `history` are."
    )


def read_file(share: Share, name: str, most: int) -> bytes | None:
    """A small file; None where there is none. Raises ShareError."""
    try:
        with share.open(name) as stream:
            found = _read(stream, most + 1)
    except FileNotFoundError:
        return None
    if len(found) > most:
        raise ShareError(f"{name} at {share.shown} is larger than {most} bytes.")
    return found


def copy_file(
    share: Share, name: str, size: int, target: IO[bytes], going_on: Callable[[], bool]
) -> None:
    """Copy a file that is to have so many bytes. Raises ShareError where it has not.

    `going_on` is asked between pieces, and ends it, too.
    """
    copied = 0
    try:
        with share.open(name) as stream:
            while piece := stream.read(_CHUNK):
                copied += len(piece)
                if copied > size:
                    raise ShareError(f"{name} at {share.shown} is larger than its manifest says.")
                target.write(piece)
                if not going_on():
                    raise ShareError("It was cancelled.")
    except FileNotFoundError as error:
        raise ShareError(f"{name} is not at {share.shown}, though its manifest is.") from error
    if copied < size:
        raise ShareError(f"{name} at {share.shown} broke off after {copied} of {size} bytes.")


def _read(stream: IO[bytes], most: int) -> bytes:
    """At most so many bytes: a stream from a network gives fewer at once than it has."""
    found = bytearray()
    while len(found) < most and (piece := stream.read(most - len(found))):
        found += piece
    return bytes(found)


class FolderShare:
    """A folder of this machine, or one that is mounted."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(os.path.abspath(folder))  # noqa: PTH100  # Links stay as they are.

    @property
    def shown(self) -> str:
        return str(self._folder)

    def commits(self) -> frozenset[str]:
        return frozenset(self._list(self._folder, folders=True))

    def names(self, commit: str) -> tuple[str, ...]:
        return tuple(sorted(self._list(self._folder / commit, folders=False)))

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        path = self._folder / name
        try:
            # A pipe or a device would be waited for.
            if path.exists() and not path.is_file():
                raise ShareError(f"{path} is no file.")
            with path.open("rb") as stream:
                yield stream
        except NotADirectoryError as error:
            raise FileNotFoundError(name) from error
        except FileNotFoundError:
            raise
        except OSError as error:
            raise ShareError(f"{path} cannot be read: {error.strerror or error}.") from error

    def write(self, name: str, content: Path | bytes) -> None:
        target = self._folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=target.parent, prefix=".covls-", delete=False
            ) as stream:
                unfinished = Path(stream.name)
                try:
                    for piece in _pieces(content):
                        stream.write(piece)
                    stream.close()
                    unfinished.chmod(0o644)
                    unfinished.replace(target)
                except BaseException:
                    unfinished.unlink(missing_ok=True)
                    raise
        except OSError as error:
            raise ShareError(f"{target} cannot be written: {error.strerror or error}.") from error

    def _list(self, folder: Path, *, folders: bool) -> list[str]:
        try:
            with os.scandir(folder) as entries:
                return [entry.name for entry in entries if entry.is_dir() is folders]
        except FileNotFoundError:
            if folder == self._folder:
                raise ShareError(f"There is no folder {folder}.") from None
            return []
        except OSError as error:
            raise ShareError(f"{folder} cannot be read: {error.strerror or error}.") from error


class _Request(urllib.request.Request):
    """A request that knows which of its headers are for its own server alone."""

    def __init__(self, *args: Any, own: tuple[str, ...], **more: Any) -> None:
        super().__init__(*args, **more)
        self.own = own


class _Redirect(urllib.request.HTTPRedirectHandler):
    """Follows to HTTP alone, never from https to http, and tells no secret to another server."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        to, asked = urlsplit(newurl), urlsplit(req.full_url)
        if to.scheme not in ("http", "https") or (asked.scheme, to.scheme) == ("https", "http"):
            raise urllib.error.HTTPError(req.full_url, code, "to another scheme", headers, fp)
        new = super().redirect_request(req, fp, code, msg, headers, newurl)
        if new is not None and isinstance(req, _Request):
            new.own = req.own  # type: ignore[attr-defined]
            if (to.scheme, to.netloc) != (asked.scheme, asked.netloc):
                for name in req.own:
                    new.remove_header(name.capitalize())
        return new


class HttpShare:
    """A server that takes files by PUT, and gives them by GET; it is never asked for a list."""

    def __init__(self, address: str, headers: Mapping[str, str]) -> None:
        self.shown = _shown(address)
        parts = urlsplit(address)
        if "@" in parts.netloc:
            raise ShareError(
                f"{self.shown} has a password in it: leave that to {HEADER} in the environment."
            )
        if not parts.hostname:
            raise ShareError(f"{self.shown} names no server.")
        self._parts = parts
        self._headers = dict(headers)
        handlers = (
            urllib.request.ProxyHandler,
            urllib.request.HTTPHandler,
            urllib.request.HTTPSHandler,
            urllib.request.HTTPDefaultErrorHandler,
            urllib.request.HTTPErrorProcessor,
            _Redirect,
        )
        # Not `build_opener`, which follows to ftp, too.
        self._opener = urllib.request.OpenerDirector()
        for handler in handlers:
            self._opener.add_handler(handler())

    def commits(self) -> None:
        return None

    def names(self, commit: str) -> None:  # noqa: ARG002
        return None

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        with self._saying(name), self._opener.open(self._request(name), timeout=_SECONDS) as answer:
            yield answer

    def write(self, name: str, content: Path | bytes) -> None:
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        body = content if isinstance(content, bytes) else _pieces(content)
        request = self._request(name, data=body, method="PUT", headers=headers)
        with (
            self._saying(name, "PUT"),
            self._opener.open(request, timeout=_SECONDS) as answer,
        ):
            answer.read(_CHUNK)

    def _request(self, name: str, headers: Mapping[str, str] = {}, **more: Any) -> _Request:
        path = f"{self._parts.path.rstrip('/')}/{quote(name)}"
        url = urlunsplit((self._parts.scheme, self._parts.netloc, path, self._parts.query, ""))
        return _Request(url, headers={**self._headers, **headers}, own=(*self._headers,), **more)

    @contextlib.contextmanager
    def _saying(self, name: str, method: str = "GET") -> Iterator[None]:
        """What goes wrong in words, without the address, whose query may be a secret."""
        try:
            yield
        except urllib.error.HTTPError as error:
            error.close()
            if method == "GET" and error.code in (404, 410):
                raise FileNotFoundError(name) from None
            forbidden = error.code in (401, 403)
            hint = f" {HEADER} in the environment may give what it wants." if forbidden else ""
            raise (ForbiddenError if forbidden else ShareError)(
                f"{self.shown} answers {error.code} {error.reason} to {method} {name}.{hint}"
            ) from None
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
            raise ShareError(f"{self.shown} does not answer: {words}.") from None


class BucketShare:
    """A bucket of some cloud, by fsspec."""

    def __init__(self, address: str) -> None:
        self.shown = _shown(address)
        scheme = urlsplit(address).scheme.lower()
        try:
            from fsspec.core import url_to_fs

            # Listings are not kept: others write there, too.
            self._files, self._folder = url_to_fs(address, use_listings_cache=False)
        except ImportError as error:
            package = "covls[team]" if error.name == "fsspec" else BUCKETS[scheme]
            raise ShareError(
                f"{scheme}:// needs {package}: pip install '{package}', where covls is installed."
            ) from error
        except Exception as error:  # noqa: BLE001 - whatever a cloud's library raises
            raise self._failed(error) from None

    def commits(self) -> frozenset[str]:
        return frozenset(self._list(self._folder, "directory"))

    def names(self, commit: str) -> tuple[str, ...]:
        return tuple(sorted(self._list(self._path(commit), "file")))

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        try:
            with self._files.open(self._path(name), "rb", cache_type="readahead") as stream:
                yield stream
        except (FileNotFoundError, ShareError):
            raise
        except PermissionError as error:
            raise ForbiddenError(str(self._failed(error))) from None
        except Exception as error:  # noqa: BLE001 - whatever a cloud's library raises
            raise self._failed(error) from None

    def write(self, name: str, content: Path | bytes) -> None:
        try:
            # A bucket shows a file when it is whole.
            with self._files.open(self._path(name), "wb") as stream:
                for piece in _pieces(content):
                    stream.write(piece)
        except Exception as error:  # noqa: BLE001 - whatever a cloud's library raises
            raise self._failed(error) from None

    def _path(self, name: str) -> str:
        return f"{self._folder.rstrip('/')}/{name}"

    def _list(self, folder: str, kind: str) -> list[str]:
        try:
            found = self._files.ls(folder, detail=True)
        except FileNotFoundError:
            return []
        except Exception as error:  # noqa: BLE001 - whatever a cloud's library raises
            raise self._failed(error) from None
        return [
            str(each["name"]).rstrip("/").rpartition("/")[2]
            for each in found
            if each["type"] == kind
        ]

    def _failed(self, error: Exception) -> ShareError:
        words = str(error).partition("\n")[0][:200] or type(error).__name__
        return ShareError(f"{self.shown} cannot be used: {words}")


def _header() -> dict[str, str]:
    """The header that the environment gives. Raises ShareError, which does not repeat it."""
    given = os.environ.get(HEADER, "").strip()
    if not given:
        return {}
    name, separator, value = given.partition(":")
    if not separator or not name.strip() or not value.strip() or not given.isprintable():
        raise ShareError(f"{HEADER} is no header: `Authorization: Bearer abc` would be one.")
    return {name.strip(): value.strip()}


def _pieces(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            yield piece


def _shown(address: str) -> str:
    """An address without what may be a secret in it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "What was given"
    if not parts.scheme or not parts.netloc:
        return address
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
