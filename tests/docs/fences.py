"""Code blocks of README and docs, and their kinds."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
}
KINDS = {
    "sh": "run, block after block, in one folder; what a block sets, the next ones have",
    "bash": "as sh",
    "python": "run, block after block, with the names of those before and what the shell has set",
    "json": "posted with dry_run where it is a job; else read",
    "console": "not run, as it needs containers or ends what runs: each command must exist with these options",
    "yaml": "read; services and settings that it names must exist",
    "text": "expected output",
}
# The only blocks of other kinds, by page and kind, each with the reason why it needs no run.
EXCEPTIONS = {
    ("docs/states.md", "mermaid"): "a diagram; test_states.py compares its arrows with the code",
}


@dataclass(frozen=True)
class Fence:
    """One fenced block of a page."""

    page: str
    line: int
    kind: str
    text: str
    answer: str
    """The block of kind text after it, with at most one paragraph between them; else empty."""

    @property
    def place(self) -> str:
        """Its page and line, for errors."""
        return f"{self.page}:{self.line}"


def fences(page: str) -> list[Fence]:
    """Give all blocks of a page in their order; an unclosed or nested block is an error."""
    found: list[Fence] = []
    opened: tuple[int, str, int] | None = None
    lines: list[str] = []
    for number, line in enumerate(PAGES[page].read_text(encoding="utf-8").splitlines(), 1):
        mark = re.match(r"( *)(?:```|~~~)(.*)$", line)
        if mark is None:
            lines.append(line)
        elif opened is None:
            opened, lines = (number, mark[2].strip(), len(mark[1])), []
        else:
            assert not mark[2].strip(), f"{page}:{number}: a block begins inside the one of line {opened[0]}"
            text = "".join(f"{one[opened[2] :]}\n" for one in lines)
            if opened[1] == "text" and found:
                found[-1] = Fence(**{**found[-1].__dict__, "answer": text})
            found.append(Fence(page, opened[0], opened[1], text, ""))
            opened = None
    assert opened is None, f"{page}:{opened}: a block is not closed"
    return found
