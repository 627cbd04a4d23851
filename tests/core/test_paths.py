"""Measured paths of other machines, against trees of local files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from covls.core.paths import Located, Mount, locate, split

ROOT = "/home/me/shop"


def never_asked(measured: str, local: str) -> bool:
    raise AssertionError(f"nothing to ask about {measured} and {local}")


def find(
    measured: Iterable[str],
    local: Iterable[str],
    plausible: Callable[[str, str], bool] = never_asked,
) -> Located:
    """Locates among files named relative to the root; answers are relative to it too."""
    files = [f"{ROOT}/{each}" for each in local]
    return locate(measured, ROOT, files, lambda path, found: plausible(path, relative(found)))


def relative(path: str) -> str:
    return path.removeprefix(ROOT + "/")


@dataclass(frozen=True)
class Case:
    """Measured paths, the files there are, and which is which: None for missing."""

    why: str
    local: Sequence[str]
    expected: Mapping[str, str | tuple[str, ...] | None]
    contents: Mapping[tuple[str, str], bool] = field(default_factory=dict)


CASES = [
    Case("here already", ["src/a.py"], {f"{ROOT}/src/a.py": "src/a.py", "src/a.py": "src/a.py"}),
    Case(
        "a container",
        ["src/shop/a.py", "src/shop/b.py", "tests/a.py"],
        {"/app/src/shop/a.py": "src/shop/a.py", "/app/src/shop/b.py": "src/shop/b.py"},
    ),
    Case(
        "Windows",
        ["src/shop/a.py", "src/shop/b.py"],
        {r"C:\ws\src\shop\a.py": "src/shop/a.py", r"c:\ws\src\Shop\B.py": "src/shop/b.py"},
    ),
    Case(
        "a share on Windows",
        ["src/shop/a.py"],
        {r"\\server\share\src\shop\a.py": "src/shop/a.py"},
    ),
    Case(
        "same names in two packages",
        ["one/utils.py", "one/x.py", "two/utils.py", "two/y.py", "one/__init__.py"],
        {
            "/ci/one/utils.py": "one/utils.py",
            "/ci/two/utils.py": "two/utils.py",
            "/ci/one/x.py": "one/x.py",
            "/ci/one/__init__.py": "one/__init__.py",
        },
    ),
    Case(
        "installed, here in src",
        ["src/pkg/a.py", "src/pkg/b.py", "src/pkg/sub/a.py"],
        {
            "/venv/lib/python3.12/site-packages/pkg/a.py": "src/pkg/a.py",
            "/venv/lib/python3.12/site-packages/pkg/b.py": "src/pkg/b.py",
            "/venv/lib/python3.12/site-packages/pkg/sub/a.py": "src/pkg/sub/a.py",
        },
    ),
    Case(
        "built, here in src",
        ["src/pkg/a.py"],
        {"/ci/build/lib/pkg/a.py": "src/pkg/a.py"},
    ),
    Case(
        "one folder explains more than the other",
        ["a/src/app.py", "a/src/models.py", "b/src/app.py", "b/src/views.py"],
        {"/app/src/app.py": "b/src/app.py", "/app/src/views.py": "b/src/views.py"},
    ),
    Case(
        "two services alike: contents do not decide",
        ["a/src/app.py", "b/src/app.py"],
        {"/app/src/app.py": ("a/src/app.py", "b/src/app.py")},
        {("/app/src/app.py", "a/src/app.py"): True, ("/app/src/app.py", "b/src/app.py"): True},
    ),
    Case(
        "two services alike: one file's contents decide for all",
        ["a/src/app.py", "b/src/app.py", "a/src/__init__.py", "b/src/__init__.py"],
        {"/app/src/app.py": "b/src/app.py", "/app/src/__init__.py": "b/src/__init__.py"},
        {
            ("/app/src/app.py", "a/src/app.py"): False,
            ("/app/src/app.py", "b/src/app.py"): True,
            ("/app/src/__init__.py", "a/src/__init__.py"): True,
            ("/app/src/__init__.py", "b/src/__init__.py"): True,
        },
    ),
    Case(
        "a file that was deleted is not looked for in the service that lost",
        ["a/src/app.py", "a/src/models.py", "b/src/app.py", "b/src/views.py"],
        {
            "/app/src/app.py": "b/src/app.py",
            "/app/src/models.py": None,
            "/app/src/views.py": "b/src/views.py",
        },
        {
            ("/app/src/app.py", "a/src/app.py"): False,
            ("/app/src/app.py", "b/src/app.py"): True,
        },
    ),
    Case(
        "both services' data at one path",
        ["a/src/app.py", "a/src/models.py", "b/src/app.py", "b/src/views.py"],
        {
            "/app/src/app.py": ("a/src/app.py", "b/src/app.py"),
            "/app/src/models.py": "a/src/models.py",
            "/app/src/views.py": "b/src/views.py",
        },
        {
            ("/app/src/app.py", "a/src/app.py"): True,
            ("/app/src/app.py", "b/src/app.py"): True,
            ("/app/src/models.py", "a/src/models.py"): True,
            ("/app/src/views.py", "b/src/views.py"): True,
        },
    ),
    Case(
        "a name alone is no evidence",
        ["shop/decoder.py"],
        {"/usr/lib/python3.12/json/decoder.py": None},
        {("/usr/lib/python3.12/json/decoder.py", "shop/decoder.py"): False},
    ),
    Case(
        "a name and its contents are",
        ["shop/decoder.py"],
        {"/app/decoder.py": "shop/decoder.py"},
        {("/app/decoder.py", "shop/decoder.py"): True},
    ),
    Case(
        "one file of a library is not ours",
        ["shop/email/utils.py", "shop/email/send.py"],
        {
            "/usr/lib/python3.12/email/utils.py": None,
            "/usr/lib/python3.12/email/parser.py": None,
            "/usr/lib/python3.12/email/header.py": None,
        },
        {("/usr/lib/python3.12/email/utils.py", "shop/email/utils.py"): False},
    ),
    Case(
        "case decides between files that differ in nothing else",
        ["src/Shop/a.py", "src/shop/a.py", "src/shop/b.py", "src/Shop/b.py"],
        {"/app/src/shop/a.py": "src/shop/a.py", "/app/src/Shop/b.py": "src/Shop/b.py"},
    ),
    Case(
        "another case, and no telling which",
        ["src/Shop/a.py", "src/shop/a.py"],
        {"/app/src/SHOP/a.py": ("src/Shop/a.py", "src/shop/a.py")},
    ),
    Case(
        "relative from another folder",
        ["backend/src/shop/a.py", "backend/src/shop/b.py"],
        {"src/shop/a.py": "backend/src/shop/a.py", "./src/shop/b.py": "backend/src/shop/b.py"},
    ),
    Case(
        "the same file of two systems: only one of them can be shown",
        ["src/shop/a.py", "src/shop/b.py"],
        {
            r"C:\ci\src\shop\a.py": ("src/shop/a.py",),
            "/ci/src/shop/a.py": ("src/shop/a.py",),
            "/home/ci/src/shop/b.py": "src/shop/b.py",
        },
    ),
    Case(
        "a file that is here as it is called is not another one too",
        ["src/shop/a.py", "src/shop/b.py"],
        {
            f"{ROOT}/src/shop/a.py": "src/shop/a.py",
            "/app/src/shop/a.py": None,
            "/app/src/shop/b.py": "src/shop/b.py",
        },
    ),
    Case("gone", ["src/shop/new.py"], {"/app/src/shop/old.py": None}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
def test_cases(case: Case) -> None:
    asked = set()

    def plausible(measured: str, local: str) -> bool:
        asked.add((measured, local))
        return case.contents[measured, local]

    located = find(case.expected, case.local, plausible)
    said: dict[str, str | tuple[str, ...] | None] = {}
    said.update({path: relative(local) for path, local in located.found.items()})
    said.update({p: tuple(map(relative, several)) for p, several in located.ambiguous.items()})
    said.update(dict.fromkeys(located.missing))
    assert said == case.expected
    assert asked == set(case.contents)


def test_a_file_that_is_taken_is_not_found_again() -> None:
    local = f"{ROOT}/src/a.py"
    located = locate(["/app/src/a.py"], ROOT, [local], never_asked, taken=[local])
    assert located.missing == {"/app/src/a.py": (local,)}


def test_mounts_are_told_as_they_were_spelt() -> None:
    located = find(
        [r"C:\WS\Src\a.py", r"C:\WS\Src\b.py", "/App/x/y/c.py", "/App/x/y/d.py"],
        ["src/a.py", "src/b.py", "lib/y/c.py", "lib/y/d.py", "lib/y/z.py"],
    )
    assert located.mounts == (
        Mount("/App/x", f"{ROOT}/lib", 2),
        Mount("C:\\WS", ROOT, 2),
    )


def test_a_root_that_is_mounted_at_the_top() -> None:
    located = find(["/src/a.py", "/src/b.py"], ["src/a.py", "src/b.py"])
    assert located.mounts == (Mount("/", ROOT, 2),)


def test_what_is_missing_has_its_nearest() -> None:
    local = ["src/shop/orders.py", "src/shop/order_lines.py", "cart.py"]
    located = find(["/app/pkg/basket/cart.py", "/app/pkg/order.py"], local, lambda *_: False)
    assert located.missing == {
        "/app/pkg/basket/cart.py": (f"{ROOT}/cart.py",),
        "/app/pkg/order.py": (f"{ROOT}/src/shop/orders.py",),
    }


def test_many_namesakes_take_no_long_time() -> None:
    local = [f"p{n}/q{m}/__init__.py" for n in range(40) for m in range(50)]
    local += [f"p{n}/q{m}/mod{n}.py" for n in range(40) for m in range(50)]
    located = find([f"/app/{each}" for each in local], local)
    assert {p: relative(local) for p, local in located.found.items()} == {
        f"/app/{each}": each for each in local
    }


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/a/B.py", ("", "a", "b.py")),
        (r"C:\a\b.py", ("c:", "a", "b.py")),
        ("C:/a/b.py", ("c:", "a", "b.py")),
        (r"src\a.py", ("src", "a.py")),
        ("./src/a.py", ("src", "a.py")),
        ("/odd\\name/a.py", ("", "odd\\name", "a.py")),
    ],
)
def test_split(path: str, parts: tuple[str, ...]) -> None:
    assert split(path) == parts


NAMES = st.sampled_from(["a", "b", "src", "app", "lib", "utils"])
FILES = st.builds(
    lambda folders, name: "/".join([*folders, name + ".py"]),
    st.lists(NAMES, max_size=3),
    st.sampled_from(["__init__", "utils", "app", "models", "x"]),
)
TREES = st.sets(FILES, min_size=1, max_size=12)
FOLDERS = st.lists(NAMES, max_size=3).map("/".join)


def joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)


@given(TREES, FOLDERS, FOLDERS, TREES, st.data())
@example({"app.py"}, "app", "a", {"b/app.py"}, None)
def test_a_tree_mounted_whole_is_never_mistaken(
    tree: set[str], there: str, here: str, others: set[str], data: st.DataObject | None
) -> None:
    """The measured files are all here, at another place, among others of the same names."""
    measured = sorted(
        tree if data is None else data.draw(st.sets(st.sampled_from(sorted(tree)), min_size=1))
    )
    truth = {
        joined("/" + there, each) if there else "/" + each: joined(here, each) for each in measured
    }
    local = {joined(here, each) for each in tree} | others
    # No local folder is itself a picture of the other machine's root.
    located = find(truth, sorted(local), lambda *_: True)
    for path, found in located.found.items():
        assert relative(found) == truth[path]
    for path, several in located.ambiguous.items():
        assert truth[path] in map(relative, several)
    assert not located.missing


@given(TREES, FOLDERS, FOLDERS, TREES, st.data())
def test_contents_decide_what_names_do_not(
    tree: set[str], there: str, here: str, others: set[str], data: st.DataObject
) -> None:
    measured = data.draw(st.sets(st.sampled_from(sorted(tree)), min_size=1))
    truth = {
        joined("/" + there, each) if there else "/" + each: joined(here, each) for each in measured
    }
    local = {joined(here, each) for each in tree} | others
    located = find(sorted(truth), sorted(local), lambda path, found: truth[path] == found)
    assert {path: relative(found) for path, found in located.found.items()} == truth


@given(TREES, TREES, st.data())
def test_every_path_is_answered_for_once(
    measured: set[str], local: set[str], data: st.DataObject
) -> None:
    foreign = {f"/ci/{each}" for each in measured}
    assume(foreign)
    located = find(sorted(foreign), sorted(local), lambda *_: data.draw(st.booleans()))
    answers = [*located.found, *located.ambiguous, *located.missing]
    assert sorted(answers) == sorted(foreign)
    assert sum(mount.files for mount in located.mounts) == len(located.found)
