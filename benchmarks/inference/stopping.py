"""Seeds that a job uses until it is sure, beside those of a test with a fixed number of seeds."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.embedded import embedded_stack
from benchmarks.inference.tables import EPOCHS, NUM_DRAWS
from benchmarks.timing import wait_for_job
from service.analysis.decisions import Rule, decide

Floats = NDArray[np.float64]

BATCHES = (1, 10)
FIRST_LOOK = 10
# Means of the differences, in their standard deviations, and the most seeds of a draw.
EFFECTS = {0.25: 600, 0.5: 200, 1.0: 60, 2.0: 30}
POWER = 0.9
# FlipNet, with the labels of the README and others, each compared with the first.
FLIPNET_SEEDS = 2_000
FLIPNET = (
    {"label": "sgd", "kind": "sgd", "lr": 0.05},
    {"label": "momentum", "kind": "momentum", "lr": 0.05},
    {"label": "momentum at a tenth", "kind": "momentum", "lr": 0.005},
    {"label": "sgd at 0.055", "kind": "sgd", "lr": 0.055},
    {"label": "adam", "kind": "adam", "lr": 0.01},
    {"label": "rmsprop", "kind": "rmsprop", "lr": 0.01},
)


def measure_effects() -> dict[str, Any]:
    """Give the seeds of a sequence that finds a difference with a probability of 90 %, and those of Student's test."""
    figures: dict[str, Any] = {}
    for batch in BATCHES:
        for effect, most in EFFECTS.items():
            rng = np.random.default_rng([batch, int(100 * effect)])
            rule = Rule(0.0, False, 0.95, "baseline", FIRST_LOOK, batch, most)
            used_D = np.full(NUM_DRAWS, np.inf)
            for draw in range(NUM_DRAWS):
                values = {"a": np.zeros(most), "b": rng.normal(effect, size=most)}
                found = decide(values, rule, baseline="a", scale="linear")
                if found.labels[0].verdict == "worse":
                    used_D[draw] = found.seeds_used
            # Ended there, a job has that power.
            end = float(np.quantile(used_D, POWER, method="higher"))
            title = f"{effect:g} sd, a look every {batch} seeds" if batch > 1 else f"{effect:g} sd, a look every seed"
            figures[f"{title}: power"] = float((used_D <= end).mean())
            figures[f"{title}: most seeds"] = end
            figures[f"{title}: average seeds"] = float(np.minimum(used_D, end).mean())
    return figures | {f"{effect:g} sd: seeds of a fixed test": _fixed(effect) for effect in EFFECTS}


def _fixed(effect: float) -> int:
    """Give the smallest number of seeds, at least six, at which Student's test has the power."""
    num = np.arange(6, 2_000)
    reached = stats.nct.sf(stats.t.isf(0.025, num - 1), num - 1, effect * np.sqrt(num)) >= POWER
    return int(num[np.argmax(reached)])


def measure_flipnet() -> dict[str, Any]:
    """Give the quantiles of the seeds that FlipNet takes with a margin of 5 %, over draws of trained seeds."""
    values = _trained()
    rng = np.random.default_rng(0)
    figures: dict[str, Any] = {}
    for compared in [*([label] for label in list(values)[1:]), list(values)[1:]]:
        title = f"FlipNet, margin 5 %, sgd and {compared[0] if len(compared) == 1 else f'{len(compared)} others'}"
        seeds, verdicts = [], []
        rule = Rule(0.05, True, 0.95, "baseline", 10, 10, 1_000)
        for _ in range(max(1, NUM_DRAWS // 10)):
            drawn_N = rng.integers(0, FLIPNET_SEEDS, rule.max_seeds)
            drawn = {label: values[label][drawn_N] for label in ("sgd", *compared)}
            found = decide(drawn, rule, baseline="sgd", scale="log")
            seeds.append(found.seeds_used)
            verdicts.append(found.labels[0].verdict)
        for percent in (10, 50, 90):
            figures[f"{title}: seeds, {percent} % quantile"] = float(np.quantile(seeds, percent / 100))
        if len(compared) == 1:
            for verdict in sorted(set(verdicts)):
                figures[f"{title}: {verdict}"] = verdicts.count(verdict) / len(verdicts)
            apart_N = values[compared[0]] - values["sgd"]
            figures[f"{title}: mean of the difference of logarithms"] = float(apart_N.mean())
            figures[f"{title}: standard deviation"] = float(apart_N.std())
    return figures


def _trained() -> dict[str, Floats]:
    """Train all labels, and give the logarithms of their final losses."""
    spec = {
        "problem": {"kind": "flipnet"},
        "optimizers": list(FLIPNET),
        "seeds": {"count": FLIPNET_SEEDS},
        "epochs": EPOCHS,
    }
    losses: dict[str, list[float]] = {str(entry["label"]): [] for entry in FLIPNET}
    with embedded_stack(workers=1) as client:
        job_id = str(client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])
        wait_for_job(client, job_id, poll_seconds=0.1)
        after: dict[str, Any] = {}
        while True:
            page = client.get(f"/v1/jobs/{job_id}/runs", params={"limit": 500, **after}).raise_for_status().json()
            for run in page["items"]:
                losses[run["label"]].append(float(run["final_loss"]))
            if not page["next"]:
                return {label: np.log(found) for label, found in losses.items()}
            after = {"cursor": page["next"]}
