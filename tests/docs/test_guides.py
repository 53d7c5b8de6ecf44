"""All code blocks of README and docs work, and the notebook runs from top to bottom."""

import ast
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.cli.main import app
from service.client import Ravine
from service.client.pictures import Picture
from tests.docs.console_lines import complaints, missing
from tests.docs.fences import EXCEPTIONS, KINDS, PAGES, ROOT, fences
from tests.docs.snippets import Reader
from tests.servers import Stack, wait_for_job

DOCS = ROOT / "docs"
on_sqlite = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
WITH_BLOCKS = [page for page in PAGES if fences(page)]


@pytest.mark.slow
@on_sqlite
@pytest.mark.parametrize("page", WITH_BLOCKS)
def test_the_code_blocks_of_a_page_work(
    page: str, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    monkeypatch.chdir(folder)
    reader = Reader(stack, folder)
    try:
        for fence in fences(page):
            for name, value in reader.env.items():
                monkeypatch.setenv(name, value)
            reader.follow(fence)
    finally:
        reader.leave()
    if page in MADE:
        MADE[page](folder, reader.said)


def _by_the_command_line(folder: Path, said: str) -> None:
    assert json.loads((folder / "comparison.json").read_text())["tuned"] is True
    assert (folder / "histories.csv").read_text().startswith("run_id,label,seed,index,epoch,loss,grad_norm\n")
    assert (folder / "heatmap.png").read_bytes().startswith(b"\x89PNG")
    assert "<desc>" in (folder / "comparison.svg").read_text()


def _by_events_and_formats(folder: Path, said: str) -> None:
    assert "event: end" in said
    assert "run_id,label,seed,index,epoch,loss,grad_norm" in said
    (table,) = folder.glob("*-metrics.parquet")
    assert table.stat().st_size > 10_000


def _as_shown(page: str) -> Callable[[Path, str], None]:
    """Check that the blocks print what the page shows; numbers may differ by 10 % between processors."""

    def check(folder: Path, said: str) -> None:
        printed = " ".join(said.split())
        for answer in (" ".join(fence.answer.split()) for fence in fences(page) if fence.answer):
            found = re.search(
                NUMBER.sub(lambda _: f"({NUMBER.pattern})", re.escape(answer).replace(r"\.", ".")), printed
            )
            assert found, f"{page} shows {answer!r}, printed is {printed!r}"
            numbers = [float(number.replace(",", "")) for number in NUMBER.findall(answer)]
            assert [float(number.replace(",", "")) for number in found.groups()] == pytest.approx(numbers, rel=0.1)

    return check


# A number as it is shown: 1,000 or 0.27; its sign is not part of it.
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
# Checks after the blocks of a page.
MADE: dict[str, Callable[[Path, str], None]] = {
    **{page: _as_shown(page) for page in ("README.md", "docs/tutorial.md", "docs/how-to/sweep.md")},
    "docs/command-line.md": _by_the_command_line,
    "docs/events-and-formats.md": _by_events_and_formats,
}


def test_every_block_has_a_known_kind_and_every_exception_is_used() -> None:
    counted = Counter((page, fence.kind) for page in PAGES for fence in fences(page))
    assert {"README.md", "docs/command-line.md", "docs/reference/job-spec.md"} <= set(PAGES)
    unknown = {(page, kind) for page, kind in counted if kind not in KINDS}
    assert unknown == set(EXCEPTIONS), f"a block is one of {', '.join(KINDS)}, or an exception with its reason"
    for page, path in PAGES.items():
        marks = len(re.findall(r"^ *(?:```|~~~)", path.read_text(), re.MULTILINE))
        assert marks == 2 * sum(number for (of, _), number in counted.items() if of == page)


def test_unknown_commands_are_detected() -> None:
    right = (
        "make up PORT=1",
        "RAVINE_URL=x ravine show ID | head -1",
        "ravine keys create --name ann > key",
        "$ docker compose exec -T api ravine keys list\nThere are none.",
        "docker compose up --detach --scale worker=4",
    )
    assert [line for line in right if complaints(line)] == []
    wrong = (
        "make uq",
        "make up SPORT=1",
        "ravine sumbit x",
        "ravine show ID --jsno",
        "ravine show",
        "ravine keys make",
        "docker compose up --scale wroker=4",
        "docker compose exec apy ravine doctor",
        "docker compose exec api ravine docter",
        "docker compose up --detached",
        "docker compose fly",
        "echo RAVINE_DATABASE=x",
        "true && ravine docter",
    )
    assert [line for line in wrong if not complaints(line)] == []
    assert missing("services: {wroker: {environment: {RAVINE_SPEED: 1}}}") == ["wroker", "RAVINE_SPEED"]


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text()
    absent = [page for page in PAGES if page.startswith("docs/") and f"({page[5:]})" not in index]
    assert absent == ["docs/README.md"]


def test_every_link_leads_to_a_file() -> None:
    for page, path in PAGES.items():
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", re.sub(r"`[^`]*`", "", path.read_text())):
            if not link.startswith(("http://", "https://")):
                assert (path.parent / link).exists(), f"{page}: {link}"


def test_the_page_shows_every_command() -> None:
    page = (DOCS / "command-line.md").read_text()
    names = [one.name or one.callback.__name__ for one in app.registered_commands if one.callback]
    names += [str(group.name) for group in app.registered_groups]
    assert len(names) > 10
    absent = [name for name in names if not re.search(rf"\bravine {name}\b", page)]
    assert absent == []


@on_sqlite
def test_the_requests_of_the_tutorial_s_table_work_on_its_job(client: httpx.Client) -> None:
    entries = [{"kind": "sgd", "lr": [0.01, 0.02]}, {"kind": "momentum", "lr": [0.01, 0.02]}]
    spec = {
        "problem": {"kind": "flipnet"},
        "optimizers": entries,
        "seeds": {"count": 12},
        "epochs": 5,
        "target_loss": 0.3,
    }
    job = wait_for_job(client, client.post("/v1/jobs", json=spec).json()["id"])
    page = (DOCS / "tutorial.md").read_text()
    table, after = re.search(r"\| result \| request \|\n(.*?)\n\n(.*?)\n\n", page, re.DOTALL).groups()  # type: ignore[union-attr]
    paths = re.findall(r"`GET ([^`]+)`", table)
    kinds = re.search(r"kind=loss`, or (.*) \|", table)[1]  # type: ignore[index]
    paths += [f"/v1/jobs/{{id}}/plot.svg?kind={kind}" for kind in re.findall(r"`(\w+)`", kinds)]
    assert len(paths) > 8
    for path in paths:
        assert client.head(path.replace("{id}", job["id"])).status_code == 200, path
    # The results that are said to need another job.
    for path in ("grid", "plot.svg?kind=heatmap", "plot.svg?kind=paths"):
        assert path in after
        assert client.get(f"/v1/jobs/{job['id']}/{path}").status_code == 422, path


@on_sqlite
def test_the_notebook_runs_from_top_to_bottom(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAVINE_URL", stack.url)
    cells = json.loads((DOCS / "notebook.ipynb").read_text())["cells"]
    names: dict[str, Any] = {}
    shown = [run_cell("".join(cell["source"]), names) for cell in cells if cell["cell_type"] == "code"]
    assert isinstance(names["ravine"], Ravine)
    names["ravine"].close()
    assert names["job"]["status"] == "completed"
    assert len(names["histories"]) == 40 * 31
    assert any(isinstance(one, Picture) for one in shown)
    verdict, _ = shown[-1]
    assert "Momentum needed" in verdict
    assert "20 seeds" in verdict
    # The stored outputs are those of this version; numbers may differ by 10 % between processors.
    stored = ["".join(output["data"]["text/plain"]) for cell in cells for output in cell.get("outputs", [])]
    printed = [repr(one) for one in shown if one is not None]
    for old, new in zip(stored, printed, strict=True):
        assert NUMBER.sub("0", old).split() == NUMBER.sub("0", new).split()
        assert floats(new) == pytest.approx(floats(old), rel=0.1)


def floats(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in NUMBER.findall(text)]


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell, and give the value of its last expression."""
    *before, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module([*before, last], []), "cell", "exec"), names)
        return None
    exec(compile(ast.Module(before, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)
