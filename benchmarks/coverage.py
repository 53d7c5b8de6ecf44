"""Errors under null hypotheses, coverage and power of what comparisons conclude, measured through the product."""

import os
from typing import Any

from benchmarks.inference import crossed, nulls, power, summaries

PARTS = {"nulls": nulls.measure, "crossed": crossed.measure, "power": power.measure, "summaries": summaries.measure}


def measure() -> dict[str, Any]:
    """Run all parts, or those named in RAVINE_COVERAGE, with RAVINE_DRAWS draws each (2,000 by default)."""
    named = os.environ.get("RAVINE_COVERAGE", ",".join(PARTS)).split(",")
    figures: dict[str, Any] = {}
    for name in named:
        figures |= PARTS[name]()
    return figures
