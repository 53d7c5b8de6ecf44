"""The question in one line, `ravine compare flipnet sgd momentum adam`: time to the verdict, and whether it is right.

The right answer is the verdict of a job with a hundred times as many seeds. A verdict contradicts it if none of its
best labels is among the best of that job.

Several best labels are the right answer if ten seeds cannot tell more: the settings that the large job chose are
trained on many seeds, and ten of them, drawn again and again, say how often the same analysis names several.
"""

import os
import statistics
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import httpx
import numpy as np

from benchmarks.embedded import embedded_stack
from benchmarks.timing import Timer
from service.analysis.simultaneous import compare_pairs, rank_sets

BARE: dict[str, Any] = {"problem": {"kind": "flipnet"}, "optimizers": ["sgd", "momentum", "adam"]}
NUM_SEEDS = 20
POLL_SECONDS = 0.01
REPEATS = int(os.environ.get("RAVINE_QUESTIONS", "100"))
NUM_DRAWS = 2_000
# Seeds of the job that is right; those of the repetitions follow.
MANY = 100 * NUM_SEEDS


def measure() -> dict[str, Any]:
    """Ask the question several times, each time with fresh seeds, and once with many."""
    with embedded_stack(workers=2) as client:
        _ask(client, {**BARE, "problem": {"kind": "surface", "name": "ravine"}})
        asked = [_ask(client, _with_seeds(MANY + NUM_SEEDS * number, NUM_SEEDS)) for number in range(REPEATS)]
        # Only the last epoch of each run is needed.
        seconds, right = _ask(client, {**_with_seeds(0, MANY), "record_every": 30})
        explained = _explained(client, [label["chosen"]["optimizer"] for label in right["labels"]])
    times = [seconds for seconds, _ in asked]
    bests = [frozenset(answer["best"]) for _, answer in asked]
    contradictions = sum(not best & set(right["best"]) for best in bests)
    undecided = sum(len(best) > 1 for best in bests)
    return {
        "POST to verdict, first (s)": round(times[0], 2),
        "POST to verdict, median (s)": round(statistics.median(times), 2),
        "POST to verdict, largest (s)": round(max(times), 2),
        f"seconds with {MANY:,} seeds": round(seconds, 1),
        f"verdicts of {REPEATS} that contradict it": contradictions,
        f"verdicts of {REPEATS} with several best labels": undecided,
        f"expected of {REPEATS} from draws of {NUM_SEEDS // 2} seeds": round(REPEATS * explained, 1),
        **{f"verdicts with the best {_names(best)}": num for best, num in Counter(bests).most_common()},
        f"best with {MANY:,} seeds: {_names(right['best'])}": 1,
    }


def _explained(client: httpx.Client, chosen: list[dict[str, Any]]) -> float:
    """Give the share of draws of half of the seeds in which several labels are best."""
    job = {**BARE, "optimizers": chosen, "seeds": {"first": 2 * MANY + REPEATS * NUM_SEEDS, "count": MANY}}
    _ask(client, {**job, "record_every": 30})
    job_id = client.get("/v1/jobs", params={"limit": 1}).raise_for_status().json()["items"][0]["id"]
    losses: list[float] = []
    after: dict[str, Any] = {}
    while True:
        page = client.get(f"/v1/jobs/{job_id}/runs", params={"limit": 500, **after}).raise_for_status().json()
        losses += [float(run["final_loss"]) for run in page["items"]]
        if not page["next"]:
            break
        after = {"cursor": page["next"]}
    # Runs are numbered optimizers × seeds.
    values_NK = np.log(np.array(losses).reshape(len(chosen), MANY).T)
    rng = np.random.default_rng(0)
    drawn = (values_NK[rng.integers(0, MANY, NUM_SEEDS // 2)] for _ in range(NUM_DRAWS))
    return sum(len(rank_sets(compare_pairs(values)).best) > 1 for values in drawn) / NUM_DRAWS


def _names(labels: Iterable[str]) -> str:
    return ", ".join(sorted(labels))


def _with_seeds(first: int, count: int) -> dict[str, Any]:
    return {**BARE, "seeds": {"first": first, "count": count}}


def _ask(client: httpx.Client, spec: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Post a job, poll until it is completed, and give the seconds to the comparison and its answer."""
    with Timer() as timer:
        job = client.post("/v1/jobs", json=spec).raise_for_status().json()
        while client.get(f"/v1/jobs/{job['id']}").raise_for_status().json()["status"] != "completed":
            time.sleep(POLL_SECONDS)
        answer = client.get(f"/v1/jobs/{job['id']}/comparison").raise_for_status().json()
    return timer.seconds, answer
