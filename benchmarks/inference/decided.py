"""Wrong verdicts of real jobs that decide: two optimizers whose losses differ by chance only, on a noisy surface.

Both add normal noise to the gradient, with opposite signs. On a symmetric bowl their losses have the same distribution,
so each verdict `better` or `worse` is wrong.
"""

import os
import time
from collections import Counter
from typing import Any

from benchmarks.embedded import embedded_stack
from benchmarks.jobs import post
from benchmarks.timing import Timer

NUM_JOBS = int(os.environ.get("RAVINE_DECIDED_JOBS", "200"))
MAX_SEEDS, BATCH = 200, 10
NOISY = {"kind": "surface", "expression": "x**2 + y**2", "start": [1.0, 1.0], "noise": 0.5}


def measure_jobs() -> dict[str, Any]:
    """Post the jobs with disjoint seeds, wait for all, and count the verdicts of the second label on the first."""
    with embedded_stack(workers=2) as client, Timer() as timer:
        job_ids = [post(client, _spec(MAX_SEEDS * number)) for number in range(NUM_JOBS)]
        jobs = []
        for job_id in job_ids:
            while (job := client.get(f"/v1/jobs/{job_id}").raise_for_status().json())["status"] != "completed":
                time.sleep(0.1)
            jobs.append(job)
    decisions = [job["decision"] for job in jobs]
    # A decision has a verdict for every label but the baseline.
    verdicts = Counter(label["verdict"] for found in decisions for label in found["labels"])
    return {
        f"jobs on a noisy surface of {NUM_JOBS}: wrong better or worse": verdicts["better"] + verdicts["worse"],
        f"jobs on a noisy surface of {NUM_JOBS}: equal": verdicts["equal"],
        f"jobs on a noisy surface of {NUM_JOBS}: undecided after {MAX_SEEDS} seeds": verdicts["undecided"],
        "jobs on a noisy surface: seeds, mean": sum(found["seeds_used"] for found in decisions) / NUM_JOBS,
        "jobs on a noisy surface: seconds for all": round(timer.seconds, 1),
    }


def _spec(first_seed: int) -> dict[str, Any]:
    optimizers = [
        {"kind": "formula", "label": label, "lr": 0.1, "update": [f"w = w - lr*(g {sign} normal)"]}
        for label, sign in (("plus", "+"), ("minus", "-"))
    ]
    return {
        "problem": NOISY,
        "optimizers": optimizers,
        "epochs": 20,
        "record_every": 20,
        "seeds": {"first": first_seed},
        "decide": {"margin": 1e-4, "margin_kind": "absolute", "max_seeds": MAX_SEEDS, "batch": BATCH},
    }
