"""CONTRIBUTING.md names files, make targets and pages that exist, and few files for a change; files are as short."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAX_LINES = 250
# Not migrations/versions: a revision stays one file.
FOLDERS = ("benchmarks", "docs", "service", "tests", "worker")
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHANGES = (
    "add an optimizer",
    "add a hyper-parameter",
    "add a metric field",
    "add a problem",
    "add an export format",
    "add a report format",
    "add a plot kind",
    "add a CLI command",
    "add a page view",
    "add a database column",
    "add a list filter",
    "change the lease",
    "change an error's text",
)


def files_by_change() -> dict[str, list[str]]:
    """Read the table of changes: the files of each, without generated pages."""
    table = TEXT.partition("| change | files |")[2]
    rows = re.findall(r"^\| ((?:add|change) [^|]*) \| ([^|]*) \|$", table, re.MULTILINE)
    return {change: re.findall(r"`([^` ]+/[^` ]*|[\w.-]+\.md)`(?! \(generated\))", files) for change, files in rows}


def test_the_table_has_the_changes_with_files_that_exist() -> None:
    found = files_by_change()
    assert tuple(found) == CHANGES
    assert all(found.values())
    missing = [(change, path) for change, paths in found.items() for path in paths if not (ROOT / path).exists()]
    assert missing == []


def test_an_optimizer_and_a_metric_field_take_at_most_three_files() -> None:
    found = files_by_change()
    assert {
        change: len(found[change]) for change in ("add an optimizer", "add a metric field") if len(found[change]) > 3
    } == {}


def test_generated_pages_links_and_make_targets_exist() -> None:
    generated = re.findall(r"`([^`]+)` \(generated\)", TEXT)
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in link]
    assert generated
    assert links
    assert [path for path in generated + links if not (ROOT / path).exists()] == []
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", TEXT)) <= targets


def test_python_files_are_as_short_as_the_page_says() -> None:
    assert f"Files have 60 to {MAX_LINES} lines" in TEXT
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    assert len(paths) > 500
    long = {str(path): num for path in paths if (num := path.read_bytes().count(b"\n")) > MAX_LINES}
    assert long == {}
