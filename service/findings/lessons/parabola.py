"""Lessons on the parabola w²: eight steps, the way to w = 0.5, and overshoot."""

from collections.abc import Mapping

import numpy as np

from service.analysis.descent import first_reached, overshoot, settled, sign_changes
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Figure, Finding, curve, number, said
from service.findings.lessons.judging import ABOUT, as_said, concluded, together
from service.findings.lessons.lesson import Lesson

START, HALF = 5.0, 0.5
# The settling time of control engineering: from then on within 2 % of the step.
NEAR = 0.02 * START


def _position(evidence: Evidence, label: str) -> np.ndarray:
    return evidence.positions(label)[0, :, 0]


def _sgd(jobs: Mapping[str, Evidence]) -> Finding:
    w = _position(jobs["parabola-sgd"], "sgd")
    lower = 100 * (1 - w[8] ** 2 / w[0] ** 2)
    return as_said([said("w after 8 steps", w[8], 4.2539, 5e-5), said("loss lower by, in per cent", lower, 28, 0.5)])


def _momentum(jobs: Mapping[str, Evidence]) -> Finding:
    plain, w = (_position(jobs["parabola-momentum"], label) for label in ("sgd", "momentum"))
    quantities = [
        said("w after 8 steps", w[8], 2.4421, 5e-5),
        said("loss lower by, in per cent", 100 * (1 - w[8] ** 2 / w[0] ** 2), 76, 0.5),
        said("distance, relative to SGD's", (w[0] - w[8]) / (plain[0] - plain[8]), 3.4, 0.05),
    ]
    steps = np.arange(9)
    curves = [curve("SGD", steps, plain), curve("momentum 0.9", steps, w)]
    return as_said(quantities, [Figure("Eight steps on w² at rate 0.01", "update", "w", curves, log_y=False)])


def _velocity(jobs: Mapping[str, Evidence]) -> Finding:
    velocity = jobs["parabola-velocity"].values("velocity_norm", "momentum")[0]
    expected = {1: (10, 0.05), 2: (18.8, 0.05), 3: (26.3, 0.05), 8: (45.3, 0.05)}
    quantities = [said(f"velocity at step {step}", velocity[step], *what) for step, what in expected.items()]
    others = [number(f"velocity at step {step}", velocity[step]) for step in (4, 5, 6, 7)]
    return as_said([*quantities, *others])


