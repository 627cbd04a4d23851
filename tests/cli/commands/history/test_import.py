"""`covls history import`: what each format says is what coverage.py says; nothing is doubled."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.repositories import Repository, needs_git
from tests.cli.measured import Covls, coverage, write

pytestmark = needs_git

REPORTS = {
    "coverage.json": ("json", "-q", "-o"),
    "coverage.xml": ("xml", "-q", "-o"),
    "coverage.info": ("lcov", "-q", "-o"),
}


def runs(covls: Covls, folder: Path) -> list[dict[str, Any]]:
    """All runs that are recorded."""
    found: list[dict[str, Any]] = json.loads(covls(folder, "history", "list", "-f", "json").out)
    return found


def shown(covls: Covls, folder: Path, path: str) -> dict[str, Any]:
    """One file of the run of the last commit."""
    done = covls(folder, "history", "show", "HEAD", "--file", path, "--format", "json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)["file"]
    return found


def report(folder: Path, name: str, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    coverage(folder, *REPORTS[name], str(output))


@pytest.mark.parametrize("name", [*REPORTS, ".coverage"])
def test_each_format_says_what_was_recorded(
    covls: Covls, shop: Repository, tmp_path: Path, name: str
) -> None:
    """Of the commit in the name of its folder; to the line, the branch and the function."""
    covls(shop.folder, "history", "record")
    (before,) = runs(covls, shop.folder)
    file = shown(covls, shop.folder, "shop.py")
    (shop.folder / ".covls/history.sqlite").unlink()
    artifact = tmp_path / "artifacts" / f"coverage-{shop('rev-parse', '--short', 'HEAD')}" / name
    if name == ".coverage":
        write(artifact.parent, {name: (shop.folder / name).read_bytes()})
    else:
        report(shop.folder, name, artifact)
    done = covls(shop.folder, "history", "import", str(tmp_path / "artifacts"))
    assert (done.code, done.out) == (0, "Took in 1 run of 1 commit.\n"), done.err
    (run,) = runs(covls, shop.folder)
    assert run["totals"] == before["totals"]
    for word in ("commit", "parents", "authored", "subject", "has_branches"):
        assert run[word] == before[word]
    found = shown(covls, shop.folder, "shop.py")
    # Only data files come with a text, and Cobertura has no functions.
    for word in ("source", *(("functions",) if name == "coverage.xml" else ())):
        if name != ".coverage":
            found[word] = file[word] = None
    assert found == file


def test_paths_of_other_machines_and_reports_of_one_commit(
    covls: Covls, shop: Repository, tmp_path: Path
) -> None:
    """Are those of the project, and are merged, as shards are."""
    folder, artifacts = shop.folder, tmp_path / "artifacts"
    report(folder, "coverage.json", artifacts / "linux.json")
    coverage(folder, "run", "use_member.py")
    report(folder, "coverage.json", artifacts / "windows.json")
    for name, path in (("linux", "/home/ci/shop/shop.py"), ("windows", r"D:\a\shop\shop.py")):
        found = json.loads((artifacts / f"{name}.json").read_text())
        found["files"] = {path: found["files"].pop("shop.py")}
        (artifacts / f"{name}.json").write_text(json.dumps(found))
    write(artifacts, {"notes.json": "{}", "broken.xml": "<coverage>", "other.txt": "SF:"})
    done = covls(folder, "history", "import", "--commit", "HEAD", "--flag", "ci", str(artifacts))
    assert (done.code, done.out) == (1, "Took in 1 run of 1 commit.\n")
    assert "notes.json: it is no JSON report of coverage.py's" in done.err
    assert "broken.xml: its XML is damaged" in done.err
    coverage(folder, "run", "--append", "use.py")
    covls(folder, "history", "record")
    combined, imported = (shown_run["totals"] for shown_run in runs(covls, folder))
    assert imported == combined
    assert [run["flags"] for run in runs(covls, folder)] == [[], ["ci"]]


def test_what_tells_no_commit_is_not_taken_in(covls: Covls, shop: Repository) -> None:
    """Which is said, and how to say it."""
    report(shop.folder, "coverage.json", shop.folder / "coverage.json")
    done = covls(shop.folder, "history", "import", "coverage.json")
    assert (done.code, done.out) == (3, "")
    assert "coverage.json: its commit is not known: --commit" in done.err
    done = covls(shop.folder, "history", "import", "--commit", "nothing", "coverage.json")
    assert (done.code, "nothing is no commit" in done.err) == (2, True)


def test_a_commit_that_git_does_not_have(covls: Covls, shop: Repository) -> None:
    """Has the time of its report."""
    report(shop.folder, "coverage.xml", shop.folder / f"{'ab' * 20}.xml")
    assert covls(shop.folder, "history", "import", f"{'ab' * 20}.xml").code == 0
    (run,) = runs(covls, shop.folder)
    assert (run["commit"], run["parents"], run["subject"]) == ("ab" * 20, [], "")
    assert run["authored"] == run["recorded"]


def test_the_tracker_of_older_scripts(covls: Covls, shop: Repository, tmp_path: Path) -> None:
    """Rows with files, and rows with counts alone; a commit's last row stays."""
    coverage(shop.folder, "json", "-q", "-o", str(tmp_path / "report.json"))
    data = (tmp_path / "report.json").read_text()
    head = shop("rev-parse", "HEAD")
    rows = [
        ("2023-01-01T10:00:00", "a" * 40, "main", 50.0, 10, 5, "{}"),
        ("2023-01-02T10:00:00", "a" * 40, "main", 60.0, 10, 6, None),
        ("2023-01-03 10:00:00", head[:9], "main", 71.4, 7, 5, data),
        ("whenever", "b" * 40, "main", 50.0, 10, 5, "{}"),
    ]
    with closing(sqlite3.connect(tmp_path / "coverage_tracker.db")) as database:
        database.execute(
            "CREATE TABLE coverage_history (id INTEGER PRIMARY KEY, timestamp TEXT,"
            " commit_hash TEXT, branch TEXT, overall_coverage REAL, total_statements INTEGER,"
            " covered_statements INTEGER, coverage_data TEXT)"
        )
        database.executemany(
            "INSERT INTO coverage_history (timestamp, commit_hash, branch, overall_coverage,"
            " total_statements, covered_statements, coverage_data) VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        database.commit()
    for _ in range(2):
        done = covls(shop.folder, "history", "import", str(tmp_path / "coverage_tracker.db"))
        assert (done.code, done.out) == (1, "Took in 2 runs of 2 commits.\n")
        assert "row 4: 'whenever' is no time" in done.err
        whole, counts = runs(covls, shop.folder)
        assert (whole["commit"], whole["branch"], whole["files"]) == (head, "main", 1)
        assert whole["totals"]["covered_lines"] == 5
        assert (counts["commit"], counts["files"]) == ("a" * 40, 0)
        assert counts["authored"] == "2023-01-02T10:00:00+00:00"
        assert counts["totals"]["percent_covered"] == 60.0


def test_what_was_exported_comes_back_as_it_was(
    covls: Covls,
    shop: Repository,
    tmp_path: Path,
    history_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From one database to another."""
    folder, lines = shop.folder, tmp_path / "history.jsonl"
    covls(folder, "history", "record", "--flag", "py312")
    coverage(folder, "run", "use_member.py")
    covls(folder, "history", "record")
    assert covls(folder, "history", "export", "--output", str(lines)).code == 0
    before, text = runs(covls, folder), lines.read_text()
    assert [json.loads(line).popitem()[0] for line in text.splitlines()] == [
        *("covls_history", "file", "run", "file", "run")
    ]
    monkeypatch.setenv("COVLS_HISTORY_URL", history_url)
    for _ in range(2):
        done = covls(folder, "history", "import", str(lines))
        assert (done.code, done.out) == (0, "Took in 2 runs of 1 commit.\n")
        assert runs(covls, folder) == before
    assert covls(folder, "history", "export").out == text
    lines.write_text(text.replace('"missing_lines": [', '"missing_lines": ["x", ', 1))
    done = covls(folder, "history", "import", str(lines))
    assert (done.code, "line 2 is no line of a history" in done.err) == (3, True)


def test_parquet_has_a_row_for_each_file_of_each_run(
    covls: Covls, shop: Repository, tmp_path: Path
) -> None:
    """With its counts; it is written to a file alone."""
    import pyarrow.parquet as pq

    covls(shop.folder, "history", "record", "--flag", "py312")
    covls(shop.folder, "history", "record")
    output = tmp_path / "history.parquet"
    done = covls(shop.folder, "history", "export", "-f", "parquet", "-o", str(output))
    assert done.code == 0, done.err
    rows = pq.read_table(output).to_pylist()
    assert [(row["path"], row["flags"]) for row in rows] == [
        ("shop.py", "py312"),
        ("shop.py", ""),
    ]
    assert (rows[0]["n_statements"], rows[0]["n_missing"]) == (7, 2)
    assert rows[0]["authored"].isoformat() == "2023-11-14T22:13:20+00:00"
    assert covls(shop.folder, "history", "export", "-f", "parquet").code == 2
