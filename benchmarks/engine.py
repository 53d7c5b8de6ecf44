"""How fast does the engine train alone: no queue, no database, one thread?"""

import time
from typing import Any

from benchmarks import notebook
from benchmarks.road import SWEEP
from service.spec.job import JobSpec
from service.spec.price import price
from worker.engine.device import use_device
from worker.engine.trainer import Trainer
from worker.plan import plan

RAVINE = {
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"kind": "momentum", "lr": {"from": 0.001, "to": 0.05, "num": 10_000}, "momentum": 0.9}],
    "epochs": 500,
}


def measure() -> dict[str, Any]:
    """Measure FlipNet against one run at a time, and the ravine per update; every field of every epoch is computed."""
    use_device("cpu")
    figures: dict[str, Any] = {}
    baseline = notebook.seconds_per_run()
    for num in (1_000, 10_000):
        sweep = {**SWEEP, "optimizers": [{**SWEEP["optimizers"][0], "momentum": {"from": 0.0, "to": 0.99, "num": num}}]}  # type: ignore[index]
        per_run = _seconds(sweep) / num
        figures[f"FlipNet, R = {num:,} (ms per run)"] = 1_000 * per_run
        figures[f"FlipNet, R = {num:,}, times faster than one run at a time"] = baseline / per_run
    figures["ravine, 10,000 runs × 500 updates (ns per run and update)"] = 1e9 * _seconds(RAVINE) / (10_000 * 500)
    return figures


def _seconds(written: dict[str, Any]) -> float:
    """Train all shards of a spec one after another; the best of three, after a warm-up."""
    spec = JobSpec.model_validate(written)
    times = []
    for _ in range(4):
        started = time.perf_counter()
        for first, num in price(spec).shards():
            for _ in Trainer(plan(spec, first, num)).run():
                pass
        times.append(time.perf_counter() - started)
    return min(times[1:])
