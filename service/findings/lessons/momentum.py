"""Lessons on the size of momentum: too little, too much, and stale directions."""

from collections.abc import Mapping

import numpy as np

from service.analysis.descent import overshoot, settled
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Figure, Finding, curve, number
from service.findings.lessons.judging import concluded, together
from service.findings.lessons.lesson import Lesson
from service.spec.presets.ravine import BETAS, SHIFT_AT

TARGET = 1e-3
# A very small β in the sense of the text, and the share of the benefit below which the benefit counts as lost.
SMALL, KEPT = 0.1, 0.25
# Distance from the moved minimum at which a run has recovered.
RECOVERED = 0.1


def _too_much(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["beta-099"]
    labels = {"SGD": "sgd", "momentum 0.9": "momentum momentum=0.9", "momentum 0.99": "momentum momentum=0.99"}
    loss = {name: job.values("loss", label) for name, label in labels.items()}
    beyond = {name: float(overshoot(job.positions(label)[:, :, 0])[0]) for name, label in labels.items()}
    steps = {name: float(settled(job.epochs, values, TARGET)[0]) for name, values in loss.items()}
    quantities = [number(f"overshoot along w₁, share of the start, {name}", beyond[name]) for name in labels]
    quantities += [number(f"loss stays below 0.001 from update, {name}", steps[name]) for name in labels]
    much, some = "momentum 0.99", "momentum 0.9"
    parts = {
        "0.99 overshoots more than 0.9": beyond[much] > beyond[some] and beyond[much] > 0,
        "0.99 converges": bool(np.isfinite(steps[much])),
        "0.99 takes longer than 0.9": steps[much] > steps[some],
    }
    curves = [curve(name, job.epochs[:1500], values[:, :1500]) for name, values in loss.items()]
    return together(parts, quantities, figures=[Figure("The ravine at rate 0.015", "update", "loss", curves)])


def _too_little(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["beta-small"]
    found = {}
    for reading, label in (("every β has the rate 0.015", "fixed rate"), ("every β has its own best rate", "momentum")):
        steps, betas = settled(job.epochs, job.values("loss", label), TARGET), job.settings("momentum", label)
        found[reading] = np.array([steps[np.isclose(betas, beta)].min() for beta in BETAS])
    quantities, readings = [], {}
    for reading, steps in found.items():
        gained = steps[0] - steps[BETAS.index(SMALL)]
        most = steps[0] - steps.min()
        # The benefit is the number of updates that the best β saves; without a benefit nothing is lost.
        kept = gained / most if most > 0 else 1.0
        readings[reading] = kept < KEPT
        quantities += [
            number(f"updates to a loss that stays below 0.001, β = {beta:g}, if {reading}", count)
            for beta, count in zip(BETAS, steps.tolist(), strict=True)
        ]
        quantities.append(number(f"share of the benefit that β = {SMALL:g} keeps, if {reading}", kept))
    curves = [curve(reading, BETAS, steps) for reading, steps in found.items()]
    figures = [Figure("Updates until the loss stays below 0.001", "β", "updates", curves)]
    return concluded(readings, quantities, figures=figures)


def _stale(jobs: Mapping[str, Evidence]) -> Finding:
    job, still = jobs["stale"], jobs["stale-still"]
    labels = ("constant", "scheduled", "0.9 throughout")

    def recovery(evidence: Evidence, label: str) -> float:
        distance = evidence.values("distance_to_minimum", label)
        return float(settled(evidence.epochs[SHIFT_AT:], distance[:, SHIFT_AT:], RECOVERED)[0]) - SHIFT_AT

    steps = {label: recovery(job, label) for label in labels}
    without = recovery(still, "constant")
    quantities = [number(f"updates to recover, {label}", steps[label]) for label in labels]
    quantities.append(number("updates to arrive without the jump, constant", without))
    parts = {
        "constant momentum 0.99 takes longer than without the jump": steps["constant"] > without,
        "lowering β at the jump shortens the recovery": steps["scheduled"] < steps["constant"],
    }
    curves = [curve(label, job.epochs[:1200], job.values("distance_to_minimum", label)[:, :1200]) for label in labels]
    otherwise = f"constant momentum recovers in {steps['constant']:.0f} updates and needs {without:.0f} without a jump"
    figures = [Figure("The minimum jumps at update 100", "update", "distance to the minimum", curves)]
    return together(parts, quantities, otherwise, figures)


LESSONS = (
    Lesson(
        "beta-099",
        ("B", "V", "N"),
        "Momentum 0.99 overshoots, then corrects itself; too much momentum is slow.",
        "On the ravine at rate 0.015: overshoot along w₁, and updates until the loss stays below 0.001, compared with "
        "0.9.",
        ("beta-099",),
        ("loss", "position"),
        _too_much,
    ),
    Lesson(
        "beta-small",
        ("N",),
        "A very small momentum loses the benefit.",
        "On the ravine, updates until the loss stays below 0.001, for β from 0 to 0.99. β = 0.1 loses the benefit if "
        "it saves less than a quarter of the updates that the best β saves relative to β = 0.",
        ("beta-small",),
        ("loss",),
        _too_little,
    ),
    Lesson(
        "stale",
        ("L",),
        "On long runs momentum can carry stale directions, and scheduling β helps.",
        "The minimum of the ravine jumps at update 100, before momentum 0.99 has converged: updates until the "
        "distance to the moved minimum stays below 0.1, with constant β, with β lowered at the jump, and without a "
        "jump.",
        ("stale", "stale-still"),
        ("distance_to_minimum",),
        _stale,
    ),
)