def _to_half(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["parabola-to-half"]
    quantities, readings = [], {}
    for reading, measure in {
        "the first step within 0.5 of the minimum counts": first_reached,
        "the step from which w stays within 0.5 of the minimum counts": settled,
    }.items():
        found = {
            label: float(measure(job.epochs, np.abs(_position(job, label)), HALF)[0]) for label in ("sgd", "momentum")
        }
        name = "first step" if measure is first_reached else "last arrival"
        stated = {"sgd": ("SGD", 115), "momentum": ("momentum", 35)}
        pair = [
            said(f"{title}, {name} at |w| ≤ 0.5", found[label], steps, ABOUT * steps)
            for label, (title, steps) in stated.items()
        ]
        off = [100 * abs(found[label] - steps) / steps for label, (_, steps) in stated.items()]
        quantities += [*pair, number(f"largest deviation from the text in per cent, {name}", max(off))]
        readings[reading] = all(one.agrees for one in pair)
    curves = [curve(label, job.epochs, np.abs(_position(job, label))) for label in ("sgd", "momentum")]
    figures = [Figure("Distance from the minimum of w² at rate 0.01", "update", "|w|", curves)]
    momentum = [one for one in quantities if one.name.startswith("momentum")]
    otherwise = (
        f"SGD needs {quantities[0].value:.0f} steps; momentum is there first after {momentum[0].value:.0f} steps and "
        f"stays there after {momentum[1].value:.0f}"
    )
    return concluded(readings, quantities, otherwise, figures)


def _overshoot(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["overshoot-cost"]
    path = {label: _position(job, label) for label in ("sgd", "momentum", "nesterov")}
    path["without overshoot"] = _position(job, "without overshoot")
    stays = {label: float(settled(job.epochs, np.abs(w), NEAR)[0]) for label, w in path.items()}
    crossed = float(first_reached(job.epochs, path["momentum"], 0.0)[0])
    near = float(first_reached(job.epochs, np.abs(path["momentum"]), NEAR)[0])
    quantities = [
        number("overshoot of momentum, share of the start", overshoot(path["momentum"])[0]),
        number("overshoot of SGD", overshoot(path["sgd"])[0]),
        number("momentum first crosses the minimum at update", crossed),
        number("momentum first within 2 % of the start at update", near),
        number("momentum stays within 2 % from update", stays["momentum"]),
        number("updates spent after the first crossing", stays["momentum"] - crossed),
        number("momentum without overshoot, β = 0.737, stays within 2 % from update", stays["without overshoot"]),
        number("overshoot of momentum at β = 0.737", overshoot(path["without overshoot"])[0]),
        number("SGD stays within 2 % from update", stays["sgd"]),
        number("sign changes of momentum", sign_changes(path["momentum"], NEAR)[0]),
    ]
    parts = {
        "momentum passes the minimum where SGD does not": overshoot(path["momentum"])[0]
        > 0
        >= overshoot(path["sgd"])[0],
        "it returns": sign_changes(path["momentum"], NEAR)[0] >= 2,
        "it settles later than the largest momentum that does not pass": stays["momentum"] > stays["without overshoot"],
    }
    curves = [curve(label, job.epochs[:250], w[:250]) for label, w in path.items()]
    figures = [Figure("Past the minimum of w² and back", "update", "w", curves, log_y=False)]
    return together(parts, quantities, figures=figures)


LESSONS = (
    Lesson(
        "parabola-sgd",
        ("B",),
        "On w² from 5 at rate 0.01, eight SGD steps reach w ≈ 4.2539, and the loss is 28 % lower.",
        "Each number to half a unit of its last digit.",
        ("parabola-sgd",),
        ("position",),
        _sgd,
        "The text prints its numbers from a calculation without chance, so their digits are the claim. A second "
        "reading allows one unit of the last digit, as rounding between steps by hand changes it.",
    ),
    Lesson(
        "parabola-momentum",
        ("B",),
        "On w² from 5 at rate 0.01, eight steps with momentum 0.9 reach w ≈ 2.4421: the loss is 76 % lower, the "
        "distance 3.4 times that of SGD.",
        "Each number to half a unit of its last digit.",
        ("parabola-momentum",),
        ("position",),
        _momentum,
        "The text prints its numbers from a calculation without chance, so their digits are the claim.",
    ),
    Lesson(
        "parabola-velocity",
        ("B",),
        "The velocity in these eight steps grows: 10, 18.8, 26.3, … , 45.3.",
        "Each number to half a unit of its last digit.",
        ("parabola-velocity",),
        ("velocity_norm",),
        _velocity,
        "The text prints its numbers from a calculation without chance, so their digits are the claim; the steps it "
        "leaves out are reported and not judged.",
    ),
    Lesson(
        "parabola-to-half",
        ("B",),
        "SGD needs about 115 steps to w = 0.5, momentum about 35.",
        "Both numbers within a tenth of those in the text: for the first step with |w| ≤ 0.5, and for the step from "
        "which it stays so.",
        ("parabola-to-half",),
        ("position",),
        _to_half,
        "The text does not say whether momentum may leave again, so both readings are judged. A tenth is the margin "
        'of "about" in all lessons; the deviations are reported, so that the verdict for another margin can be read '
        "off.",
    ),
    Lesson(
        "overshoot-cost",
        ("V",),
        "Momentum passes the minimum and returns, which wastes steps.",
        "On w² from 5 at rate 0.01 with momentum 0.9: w crosses 0 where SGD does not, changes sign at least twice, and "
        "stays within 2 % of the start later than with β = (1 − √(2·0.01))² ≈ 0.737, the largest momentum that does "
        "not cross 0.",
        ("overshoot-cost",),
        ("position",),
        _overshoot,
        "Steps are wasted only if a run without the overshoot needs fewer; theory gives the momentum that differs in "
        "this alone. 2 % is the usual band of a settling time. A run without noise has one exact result.",
    ),
)
