"""Estimates of the price against the processor time of the training, for formulas, measures, noise and networks."""

import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from service.database.connection import Database
from service.database.migrations import migrate
from service.jobs import lifecycle
from service.settings import Settings, get_settings
from service.spec.job import JobSpec
from service.spec.price import price
from worker.engine.device import use_device
from worker.runner import train_shard

SGD: dict[str, Any] = {"kind": "sgd", "lr": 1e-4}
FLIPNET: dict[str, Any] = {"problem": {"kind": "flipnet"}, "optimizers": [SGD], "epochs": 30}
LONG_FORMULA = " + ".join(f"sin({number}.5*x + y)" for number in range(1, 100))
DIGITS: dict[str, Any] = {"problem": {"kind": "digits"}, "optimizers": [SGD], "seeds": {"count": 16}, "epochs": 2}


def _surface(expression: str, epochs: int, **changes: Any) -> dict[str, Any]:
    problem = {"kind": "surface", "expression": expression, "start": [1.0, 0.5]}
    return {"problem": problem, "optimizers": [SGD], "epochs": epochs, **changes}


SPECS: dict[str, dict[str, Any]] = {
    "FlipNet, 20 runs": {**FLIPNET, "seeds": {"count": 20}},
    "FlipNet, 2,000 runs": {**FLIPNET, "seeds": {"count": 2_000}, "record_every": 10},
    "FlipNet, 64 runs of four optimizers": {
        **FLIPNET,
        "optimizers": [{"kind": kind, "lr": 1e-3} for kind in ("adam", "muon", "adafactor", "rprop")],
        "seeds": {"count": 16},
        "epochs": 10,
    },
    "FlipNet, sharpness": {**FLIPNET, "seeds": {"count": 16}, "epochs": 15, "measure": ["sharpness"]},
    "short formula, one run": _surface("x**2 + 10*y**2", 3_000, record_every=10),
    "short formula, 2,000 runs": _surface("x**2 + 10*y**2", 300, seeds={"count": 2_000}, record_every=10),
    "99 terms, one run": _surface(LONG_FORMULA, 500, record_every=10),
    "99 terms, 2,000 runs": _surface(LONG_FORMULA, 100, seeds={"count": 2_000}, record_every=10),
    "99 terms, sharpness": _surface(LONG_FORMULA, 200, measure=["sharpness"]),
    "noise, 500 seeds": {
        "problem": {"kind": "surface", "name": "ravine", "noise": 0.1},
        "optimizers": [{"kind": "nesterov", "lr": 1e-3}],
        "seeds": {"count": 500},
        "epochs": 500,
        "record_every": 10,
    },
    "100 dimensions, sharpness": {
        "problem": {"kind": "quadratic", "eigenvalues": [1.0] * 100},
        "optimizers": [{"kind": "adam", "lr": 1e-3}],
        "seeds": {"count": 64},
        "epochs": 500,
        "measure": ["sharpness"],
        "record_every": 5,
    },
    "digits, mlp, adam and muon": {**DIGITS, "optimizers": [{"kind": kind, "lr": 1e-3} for kind in ("adam", "muon")]},
    "digits, mlp, sharpness": {**DIGITS, "epochs": 1, "measure": ["sharpness"]},
    "digits, cnn": {**DIGITS, "problem": {"kind": "digits", "model": "cnn"}, "epochs": 1},
}


def measure() -> dict[str, Any]:
    """Train each job in this process, and give estimate, processor time and their quotient."""
    settings = get_settings()
    use_device(settings.device)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'price.db'}"
        migrate(url)
        with closing(Database(url)) as database:
            # A process loads what digits and networks need once.
            for first in (FLIPNET, DIGITS):
                _train(database, settings, {**first, "seeds": {"count": 1}, "epochs": 1})
            for name, written in SPECS.items():
                estimate, seconds = _train(database, settings, written)
                figures[f"{name}: estimate (s)"] = estimate
                figures[f"{name}: processor time (s)"] = seconds
                figures[f"{name}: time / estimate"] = seconds / estimate
    return figures


def _train(database: Database, settings: Settings, written: dict[str, Any]) -> tuple[float, float]:
    """Give the estimate for a job, and the processor time of all its shards."""
    spec = JobSpec.model_validate(written)
    cost = price(spec)
    with database.transaction() as session:
        job, _ = lifecycle.create(session, spec, cost)
    began = time.process_time()
    for number in range(cost.num_shards):
        train_shard(database, settings, job.key, number)
    return cost.seconds, time.process_time() - began
