"""Lessons on the ravine: large rates, momentum and gradient noise."""

from collections.abc import Mapping

import numpy as np

from service.analysis.descent import settled, sign_changes, turning_angle
from service.analysis.stability import linear_method
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Figure, Finding, band, curve, number, ratio, short
from service.findings.lessons.judging import ABOUT, concluded, less, together
from service.findings.lessons.lesson import Lesson

TARGET = 1e-3
CURVATURES = (2.0, 20.0)
# Below this a coordinate is rounding noise around the minimum, and its sign has no meaning.
FLOOR = 1e-9


def _large_rate(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["ravine-large-lr"]
    rates, loss = job.settings("lr", "sgd"), job.values("loss", "sgd")
    swings = sign_changes(job.positions("sgd")[:, :, 1], FLOOR)
    grows = job.diverged("sgd") | (job.ends("loss", "sgd") > loss[:, 0])
    steps = settled(job.epochs, loss, TARGET)
    at = {lr: int(np.flatnonzero(np.isclose(rates, lr))[0]) for lr in (0.005, 0.015, 0.04)}
    quantities = []
    for lr, run in at.items():
        quantities += [
            number(f"sign changes of w₂ at {lr:g}", swings[run]),
            number(f"loss after 50 updates at {lr:g}", loss[run, 50]),
            number(f"loss after 200 updates at {lr:g}", loss[run, 200]),
            number(f"loss stays below 0.001 from update, at {lr:g}", steps[run]),
        ]
    first_swing, first_growth = rates[swings > 0].min(), rates[grows].min()
    quantities += [
        number("smallest rate of the job at which w₂ oscillates", first_swing),
        number("theory: w₂ oscillates above", 1 / CURVATURES[1]),
        number("smallest rate of the job at which the loss grows", first_growth),
        number("theory: diverges above", 2 / CURVATURES[1]),
    ]
    parts = {
        "at 0.04 SGD oscillates across the ravine or diverges": swings[at[0.04]] > 0 or grows[at[0.04]],
        "at 0.015 it oscillates mildly": swings[at[0.015]] > 0,
        "at 0.005 it is slower than at 0.015": steps[at[0.005]] > steps[at[0.015]],
    }
    shown = {lr: int(np.flatnonzero(np.isclose(rates, lr))[0]) for lr in (0.005, 0.015, 0.04, 0.07, 0.101)}
    curves = [curve(f"rate {lr:g}", job.epochs, loss[run]) for lr, run in shown.items()]
    otherwise = f"w₂ oscillates at rates of {first_swing:g} and above, and the loss grows at {first_growth:g} and above"
    return together(parts, quantities, otherwise, [Figure("SGD on the ravine", "update", "loss", curves)])


def _smooth(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["ravine-momentum-smooth"]
    swings = {label: int(sign_changes(job.positions(label)[:, :, 1], FLOOR)[0]) for label in ("sgd", "momentum")}
    stays = {label: float(settled(job.epochs, job.values("loss", label), TARGET)[0]) for label in ("sgd", "momentum")}
    quantities = [
        number("sign changes of w₂, SGD", swings["sgd"]),
        number("sign changes of w₂, momentum", swings["momentum"]),
        number("loss stays below 0.001 from update, SGD", stays["sgd"]),
        number("loss stays below 0.001 from update, momentum", stays["momentum"]),
    ]
    parts = {
        "SGD oscillates at 0.04": swings["sgd"] > 0,
        "momentum oscillates less": swings["momentum"] < swings["sgd"],
    }
    otherwise = f"w₂ changes sign {swings['sgd']} times with SGD and {swings['momentum']} times with momentum"
    curves = [curve(label, job.epochs[:80], job.positions(label)[0, :80, 1]) for label in ("sgd", "momentum")]
    figures = [Figure("Across the ravine at rate 0.04", "update", "w₂", curves, log_y=False)]
    return together(parts, quantities, otherwise, figures)


def _race(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["ravine-race"]
    labels = ("sgd", "momentum", "nesterov")
    along = {label: np.abs(job.positions(label)[0, :, 0]) for label in labels}
    stays = {label: float(settled(job.epochs, job.values("loss", label), TARGET)[0]) for label in labels}
    quantities = [
        number(f"|w₁| after {step} updates, {label}", along[label][step]) for step in (10, 25, 50) for label in labels
    ]
    quantities += [number(f"loss stays below 0.001 from update, {label}", stays[label]) for label in labels]
    ahead = {step: bool(along["momentum"][step] < along["sgd"][step]) for step in (10, 25, 50)}
    readings = {f"compared at update {step}": ahead[step] for step in ahead}
    readings["compared by the update from which the loss stays below 0.001"] = stays["momentum"] < stays["sgd"]
    curves = [curve(label, job.epochs, job.values("loss", label)) for label in labels]
    figures = [Figure("The ravine at rate 0.015", "update", "loss", curves)]
    return concluded(readings, quantities, figures=figures)


def _noise(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["noise-smoother"]
    labels = ("sgd", "momentum", "momentum, a tenth of the rate")
    angle = {label: turning_angle(job.positions(label)) for label in labels}
    half = len(job.epochs) // 2
    level = {label: job.values("loss", label)[:, half:].mean(axis=1) for label in labels}
    turns = {label: ratio(f"turning angle over SGD's, {label}", angle[label], angle["sgd"]) for label in labels[1:]}
    quantities = [*turns.values()]
    quantities += [band(f"mean turning angle in degrees, {label}", angle[label]) for label in labels]
    quantities += [
        ratio(f"loss at which it settles over SGD's, {label}", level[label], level["sgd"]) for label in labels[1:]
    ]
    for label in labels:
        lr, beta = (0.0015 if "tenth" in label else 0.015), (0.0 if label == "sgd" else 0.9)
        method = linear_method("momentum", {"momentum": beta})
        assert method is not None
        quantities.append(band(f"loss at which it settles, {label}", level[label]))
        quantities.append(
            number(f"theory: loss at which it settles, {label}", method.stationary_loss(lr, CURVATURES, 5.0))
        )
    smoother = {"momentum's path turns less between steps": less(turns["momentum"], bound=1 - ABOUT)}
    curves = [curve(label, job.epochs, job.values("loss", label)) for label in labels]
    figures = [Figure("The ravine with gradient noise 5, 50 seeds", "update", "loss", curves)]
    otherwise = f"its turning angle is {short(turns['momentum'].value)} of SGD's"
    return together(smoother, quantities, otherwise, figures)


LESSONS = (
    Lesson(
        "ravine-large-lr",
        ("B",),
        "At rate 0.04 SGD oscillates wildly across the ravine or diverges; at 0.015 it oscillates mildly; at 0.005 it "
        "converges slowly.",
        "Sign changes of w₂ (above 1e-9) in 200 updates, at least one for an oscillation; a loss above that of the "
        "start for divergence; at 0.005 the loss stays below 0.001 from a later update than at 0.015.",
        ("ravine-large-lr",),
        ("loss", "position"),
        _large_rate,
        "The weakest meaning of each word is judged: one change of sign is an oscillation, and slow is slower than at "
        "the next larger rate of the text. Theory gives both thresholds beside the runs.",
    ),
    Lesson(
        "ravine-momentum-smooth",
        ("B",),
        "At rate 0.04 momentum 0.9 stays smooth where SGD oscillates.",
        "Sign changes of w₂ (above 1e-9) of both in 300 updates.",
        ("ravine-momentum-smooth",),
        ("loss", "position"),
        _smooth,
        "To oscillate is to change sign across the ravine. The weakest meaning is judged: SGD does so at all, and "
        "momentum less often.",
    ),
    Lesson(
        "ravine-race",
        ("B", "V", "N"),
        "At rate 0.015 momentum 0.9 is ahead of SGD along w₁.",
        "|w₁| after 10, 25 and 50 updates is smaller than SGD's, and the loss stays below 0.001 from an earlier "
        "update.",
        ("ravine-race",),
        ("loss", "position"),
        _race,
        "To be ahead is to be closer to the minimum after the same number of updates, early and late. The last reading "
        "does not depend on the phase of an oscillation.",
    ),
    Lesson(
        "noise-smoother",
        ("B",),
        "With gradient noise 5, momentum's path is smoother than SGD's.",
        "The mean angle between consecutive steps in 1,000 updates at the same rate, momentum's over SGD's of the same "
        "seed: the 95 % interval of the geometric mean over 50 seeds lies below 0.9. The "
        "loss at which each settles (mean of the later 500 updates) is reported.",
        ("noise-smoother",),
        ("loss", "position"),
        _noise,
        "A path is smooth if it turns little from step to step, whatever its distance from the minimum; both methods "
        "get the same rate and the same noise, as in the text. A difference within a tenth counts as none.",
    ),
)
