"""Lessons on surfaces: overshoot, local minima, saddles and the dependence on the start."""

from collections.abc import Mapping

import numpy as np

from service.analysis.descent import first_reached, overshoot
from service.analysis.stability import updates_to_escape
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Figure, Finding, curve, number, share
from service.findings.lessons.judging import concluded, together
from service.findings.lessons.lesson import Lesson
from service.spec.presets.landscapes import NOISES
from service.spec.surfaces import SURFACES

# A run ends in a minimum if its last position is within this distance.
NEAR = 0.01


def _corner(jobs: Mapping[str, Evidence]) -> Finding:
    ravine, parabola = jobs["nesterov-corner"], jobs["overshoot-cost"]
    quantities, readings = [], {}
    places = {"along the ravine": (ravine, 0), "across the ravine": (ravine, 1), "on the parabola": (parabola, 0)}
    for place, (job, axis) in places.items():
        beyond = {label: float(overshoot(job.positions(label)[:, :, axis])[0]) for label in ("momentum", "nesterov")}
        quantities += [number(f"overshoot {place}, share of the start, {label}", beyond[label]) for label in beyond]
        readings[f"measured {place}"] = beyond["nesterov"] < beyond["momentum"]
    curves = [
        curve(label, ravine.epochs[:120], ravine.positions(label)[0, :120, 1]) for label in ("momentum", "nesterov")
    ]
    figures = [Figure("Across the ravine at rate 0.015", "update", "w₂", curves, log_y=False)]
    return concluded(readings, quantities, figures=figures)


def _noise(jobs: Mapping[str, Evidence]) -> Finding:
    shares = {}
    for noise in NOISES:
        job = jobs["noise-escapes" if noise == 0 else f"noise-escapes-{noise}"]
        # The deep well is at x < 0.
        shares[noise] = share(f"share in the deep well, noise {noise}", job.positions("sgd")[:, -1, 0] < 0)
    none = shares[0]
    readings = {f"the noise is {noise}": (shares[noise].low or 0) > (none.high or 1) for noise in NOISES[1:]}
    values = [shares[noise].value or 0.0 for noise in NOISES]
    figures = [Figure("Share in the deep well", "noise", "share", [curve("SGD", NOISES, values)], log_y=False)]
    return concluded(readings, list(shares.values()), figures=figures)


def _momentum(jobs: Mapping[str, Evidence]) -> Finding:
    wells, saddle = jobs["momentum-escapes"], jobs["momentum-escapes-saddle"]
    crossed = {
        label: share(f"share of starts that end in the deep well, {label}", wells.positions(label)[:, -1, 0] < 0)
        for label in ("sgd", "momentum")
    }
    left = {
        label: float(first_reached(saddle.epochs, -np.abs(saddle.positions(label)[:, :, 1]), -1.0)[0])
        for label in ("sgd", "momentum")
    }
    quantities = [
        *crossed.values(),
        number("updates to leave the saddle, SGD", left["sgd"]),
        number("theory: updates to leave the saddle, SGD", updates_to_escape(0.01, -2.0, 0.001, 1.0)),
        number("updates to leave the saddle, momentum", left["momentum"]),
    ]
    readings = {
        "a local minimum is crossed": (crossed["momentum"].low or 0) > (crossed["sgd"].high or 1),
        "a saddle is left": left["momentum"] < left["sgd"],
    }
    curves = [curve(label, saddle.epochs[:380], np.abs(saddle.positions(label)[0, :380, 1])) for label in left]
    figures = [Figure("Away from the ridge of a saddle", "update", "|y|", curves)]
    return concluded(readings, quantities, figures=figures)


def _convex(jobs: Mapping[str, Evidence]) -> Finding:
    quantities, reached = [], {}
    for name, preset in {"ravine": "convex-one-minimum", "himmelblau": "convex-one-minimum-himmelblau"}.items():
        ends = jobs[preset].positions("sgd")[:, -1]
        minima = np.array(SURFACES[name].minima)
        distance = np.linalg.norm(ends[:, None] - minima[None], axis=2)
        inside = distance < NEAR
        title = SURFACES[name].title
        quantities.append(share(f"share of starts that end in a minimum, {title}", inside.any(axis=1)))
        for at, minimum in enumerate(SURFACES[name].minima):
            place = ", ".join(f"{value:.3g}" for value in minimum)
            quantities.append(share(f"share that ends at ({place}), {title}", inside[:, at]))
        reached[name] = int(inside.any(axis=0).sum()), bool(inside.any(axis=1).all())
        quantities.append(number(f"minima reached, {title}", reached[name][0]))
    parts = {
        "from every start on the ravine the one minimum is reached": reached["ravine"] == (1, True),
        "on Himmelblau's function the minimum depends on the start": reached["himmelblau"][0] > 1,
    }
    return together(parts, quantities)


LESSONS = (
    Lesson(
        "nesterov-corner",
        ("B",),
        "Nesterov slows down before it overshoots.",
        "Rate 0.015 on the ravine, 0.01 on w², β = 0.9: the overshoot beyond the minimum is smaller than momentum's.",
        ("nesterov-corner", "overshoot-cost"),
        ("position",),
        _corner,
    ),
    Lesson(
        "noise-escapes",
        ("V", "B", "L"),
        "Gradient noise helps to leave shallow local minima.",
        "200 seeds of SGD from the minimum of the shallow well: the interval of the share in the deep well after 500 "
        "updates lies above the interval without noise.",
        ("noise-escapes", "noise-escapes-1", "noise-escapes-2", "noise-escapes-3"),
        ("position",),
        _noise,
    ),
    Lesson(
        "momentum-escapes",
        ("V", "L"),
        "Momentum helps to cross local minima and to leave saddles.",
        "The share of 400 starts beside the shallow well that end in the deep one; and the updates from a distance "
        "of 0.001 to a distance of 1 from the ridge of a saddle.",
        ("momentum-escapes", "momentum-escapes-saddle"),
        ("position",),
        _momentum,
    ),
    Lesson(
        "convex-one-minimum",
        ("V",),
        "On a convex surface every start leads to the one minimum; on a non-convex surface the minimum depends on the "
        "start.",
        "1,600 starts on the ravine and 1,600 on Himmelblau's function: the minima within 0.01 of the last position of "
        "SGD.",
        ("convex-one-minimum", "convex-one-minimum-himmelblau"),
        ("position",),
        _convex,
    ),
)
