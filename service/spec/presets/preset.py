"""A preset: the spec of a job with a name, a title and a sentence; and shorthands for entries."""

from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]
# The rates at which the texts show SGD beside momentum, by problem.
TEXT_RATE = {"the ravine": 0.015, "the parabola": 0.01, "FlipNet": 0.05}


@dataclass(frozen=True)
class Preset:
    """An experiment that can be posted by its name. ``spec`` is the body of POST /v1/jobs, without a name."""

    name: str
    title: str
    sentence: str
    spec: Spec


def sgd(lr: Any, label: str = "sgd", **more: Any) -> Spec:
    """Return an entry for plain SGD."""
    return {"label": label, "kind": "sgd", "lr": lr, **more}


def momentum(lr: Any, beta: Any = 0.9, label: str = "momentum", **more: Any) -> Spec:
    """Return an entry for SGD with momentum (heavy ball)."""
    return {"label": label, "kind": "momentum", "lr": lr, "momentum": beta, **more}


def nesterov(lr: Any, beta: Any = 0.9, label: str = "nesterov", **more: Any) -> Spec:
    """Return an entry for Nesterov's method."""
    return {"label": label, "kind": "nesterov", "lr": lr, "momentum": beta, **more}


def adam(lr: Any, label: str = "adam", **more: Any) -> Spec:
    """Return an entry for Adam."""
    return {"label": label, "kind": "adam", "lr": lr, **more}


def rates(first: float, last: float, num: int) -> Spec:
    """Return a logarithmic range of learning rates."""
    return {"from": first, "to": last, "num": num, "scale": "log"}


def at_rate(lr: float) -> list[Spec]:
    """Return SGD and momentum 0.9 at the rate of a text, beside entries with a grid of rates."""
    return [sgd(lr, "sgd, text's rate"), momentum(lr, label="momentum, text's rate")]
