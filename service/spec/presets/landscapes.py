"""Presets on quadratics of several condition numbers, and on surfaces with several minima or a saddle."""

from typing import Any

from service.spec.presets.preset import Preset, momentum, nesterov, rates, sgd

CONDITIONS = (10, 100, 1000)
EPOCHS = {10: 400, 100: 2000, 1000: 12_000}
RECORD_EVERY = {10: 1, 100: 2, 1000: 10}
NOISES = (0, 1, 2, 3)
# The minimum of the shallow well.
SHALLOW = [0.905317899160115, 0.0]
STARTS = {"from": -5, "to": 5, "num": 40}


def _best(condition: float) -> list[dict[str, Any]]:
    """Return the best constant settings for curvatures from 1 to κ (Polyak 1964)."""
    root = condition**0.5
    return [
        sgd(2 / (1 + condition), "sgd, best"),
        momentum((2 / (1 + root)) ** 2, ((root - 1) / (root + 1)) ** 2, "momentum, best"),
    ]


def _grid(x: tuple[float, float], y: tuple[float, float]) -> dict[str, Any]:
    """Return 36 starts in a rectangle."""
    return {axis: {"from": first, "to": last, "num": 6} for axis, (first, last) in {"x": x, "y": y}.items()}


PRESETS = (
    *(
        Preset(
            f"speedup-3-5-{condition}",
            f"Speed-up of momentum at condition number {condition}",
            f"½(w₁² + {condition}·w₂²): SGD and momentum 0.9, each at twenty-five rates.",
            {
                "problem": {"kind": "quadratic", "eigenvalues": [1.0, float(condition)]},
                "optimizers": [
                    sgd(rates(0.02 / condition, 1.98 / condition, 25)),
                    momentum(rates(0.02 / condition, 3.76 / condition, 25)),
                ],
                "epochs": EPOCHS[condition],
                "record_every": RECORD_EVERY[condition],
            },
        )
        for condition in CONDITIONS
    ),
    *(
        Preset(
            "curvature" if condition == 10 else f"curvature-{condition}",
            f"Updates needed at condition number {condition}",
            f"½(w₁² + {condition}·w₂²): SGD and momentum at the best settings by theory.",
            {
                "problem": {"kind": "quadratic", "eigenvalues": [1.0, float(condition)]},
                "optimizers": _best(condition),
                "epochs": 12 * condition + 100,
            },
        )
        for condition in CONDITIONS
    ),
    Preset(
        "nesterov-5-10",
        "Nesterov and momentum on the ravine",
        "Rate 0.015, momentum 0.9, 400 updates, 36 starts.",
        {
            "problem": {"kind": "surface", "name": "ravine", "starts": _grid((-5, 5), (-2, 2))},
            "optimizers": [momentum(0.015), nesterov(0.015)],
            "epochs": 400,
        },
    ),
    Preset(
        "nesterov-5-10-rosenbrock",
        "Nesterov and momentum on Rosenbrock's function",
        "Momentum 0.9 at rate 0.0005, half of Nesterov's limit of stability at the minimum, 36 starts.",
        {
            "problem": {"kind": "surface", "name": "rosenbrock", "starts": _grid((-2, 2), (-1, 3))},
            "optimizers": [momentum(0.0005), nesterov(0.0005)],
            "epochs": 6000,
            "record_every": 10,
        },
    ),
    Preset(
        "nesterov-corner",
        "Overshoot of Nesterov and momentum",
        "The ravine at rate 0.015 with momentum 0.9: overshoot along and across.",
        {
            "problem": {"kind": "surface", "name": "ravine", "start": [5, 2]},
            "optimizers": [momentum(0.015), nesterov(0.015)],
            "epochs": 400,
        },
    ),
    *(
        Preset(
            "noise-escapes" if noise == 0 else f"noise-escapes-{noise}",
            f"Out of a shallow well with gradient noise {noise}",
            "SGD from the minimum of the shallow one of two wells, 200 seeds.",
            {
                "problem": {"kind": "surface", "name": "two_wells", "start": SHALLOW, "noise": float(noise)},
                "optimizers": [sgd(0.05)],
                "seeds": {"first": 0, "count": 200},
                "epochs": 500,
                "record_every": 500,
            },
        )
        for noise in NOISES
    ),
    Preset(
        "momentum-escapes",
        "Crossing a shallow well",
        "SGD and momentum from 400 starts to the right of two wells; the deep well is on the left.",
        {
            "problem": {
                "kind": "surface",
                "name": "two_wells",
                "starts": {"x": {"from": 0.6, "to": 2, "num": 20}, "y": {"from": -1, "to": 1, "num": 20}},
            },
            "optimizers": [sgd(0.01), momentum(0.01)],
            "epochs": 1500,
            "record_every": 1500,
        },
    ),
    Preset(
        "momentum-escapes-saddle",
        "Leaving a saddle",
        "SGD and momentum on x² − y² from a distance of 0.001 to the ridge.",
        {
            "problem": {"kind": "surface", "name": "saddle", "start": [1.5, 0.001]},
            "optimizers": [sgd(0.01), momentum(0.01)],
            "epochs": 400,
        },
    ),
    Preset(
        "convex-one-minimum",
        "One minimum, 1,600 starts",
        "SGD on the ravine from a grid of starts.",
        {
            "problem": {
                "kind": "surface",
                "name": "ravine",
                "starts": {"x": STARTS, "y": {"from": -3, "to": 3, "num": 40}},
            },
            "optimizers": [sgd(0.04)],
            "epochs": 400,
            "record_every": 400,
        },
    ),
    Preset(
        "convex-one-minimum-himmelblau",
        "Four minima, 1,600 starts",
        "SGD on Himmelblau's function from a grid of starts.",
        {
            "problem": {"kind": "surface", "name": "himmelblau", "starts": {"x": STARTS, "y": STARTS}},
            "optimizers": [sgd(0.004)],
            "epochs": 1500,
            "record_every": 1500,
        },
    ),
)
