"""Errors under null hypotheses: how often labels that are equal are said to differ.

Every draw goes through the functions of the API: choice, criterion, pairs, ranks, verdict, speed-ups.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.embedded import embedded_stack
from benchmarks.inference.tables import EPOCHS, NUM_DRAWS, UNTRAINED, spec_of, table_of
from benchmarks.timing import wait_for_job
from service.findings.comparison.criterion import measure_of
from service.findings.comparison.judged import describe_speed_up, judge
from service.findings.comparison.verdict import Circumstances, verdict

Floats = NDArray[np.float64]
# Draws losses and epochs to the target, [labels, seeds] each.
Draw = Callable[[np.random.Generator, tuple[int, int]], tuple[Floats, Floats]]

LABELS = (2, 6, 20)
SEEDS = (6, 10, 20, 50)
SHARE_DIVERGED = 0.1
# Of 4,000 FlipNet runs about a third miss this loss.
TARGET = 0.15
NUM_RUNS = 4_000
# Words of a verdict without a claim.
NO_CLAIM = ("cannot be told apart", "negligible", "equal in every run", "without spread", "never", "no target")


def measure() -> dict[str, Any]:
    """Count errors of each kind over the draws, for every distribution, number of labels and number of seeds."""
    flipnet = _flipnet()
    draws: dict[str, Draw] = {"normal": _normal, "lognormal": _lognormal, "FlipNet": flipnet}
    figures: dict[str, Any] = {}
    for name, draw in draws.items():
        for diverged in (0.0, SHARE_DIVERGED):
            for labels in LABELS:
                for seeds in SEEDS:
                    found = _errors(draw, labels, seeds, diverged)
                    title = f"{name}{', 10 % diverged' if diverged else ''}, {labels} labels, {seeds} seeds"
                    figures |= {f"null, {title}: {kind}": value for kind, value in found.items()}
    return figures


def _errors(draw: Draw, labels: int, seeds: int, diverged: float) -> dict[str, float]:
    rng = np.random.default_rng([labels, seeds, int(100 * diverged)])
    spec = spec_of(labels, seeds)
    counts = dict.fromkeys(("a pair differs", "the best exclude one", "the verdict claims", "a speed-up"), 0)
    for _ in range(NUM_DRAWS):
        final_SN, first_SN = draw(rng, (labels, seeds))
        diverged_SN = rng.random((labels, seeds)) < diverged
        table, choice = table_of(spec, final_SN, np.where(diverged_SN, np.inf, first_SN), diverged_SN)
        found = judge(spec, table, choice, measure_of(spec, table, None), partial=False)
        counts["a pair differs"] += bool((found.pairs.p_M < 0.05).any())
        counts["the best exclude one"] += len(found.best) < labels
        sentence = verdict(found, Circumstances(all_diverged=bool(diverged_SN.all())))
        counts["the verdict claims"] += not any(phrase in sentence for phrase in NO_CLAIM) or "worse" in sentence
        others = range(1, labels)
        ratios = [describe_speed_up(spec, table, choice, table.first_SN, at, 0).ratio for at in others]
        counts["a speed-up"] += any(ratio is not None and ratio.excludes(1) for ratio in ratios)
    return {kind: count / NUM_DRAWS for kind, count in counts.items()}


def _normal(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Normal logarithms would be lognormal losses: here the losses themselves are normal, far from 0."""
    shared = 0.05 * rng.normal(size=(1, shape[1]))
    return 0.4 + shared + 0.05 * rng.normal(size=shape), _times(rng, shape)


def _lognormal(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    shared = 0.5 * rng.normal(size=(1, shape[1]))
    return np.minimum(0.05 * np.exp(shared + rng.normal(size=shape)), UNTRAINED), _times(rng, shape)


def _times(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Draw epochs to a target, which about a third of the runs miss."""
    times = np.ceil(20 * np.exp(0.3 * rng.normal(size=(1, shape[1])) + 0.7 * rng.normal(size=shape)))
    return np.where(times <= EPOCHS, times, np.inf)


def _flipnet() -> Draw:
    """Train FlipNet with SGD from many seeds; a draw takes runs at random for every label and seed."""
    with embedded_stack(workers=1) as client:
        spec = {
            "problem": {"kind": "flipnet"},
            "optimizers": [{"kind": "sgd", "lr": 0.05}],
            "seeds": {"count": NUM_RUNS},
            "epochs": EPOCHS,
        }
        job_id = str(client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])
        wait_for_job(client, job_id, poll_seconds=0.1)
        losses = []
        after: dict[str, Any] = {}
        while True:
            page = (
                client.get(f"/v1/jobs/{job_id}/metrics", params={"fields": "loss", "limit": 500, **after})
                .raise_for_status()
                .json()
            )
            losses += [run["loss"] for run in page["runs"]]
            if not page.get("next_cursor"):
                break
            after = {"cursor": page["next_cursor"]}
    loss_RE = np.array(losses)
    reached_RE = loss_RE <= TARGET
    first_R = np.where(reached_RE.any(axis=1), reached_RE.argmax(axis=1), np.inf)

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Floats, Floats]:
        chosen = rng.integers(0, len(loss_RE), shape)
        return loss_RE[chosen, -1], np.asarray(first_R[chosen])

    return draw
