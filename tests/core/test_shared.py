"""Manifests and indexes: what is written is read again, and what anybody wrote is checked."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from covls.core.shared import (
    Content,
    Manifest,
    checked_flags,
    is_manifest_name,
    read_index,
    read_manifest,
    written_index,
    written_manifest,
)

MANIFEST = Manifest(
    "a" * 40,
    ("b" * 40,),
    datetime(2026, 11, 20, 8, tzinfo=UTC),
    ("linux", "py312"),
    "tools/shop",
    datetime(2026, 11, 20, 9, tzinfo=UTC),
    Content("1" * 64, 100),
    Content("2" * 64, 300),
    Content("3" * 64, 50),
)


def test_a_manifest_is_read_as_it_was_written() -> None:
    assert read_manifest(written_manifest(MANIFEST)) == MANIFEST
    assert MANIFEST.unpacked == 350


def test_names_tell_flags_roots_and_contents_apart() -> None:
    others = [
        replace(MANIFEST, flags=()),
        replace(MANIFEST, flags=("linux-py312",)),
        replace(MANIFEST, folder=""),
    ]
    assert len({manifest.name for manifest in (MANIFEST, *others)}) == 4
    again = replace(MANIFEST, archive=Content("4" * 64, 100))
    assert again.name == MANIFEST.name
    assert again.archive_name != MANIFEST.archive_name
    assert all(is_manifest_name(manifest.name) for manifest in (MANIFEST, *others))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "this covls knows 1"),
        ({"commit": "HEAD"}, "what is no commit"),
        ({"parents": ["../.."]}, "what is no commit"),
        ({"flags": ["a/b"]}, "is no flag"),
        ({"flags": [f"f{n}" for n in range(40)]}, "more than 32 flags"),
        ({"authored": "2026-11-20T08:00:00"}, "no time zone"),
        ({"data": {"sha256": "x", "size": 1}}, "no hash and size"),
        ({"data": {"sha256": "1" * 64, "size": -1}}, "no hash and size"),
        ({"data": {"sha256": "1" * 64, "size": 1e99}}, "no hash and size"),
        ({"sources": None}, "lacks what belongs to it"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_said(change: dict[str, Any], words: str) -> None:
    told = {**json.loads(written_manifest(MANIFEST)), **change}
    with pytest.raises(ValueError, match=words):
        read_manifest(json.dumps(told).encode())


@pytest.mark.parametrize("text", [b"", b"[", b"[]", b"\xff", b"[" * 100_000, b"{}"])
def test_what_is_no_manifest_or_index_is_an_error_and_no_more(text: bytes) -> None:
    for read in (read_manifest, read_index):
        with pytest.raises(ValueError, match="it "):
            read(text)


def test_an_index_leads_nowhere_else() -> None:
    names = [MANIFEST.name, "../x.json", "/etc/x.json", "a/b.json", "index.json", "a.zip", ".json"]
    assert read_index(written_index(names)) == (MANIFEST.name,)


def test_flags_are_sorted_and_each_is_there_once() -> None:
    assert checked_flags(["py312", "linux", "py312"]) == ("linux", "py312")
