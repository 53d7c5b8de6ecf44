"""Lessons on surfaces: overshoot, local minima, saddles and the dependence on the start."""

from collections.abc import Mapping

import numpy as np

from service.analysis.descent import first_reached, overshoot
from service.analysis.stability import updates_to_escape
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Figure, Finding, curve, number, share
from service.findings.lessons.judging import ABOUT, concluded, greater, together
from service.findings.lessons.lesson import Lesson
from service.spec.presets.landscapes import TEMPERATURES, noise_of
from service.spec.surfaces import SURFACES

# A run ends in a minimum if its last position is within this distance.
NEAR = 0.01
# Noise from this temperature, as a share of the barrier, is judged. At much lower ones theory expects the first escape
# after e^8 times the time of a swing, beyond every run.
LOWEST_TEMPERATURE = 1 / 4


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
    # The deep well is at x < 0.
    escaped = {ending: jobs[f"noise-escapes{ending}"].positions("sgd")[:, -1, 0] < 0 for ending in TEMPERATURES}
    shares, parts = [], {}
    for ending, temperature in list(TEMPERATURES.items())[1:]:
        found = share(f"share in the deep well at a temperature of {temperature:g} of the barrier", escaped[ending])
        shares.append(found)
        if temperature >= LOWEST_TEMPERATURE:
            # Without noise all seeds give the same run.
            alone = float(escaped[""][0])
            parts[f"noise of {temperature:g} of the barrier helps"] = greater(found, bound=alone + ABOUT)
    quantities = [number("runs in the deep well without noise, of 1", escaped[""][:1].sum()), *shares]
    quantities += [number(f"noise σ at {level:g} of the barrier", noise_of(level)) for level in TEMPERATURES.values()]
    values = [float(reached.mean()) for reached in escaped.values()]
    line = curve("SGD", list(TEMPERATURES.values()), values)
    figures = [Figure("Share in the deep well", "temperature over barrier", "share", [line], log_y=False)]
    return together(parts, quantities, figures=figures)


def _momentum(jobs: Mapping[str, Evidence]) -> Finding:
    wells, saddle = jobs["momentum-escapes"], jobs["momentum-escapes-saddle"]
    labels = ("sgd", "momentum")
    crossed = {label: wells.positions(label)[:, -1, 0] < 0 for label in labels}
    left = {
        label: float(first_reached(saddle.epochs, -np.abs(saddle.positions(label)[:, :, 1]), -1.0)[0])
        for label in labels
    }
    total = len(crossed["sgd"])
    quantities = [
        number(f"starts of {total} that end in the deep well, {label}", crossed[label].sum()) for label in labels
    ]
    quantities += [
        number("starts that only SGD takes to the deep well", (crossed["sgd"] & ~crossed["momentum"]).sum()),
        number("updates to leave the saddle, SGD", left["sgd"]),
        number("theory: updates to leave the saddle, SGD", updates_to_escape(0.01, -2.0, 0.001, 1.0)),
        number("updates to leave the saddle, momentum", left["momentum"]),
    ]
    parts = {
        "momentum crosses the local minimum from more starts": bool(crossed["momentum"].sum() > crossed["sgd"].sum()),
        "momentum leaves the saddle earlier": left["momentum"] < left["sgd"],
    }
    otherwise = (
        f"momentum crosses from {crossed['momentum'].sum()} and SGD from {crossed['sgd'].sum()} of {total} starts; "
        f"they leave the saddle after {left['momentum']:.0f} and {left['sgd']:.0f} updates"
    )
    curves = [curve(label, saddle.epochs[:380], np.abs(saddle.positions(label)[0, :380, 1])) for label in left]
    figures = [Figure("Away from the ridge of a saddle", "update", "|y|", curves)]
    return together(parts, quantities, otherwise, figures)


def _convex(jobs: Mapping[str, Evidence]) -> Finding:
    quantities, reached = [], {}
    for name, preset in {"ravine": "convex-one-minimum", "himmelblau": "convex-one-minimum-himmelblau"}.items():
        ends = jobs[preset].positions("sgd")[:, -1]
        minima = np.array(SURFACES[name].minima)
        inside = np.linalg.norm(ends[:, None] - minima[None], axis=2) < NEAR
        title, total = SURFACES[name].title, len(ends)
        quantities.append(number(f"starts of {total} that end in a minimum, {title}", inside.any(axis=1).sum()))
        for at, minimum in enumerate(SURFACES[name].minima):
            place = ", ".join(f"{value:.3g}" for value in minimum)
            quantities.append(number(f"starts of {total} that end at ({place}), {title}", inside[:, at].sum()))
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
        "A method that slows down in time goes less far beyond the minimum, at the same rate, β and start. A run "
        "without noise has one exact result; every direction of the text's examples is judged.",
    ),
    Lesson(
        "noise-escapes",
        ("V", "B", "L"),
        "Gradient noise helps to leave shallow local minima.",
        "SGD from the minimum of the shallow well, 2,500 updates at rate 0.01. Noise of standard deviation σ has the "
        "temperature lr·σ²/2; a quarter, a half and the whole of the barrier are judged. At each of them, the 95 % "
        "interval of the share of 200 seeds that end in the deep well lies more than a tenth above the share without "
        "noise, which is 0 or 1.",
        tuple(f"noise-escapes{ending}" for ending in TEMPERATURES),
        ("position",),
        _noise,
        "Noise can only be large or small relative to the barrier (Kramers 1940), so the range is fixed by the surface "
        "and not by the result, and all of it must help. An eighth of the barrier is shown for comparison.",
    ),
    Lesson(
        "momentum-escapes",
        ("V", "L"),
        "Momentum helps to cross local minima and to leave saddles.",
        "From more of 400 starts beside the shallow well than with SGD a run ends in the deep one; and fewer updates "
        "from a distance of 0.001 to a distance of 1 from the ridge of a saddle.",
        ("momentum-escapes", "momentum-escapes-saddle"),
        ("position",),
        _momentum,
        "Both have the same rate and the same starts, on a grid that was chosen for its place beside the well. The "
        "starts are fixed instances of runs without noise, so they are counted; the count has no interval.",
    ),
    Lesson(
        "convex-one-minimum",
        ("V",),
        "On a convex surface every start leads to the one minimum; on a non-convex surface the minimum depends on the "
        "start.",
        "1,600 starts on the ravine, which all end within 0.01 of its minimum, and 1,600 on Himmelblau's function, "
        "which end within 0.01 of different minima; SGD without noise.",
        ("convex-one-minimum", "convex-one-minimum-himmelblau"),
        ("position",),
        _convex,
        '"Every" is refuted by one start, and "depends" is shown by two. The starts are a fixed grid of instances: '
        "they are counted, and the counts have no interval.",
    ),
)
