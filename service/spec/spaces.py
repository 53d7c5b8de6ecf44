"""Default search spaces of the optimizers: what a bare kind, or an entry without a learning rate, searches.

Every kind searches four decades of learning rates, so that no kind has a wider choice. The decades differ where the
sizes of steps do by design: Lion and signSGD move every parameter by the rate itself; Adadelta and LARS scale it.

Memories are drawn by their distance from 1. The space of decoupled weight decay is that of AlgoPerf's AdamW (Dahl et
al.: Benchmarking Neural Network Training Algorithms, 2023); the space of the first memory includes those of its NadamW
and Adafactor.
"""

from collections.abc import Mapping
from typing import Any

from service.spec.fields import Interval, Scale


def _interval(low: float, high: float, scale: Scale = "log") -> Interval:
    return Interval.model_validate({"from": low, "to": high, "scale": scale})


RATES = _interval(1e-4, 1.0)
SMALL_RATES = _interval(1e-5, 0.1)
LARGE_RATES = _interval(1e-3, 10.0)
LARGEST_RATES = _interval(1e-2, 100.0)
MEMORY = _interval(0.5, 0.995, "one_minus_log")
MEMORY_OF_SQUARES = _interval(0.9, 0.9999, "one_minus_log")
DECOUPLED_DECAY = _interval(5e-3, 1.0)

_ADAM = {"beta1": MEMORY, "beta2": MEMORY_OF_SQUARES}
# Beside the learning rate.
_OTHERS: Mapping[str, Mapping[str, Interval]] = {
    "momentum": {"momentum": MEMORY},
    "nesterov": {"momentum": MEMORY},
    "quasi_hyperbolic": {"momentum": MEMORY, "nu": _interval(0.0, 1.0, "linear")},
    "adam": _ADAM,
    "adamw": {**_ADAM, "weight_decay": DECOUPLED_DECAY},
    "nadam": _ADAM,
    "radam": _ADAM,
    "adamax": _ADAM,
    "adadelta": {"rho": MEMORY},
    "rmsprop": {"alpha": MEMORY_OF_SQUARES},
    "lion": {**_ADAM, "weight_decay": DECOUPLED_DECAY},
    "schedule_free_sgd": {"momentum": MEMORY},
    "schedule_free_adamw": _ADAM,
    "lars": {"momentum": MEMORY},
    "lamb": _ADAM,
    "muon": {"momentum": MEMORY},
}
_RATES: Mapping[str, Interval] = {
    "sign_sgd": SMALL_RATES,
    "lion": SMALL_RATES,
    "adagrad": LARGE_RATES,
    "schedule_free_sgd": LARGE_RATES,
    "adadelta": LARGEST_RATES,
    "lars": LARGEST_RATES,
}


def default_space(kind: str) -> dict[str, Interval]:
    """Give the intervals that a kind of optimizer searches by default, the learning rate first."""
    return {"lr": _RATES.get(kind, RATES), **_OTHERS.get(kind, {})}


def bare(kind: str) -> dict[str, Any]:
    """Give the entry that a bare kind stands for: the kind with its whole default space."""
    return {"kind": kind, **{name: grid.model_dump(by_alias=True) for name, grid in default_space(kind).items()}}
