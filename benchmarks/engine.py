"""Training time per run of the engine alone, without queue and database, on one thread."""

import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import notebook
from benchmarks.formula import FORMULAS
from benchmarks.road import SWEEP
from service.settings import get_settings
from service.spec.job import JobSpec
from service.spec.price import price
from worker.engine.device import use_device
from worker.engine.fused.requests import Engine
from worker.engine.trainer import Trainer
from worker.plan import plan

ENGINES: tuple[Engine, ...] = ("compiled", "torch")
RAVINE = {
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"kind": "momentum", "lr": {"from": 0.001, "to": 0.05, "num": 10_000}, "momentum": 0.9}],
    "epochs": 500,
}


ADAM = {
    **RAVINE,
    "optimizers": [{"kind": "formula", "lr": {"from": 0.001, "to": 0.05, "num": 10_000}, **FORMULAS["adam"]}],
}


def measure() -> dict[str, Any]:
    """Measure FlipNet and, for comparison, one run at a time; and the ravine per update. All fields are computed.

    Compiled programs train where there are any, and torch for comparison. Processor time counts: it depends less on
    other load than elapsed time.
    """
    use_device(get_settings().device)
    figures: dict[str, Any] = {}
    baseline = _alone()
    for num in (1_000, 10_000):
        sweep = {**SWEEP, "optimizers": [{**SWEEP["optimizers"][0], "momentum": {"from": 0.0, "to": 0.99, "num": num}}]}  # type: ignore[index]
        for engine in ENGINES:
            per_run = _seconds(sweep, engine) / num
            figures[f"FlipNet, R = {num:,}, {engine} (ms per run)"] = 1_000 * per_run
            figures[f"FlipNet, R = {num:,}, {engine}, times faster than one run at a time"] = baseline / per_run
            if num == 10_000 and (limit := _fused_limit()) is not None:
                figures[f"FlipNet, R = 10,000, {engine}, times slower than fused C"] = per_run / limit
    for name, spec in (("ravine", RAVINE), ("ravine, Adam as a formula", ADAM)):
        for engine in ENGINES:
            per_update = 1e9 * _seconds(spec, engine) / (10_000 * 500)
            figures[f"{name}, 10,000 runs × 500 updates, {engine} (ns per run and update)"] = per_update
    return figures


def _alone() -> float:
    """Measure one run at a time, in processor seconds per run: the fastest of ten."""
    notebook.seconds_per_run(1, 2)
    times = []
    for number in range(10):
        began = time.process_time()
        notebook.train(0.11 * number, 30)
        times.append(time.process_time() - began)
    return min(times)


def _fused_limit() -> float | None:
    """Measure the arithmetic alone in C, in processor seconds per run; None without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder) / "fused_limit")
        source = str(Path(__file__).with_name("fused_limit.c"))
        subprocess.run([compiler, "-O3", "-march=native", "-ffast-math", "-o", program, source], check=True)
        answer = subprocess.run([program, "10000"], check=True, capture_output=True, text=True).stdout
    return float(json.loads(answer)["seconds_per_run"])


def _seconds(written: dict[str, Any], engine: Engine) -> float:
    """Time the training of all shards of a spec in processor seconds, the best of three after a warm-up."""
    spec = JobSpec.model_validate(written)

    def train() -> float:
        began = time.process_time()
        for first, num in price(spec).shards():
            for _ in Trainer(plan(spec, first, num), engine=engine).run():
                pass
        return time.process_time() - began

    train()
    return min(train() for _ in range(3))
