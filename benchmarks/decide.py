"""Wrong verdicts and seeds used by jobs that run until they are sure, with a look after every batch of 10 seeds."""

import os
from typing import Any

from benchmarks.inference import decided, looks, stopping

PARTS = {
    "nulls": looks.measure_nulls,
    "shares": looks.measure_shares,
    "margins": looks.measure_margins,
    "effects": stopping.measure_effects,
    "flipnet": stopping.measure_flipnet,
    "jobs": decided.measure_jobs,
}


def measure() -> dict[str, Any]:
    """Run all parts, or those named in RAVINE_DECIDE, with RAVINE_DRAWS draws each (2,000 by default)."""
    named = os.environ.get("RAVINE_DECIDE", ",".join(PARTS)).split(",")
    figures: dict[str, Any] = {}
    for name in named:
        figures |= PARTS[name]()
    return figures
