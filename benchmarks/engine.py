"""Training time per run of the engine alone, without queue and database, on one thread."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import notebook
from benchmarks.road import SWEEP
from benchmarks.timing import repeat
from service.settings import get_settings
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
    """Measure FlipNet and, for comparison, one run at a time; and the ravine per update. All fields are computed."""
    use_device(get_settings().device)
    figures: dict[str, Any] = {}
    baseline = notebook.seconds_per_run()
    for num in (1_000, 10_000):
        sweep = {**SWEEP, "optimizers": [{**SWEEP["optimizers"][0], "momentum": {"from": 0.0, "to": 0.99, "num": num}}]}  # type: ignore[index]
        per_run = _seconds(sweep) / num
        figures[f"FlipNet, R = {num:,} (ms per run)"] = 1_000 * per_run
        figures[f"FlipNet, R = {num:,}, times faster than one run at a time"] = baseline / per_run
    if (limit := _fused_limit()) is not None:
        figures["FlipNet, R = 10,000, times slower than fused C"] = per_run / limit
    figures["ravine, 10,000 runs × 500 updates (ns per run and update)"] = 1e9 * _seconds(RAVINE) / (10_000 * 500)
    return figures


def _fused_limit() -> float | None:
    """Measure the arithmetic alone in C, in seconds per run; None without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder) / "fused_limit")
        source = str(Path(__file__).with_name("fused_limit.c"))
        subprocess.run([compiler, "-O3", "-march=native", "-ffast-math", "-o", program, source], check=True)
        answer = subprocess.run([program, "10000"], check=True, capture_output=True, text=True).stdout
    return float(json.loads(answer)["seconds_per_run"])


def _seconds(written: dict[str, Any]) -> float:
    """Time the training of all shards of a spec, the best of three after a warm-up."""
    spec = JobSpec.model_validate(written)

    def train() -> None:
        for first, num in price(spec).shards():
            for _ in Trainer(plan(spec, first, num)).run():
                pass

    return min(repeat(train, 3, warm_ups=1))
