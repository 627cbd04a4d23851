"""Messages out of bytes, however they come in pieces."""

import pytest

from covls.server.transport import frames

MESSAGE = b"Content-Length: 2\r\n\r\n{}"


def pieces(data: bytes, size: int) -> list[bytes]:
    """What `frames` makes of data that comes in pieces of a size."""
    rest = [data[start : start + size] for start in range(0, len(data), size)]
    return list(frames(lambda _: rest.pop(0) if rest else b""))


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    ("data", "bodies"),
    [
        (b"", []),
        (MESSAGE, [b"{}"]),
        (MESSAGE * 3, [b"{}"] * 3),
        (b"content-length:2\nContent-Type: a; charset=utf-8\n\n{}", [b"{}"]),
        (b"Content-Length: 0\r\n\r\n" + MESSAGE, [b"", b"{}"]),
        (b"noise\r\n\r\nmore noise\r\n" + MESSAGE, [b"{}"]),
        (b"Content-Length: many\r\n\r\n" + MESSAGE, [b"{}"]),
        (b"Content-Length: -1\r\n\r\n" + MESSAGE, [b"{}"]),
        (MESSAGE + b"Content-Length: 9\r\n\r\n{", [b"{}"]),
        (MESSAGE + b"Content-Le", [b"{}"]),
    ],
)
def test_frames(data: bytes, bodies: list[bytes], size: int) -> None:
    assert pieces(data, size) == bodies


def test_a_header_without_end_takes_no_memory_without_end() -> None:
    assert pieces(b"x" * 1_000_000 + b"\r\n" + MESSAGE, 65536) == [b"{}"]
