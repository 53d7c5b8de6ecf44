"""Lessons on the size of momentum: too little, too much, and stale directions."""

from collections.abc import Mapping

import numpy as np

from service.analysis.descent import overshoot, settled
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Figure, Finding, curve, number
from service.findings.lessons.judging import concluded, together
from service.findings.lessons.lesson import Lesson
from service.spec.presets.ravine import BETAS, SHIFT_AT, SHIFT_BY, STALE_STARTS

TARGET = 1e-3
SMALLEST = min(beta for beta in BETAS if beta > 0)
# The settling time of control engineering: from then on within 2 % of the jump.
RECOVERED = 0.02 * float(np.hypot(*SHIFT_BY))


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
        saved, best = steps[0] - steps, int(steps.argmin())
        # Without a benefit there is none to lose.
        kept = saved / saved[best] if best > 0 else np.ones(len(BETAS))
        rises = bool((np.diff(steps[: best + 1]) < 0).all())
        readings[reading] = best > 0 and rises and bool(kept[BETAS.index(SMALLEST)] < 0.5)
        quantities += [
            number(f"updates to a loss that stays below 0.001, β = {beta:g}, if {reading}", count)
            for beta, count in zip(BETAS, steps.tolist(), strict=True)
        ]
        quantities += [
            number(f"share of the benefit that β = {beta:g} keeps, if {reading}", kept[BETAS.index(beta)])
            for beta in BETAS[1:4]
        ]
    curves = [curve(reading, BETAS, steps) for reading, steps in found.items()]
    figures = [Figure("Updates until the loss stays below 0.001", "β", "updates", curves)]
    otherwise = "less momentum does not save fewer updates, or the smallest β keeps at least half of the benefit"
    return concluded(readings, quantities, otherwise, figures)


def _stale(jobs: Mapping[str, Evidence]) -> Finding:
    job, still = jobs["stale"], jobs["stale-still"]
    labels = ("constant", "scheduled", "0.9 throughout")
    distance = {label: job.values("distance_to_minimum", label)[:, SHIFT_AT:] for label in labels}
    steps = {label: settled(job.epochs[SHIFT_AT:], values, RECOVERED) - SHIFT_AT for label, values in distance.items()}
    rest = settled(still.epochs, still.values("distance_to_minimum", "from rest"), RECOVERED)
    quantities = [
        number(f"updates to recover, {label}, from ({start[0]:g}, {start[1]:g})", count)
        for label, counts in (*steps.items(), ("constant, with the velocity cleared", rest))
        for start, count in zip(STALE_STARTS, counts.tolist(), strict=True)
    ]
    slower, sooner = steps["constant"] > rest, steps["scheduled"] < steps["constant"]
    quantities += [
        number(f"starts of {len(rest)} from which the velocity costs updates", slower.sum()),
        number(f"starts of {len(rest)} from which the schedule saves updates", sooner.sum()),
    ]
    parts = {
        "the velocity of momentum 0.99 costs updates after the jump, from at least one start": bool(slower.any()),
        "lowering β at the jump saves updates, from every start": bool(sooner.all()),
    }
    curves = [curve(label, job.epochs[:1200], job.values("distance_to_minimum", label)[:1, :1200]) for label in labels]
    otherwise = f"the velocity costs updates from {slower.sum()} of {len(rest)} starts, the schedule saves some from "
    figures = [Figure("The minimum jumps at update 100, from (5, 2)", "update", "distance to the minimum", curves)]
    return together(parts, quantities, f"{otherwise}{sooner.sum()}", figures)


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
        "Both values have the rate and the start of the text's example. The run has one exact result, so that the "
        "larger overshoot and the later update decide.",
    ),
    Lesson(
        "beta-small",
        ("N",),
        "A very small momentum loses the benefit.",
        "On the ravine, updates until the loss stays below 0.001, for β from 0 to 0.99. The benefit of a β is the "
        "updates that it saves compared with β = 0. From the best β down to 0 each smaller β saves less, and the "
        "smallest one, 0.05, keeps less than half of the largest benefit.",
        ("beta-small",),
        ("loss",),
        _too_little,
        "The text names no value, so the claim is read as a direction, with the greater part lost at the smallest β; "
        "the shares that 0.05, 0.1 and 0.2 keep are reported. Equal rates and best rates are both judged.",
    ),
    Lesson(
        "stale",
        ("L",),
        "On long runs momentum can carry stale directions, and scheduling β helps.",
        "The minimum of the ravine jumps at update 100, before momentum 0.99 has converged: updates until the distance "
        "to the moved minimum stays below 2 % of the jump, with constant β, with β lowered at the jump, and with "
        "constant β from the same position without velocity; from four starts.",
        ("stale", "stale-still"),
        ("distance_to_minimum",),
        _stale,
        'Only the same position without velocity shows what the velocity costs. "Can" needs one start; "helps" is '
        "judged at every start. 2 % is the usual band of a settling time.",
    ),
)
