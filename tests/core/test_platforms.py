"""What of a text another platform runs: each condition that is understood, and what is not."""

import ast

import pytest

from covls.core.platforms import other_platforms


@pytest.mark.parametrize(
    ("condition", "on_linux", "on_windows"),
    [
        ("sys.platform == 'win32'", "body", "orelse"),
        ("sys.platform != 'win32'", "orelse", "body"),
        ("sys.platform.startswith('win')", "body", "orelse"),
        ("sys.platform.startswith(('linux', 'darwin'))", "orelse", "body"),
        ("sys.platform in ('win32', 'cygwin')", "body", "orelse"),
        ("os.name == 'nt'", "body", "orelse"),
        ("platform.system() == 'Linux'", "orelse", "body"),
        ("not sys.platform == 'win32'", "orelse", "body"),
        # Flags, by the names that they have.
        ("WIN", "body", "orelse"),
        ("_compat.IS_WINDOWS", "body", "orelse"),
        ("not is_windows", "orelse", "body"),
        ("IS_MACOS", "body", "body"),
        # One part decides, or the other does.
        ("WIN and ready", "body", None),
        ("WIN or ready", None, "orelse"),
        # What says nothing of the platform, or not surely.
        ("ready", None, None),
        ("winner", None, None),
        ("sys.platform == here", None, None),
        ("sys.platform < 'a'", None, None),
        ("sys.version_info >= (3, 12)", None, None),
    ],
)
def test_conditions(condition: str, on_linux: str | None, on_windows: str | None) -> None:
    tree = ast.parse(f"def f():\n    if {condition}:\n        a = 1\n    else:\n        b = 2\n")
    lines = {"body": 3, "orelse": 5}
    for platform, expected in (("linux", on_linux), ("win32", on_windows)):
        found = other_platforms(tree, platform)
        elsewhere = {line for line in range(1, 6) if found.holds(line)}
        assert elsewhere == ({lines[expected]} if expected else set()), platform
        assert found.choices == ({2} if expected else set())


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("import sys\nassert sys.platform == 'win32'\na = 1\n", True),
        ("import msvcrt\na = 1\n", True),
        ("try:\n    import msvcrt\nexcept ImportError:\n    msvcrt = None\n", False),
        ("import sys\nassert sys.platform == 'linux'\na = 1\n", False),
        ("", False),
    ],
)
def test_whole_modules(text: str, whole: bool) -> None:
    found = other_platforms(ast.parse(text), "linux")
    assert all(found.holds(line) for line in (1, 2)) is whole


def test_an_elif_is_a_choice_of_its_own() -> None:
    text = "if sys.platform == 'darwin':\n    a()\nelif WIN:\n    b()\nelse:\n    c()\n"
    found = other_platforms(ast.parse(text), "linux")
    assert [line for line in range(1, 7) if found.holds(line)] == [2, 4]
    on_mac = other_platforms(ast.parse(text), "darwin")
    # What stands below the condition that holds, the other condition included.
    assert [line for line in range(1, 7) if on_mac.holds(line)] == [3, 4, 5, 6]
