"""Evidence for judges from given histories, and exact runs on quadratics."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.findings.lessons.evidence import Evidence

Floats = NDArray[np.float64]


def run(label: str = "sgd", seed: int = 0, optimizer: Mapping[str, float] | None = None, **fields: Any) -> Any:
    """One run and its history. A field has one value per epoch."""
    columns = {name: np.asarray(values, dtype=np.float64).tolist() for name, values in fields.items()}
    epochs = list(range(len(next(iter(columns.values())))))
    about = {"label": label, "optimizer": dict(optimizer or {}), "seed": seed, "status": "completed"}
    return about, {"epoch": epochs, **columns}


def job(runs: Sequence[Any]) -> Evidence:
    """A completed job with these runs."""
    return Evidence({}, [about for about, _ in runs], [history for _, history in runs])


def heavy_ball(
    start: Sequence[float], curvatures: Sequence[float], lr: float, beta: float, updates: int, nesterov: bool = False
) -> Floats:
    """Positions [updates + 1, D] on Σ ½λw²."""
    w, velocity, curvature = np.array(start, dtype=np.float64), np.zeros(len(start)), np.array(curvatures)
    path = [w]
    for _ in range(updates):
        gradient = curvature * w
        velocity = beta * velocity + gradient
        w = w - lr * (gradient + beta * velocity if nesterov else velocity)
        path.append(w)
    return np.array(path)


def on_the_ravine(
    label: str, lr: float, beta: float = 0.0, updates: int = 200, curvatures: Sequence[float] = (2, 20), **more: Any
) -> Any:
    """One run from (5, 2) on the ravine, or on one of other curvatures."""
    path = heavy_ball((5, 2), curvatures, lr, beta, updates, **more)
    with np.errstate(over="ignore"):
        loss = (path**2 @ np.array(curvatures)) / 2
    return run(label, optimizer={"lr": lr, "momentum": beta}, position=path, loss=loss)
