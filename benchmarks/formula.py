"""Training time of built-in optimizers written as formulas, relative to the built-in ones, on one thread."""

from typing import Any

from benchmarks.timing import repeat
from service.settings import get_settings
from service.spec.job import JobSpec
from service.spec.price import price
from worker.engine.device import use_device
from worker.engine.trainer import Trainer
from worker.plan import plan

# The smallest of several times counts, measured in turns, so that other load meets both alike.
TIMES = 5
RATES = {"from": 0.001, "to": 0.02, "scale": "log"}
FORMULAS: dict[str, dict[str, Any]] = {
    "momentum": {
        "state": {"v": 0},
        "parameters": {"beta": 0.9},
        "update": ["v = beta*v + g", "w = w - lr*v"],
    },
    "adam": {
        "state": {"m": 0, "v": 0},
        "parameters": {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
        "update": [
            "m = beta1*m + (1 - beta1)*g",
            "v = beta2*v + (1 - beta2)*g**2",
            "w = w - lr*(m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + eps)",
        ],
    },
}


def measure() -> dict[str, Any]:
    """Measure sweeps of the learning rate on FlipNet, all fields recorded every epoch."""
    use_device(get_settings().device)
    figures: dict[str, Any] = {}
    for num in (1_000, 10_000):
        rates = {**RATES, "num": num}
        for kind, formula in FORMULAS.items():
            specs = [_spec({"kind": kind, "lr": rates}), _spec({"kind": "formula", "lr": rates, **formula})]
            for spec in specs:
                _train(spec)
            turns = [[repeat(lambda spec=spec: _train(spec), 1)[0] for spec in specs] for _ in range(TIMES)]  # type: ignore[misc]
            built_in, own = (min(times) for times in zip(*turns, strict=True))
            figures[f"{kind} as a formula, FlipNet, R = {num:,} (times the built-in's)"] = own / built_in
    return figures


def _spec(entry: dict[str, Any]) -> JobSpec:
    return JobSpec.model_validate({"problem": {"kind": "flipnet"}, "optimizers": [entry], "epochs": 10})


def _train(spec: JobSpec) -> None:
    for first, num in price(spec).shards():
        for _ in Trainer(plan(spec, first, num)).run():
            pass
