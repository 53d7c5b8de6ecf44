"""Results of the lessons that the package contains, with the versions that computed them.

`ravine lessons --store` writes them from the responses of GET /v1/lessons/{id}. A lesson that has not been run on a
server shows the stored result and marks it as stored.
"""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_FINDING = ("verdict", "readings", "quantities", "figures")


def store(lessons: Iterable[Mapping[str, Any]], folder: Path = RESULTS) -> None:
    """Write a file for each of these judged lessons; those of other lessons stay."""
    folder.mkdir(parents=True, exist_ok=True)
    for lesson in lessons:
        receipts = [job["receipt"] for job in lesson["jobs"] if job["receipt"]]
        result = {
            "version": receipts[0]["version"],
            "torch": receipts[0]["torch"],
            "computed_at": lesson["judged_at"],
            "digests": {job["preset"]: job["receipt"]["spec_digest"] for job in lesson["jobs"]},
            "finding": {name: lesson[name] for name in _FINDING},
        }
        text = json.dumps(result, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        (folder / f"{lesson['id']}.json").write_text(f"{text}\n", encoding="utf-8")


@lru_cache(maxsize=64)
def stored(lesson_id: str) -> Mapping[str, Any] | None:
    """Read the result of a lesson: ``{"version", "torch", "computed_at", "digests", "finding"}``; None without one."""
    path = RESULTS / f"{lesson_id}.json"
    if not path.exists():
        return None
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result
