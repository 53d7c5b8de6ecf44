"""Imports of the scripts of the page: views are independent of each other, and there are no cycles."""

import posixpath
import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from service.api.page_files import FOLDER

VIEWS = {"compare", "race", "train", "sweep", "data", "optimizer", "presets", "jobs", "lessons"}
# The entry point loads each view when its address is opened.
ENTRY = "main.js"
MAX_LINES = 250
SCRIPTS = {path.relative_to(FOLDER).as_posix(): path.read_text() for path in sorted(FOLDER.rglob("*.js"))}
STATIC = re.compile(r"^(?:import|export)\b[^;\"]*\"(\.[^\"]+)\";", re.MULTILINE)
DYNAMIC = re.compile(r"\bimport\(\s*\"(\.[^\"]+)\"\s*\)")


def imports(name: str, text: str) -> set[str]:
    """List the imports of a script, as paths below the folder of the page."""
    targets = STATIC.findall(text) + DYNAMIC.findall(text)
    return {posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) for target in targets}


IMPORTS = {name: imports(name, text) for name, text in SCRIPTS.items()}


def cycle(graph: Mapping[str, set[str]]) -> list[str]:
    """Give the files of an import cycle, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_both_kinds_of_import_are_found() -> None:
    text = 'import { a,\n  b } from "../api.js";\nexport { c } from "./c.js";\nconst d = () => import("./d.js");\n'
    assert imports("race/view.js", text) == {"api.js", "race/c.js", "race/d.js"}
    assert {f"{view}/view.js" for view in VIEWS} <= IMPORTS[ENTRY]
    assert sum(len(targets) for targets in IMPORTS.values()) > 200


def test_every_import_leads_to_a_file() -> None:
    assert {target for targets in IMPORTS.values() for target in targets} <= set(SCRIPTS)


def test_no_view_imports_another_view() -> None:
    def view(name: str) -> str | None:
        folder = name.partition("/")[0]
        return folder if folder in VIEWS else None

    crossing = [
        f"{name} imports {target}"
        for name, targets in IMPORTS.items()
        for target in sorted(targets)
        if view(target) and view(target) != view(name) and name != ENTRY
    ]
    assert crossing == []


def test_no_import_leads_back_to_its_file() -> None:
    assert cycle({"a.js": {"b.js"}, "b.js": {"a.js"}}) != []
    assert cycle(IMPORTS) == []


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.*")), ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES
