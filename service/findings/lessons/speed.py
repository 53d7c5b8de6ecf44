"""Lessons on the speed-up of momentum and of Nesterov's method, by problem and choice of rates."""

from collections.abc import Mapping

import numpy as np

from service.analysis.descent import first_reached, settled
from service.analysis.speed import expected_epochs
from service.analysis.stability import best_settings
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import (
    Figure,
    Finding,
    Quantity,
    Reading,
    curve,
    number,
    share,
    short,
    spanned,
    speedup,
)
from service.findings.lessons.judging import ABOUT, between, concluded, together
from service.findings.lessons.lesson import Lesson
from service.spec.presets.landscapes import CONDITIONS
from service.spec.presets.preset import TEXT_RATE

TARGET = 1e-3
# The loss that the text gives for SGD on FlipNet after ten epochs.
FLIPNET_TARGET = 0.18
SURFACES = {
    "the ravine": "speedup-3-5",
    "the parabola": "speedup-3-5-parabola",
    **{f"a quadratic of condition number {condition}": f"speedup-3-5-{condition}" for condition in CONDITIONS},
}
FLIPNET = "speedup-3-5-flipnet"
# "About 3 to 5".
STATED = (3 * (1 - ABOUT), 5 * (1 + ABOUT))
SAVED = (0.05, 0.10)


def _updates(job: Evidence, label: str) -> np.ndarray:
    """Return the updates [R] until the loss of each run stays below the target."""
    return settled(job.epochs, job.values("loss", label), TARGET)


def _speedup(jobs: Mapping[str, Evidence]) -> Finding:
    quantities: list[Quantity] = []
    readings: dict[str, Reading] = {}
    figures, summary = [], []
    for place, preset in SURFACES.items():
        job = jobs[preset]
        rates = {label: job.settings("lr", label) for label in ("sgd", "momentum")}
        updates = {label: _updates(job, label) for label in rates}
        fastest = {label: updates[label].min() for label in rates}
        quantities += [
            number(f"best rate of {label}, {place}", rates[label][updates[label].argmin()]) for label in rates
        ]
        found = {"with each at its best rate": fastest}
        if place in TEXT_RATE:
            found[f"at the text's rate {TEXT_RATE[place]:g}"] = {
                label: _updates(job, f"{label}, text's rate")[0] for label in rates
            }
        for reading, of_label in found.items():
            times = of_label["sgd"] / of_label["momentum"] if np.isfinite(of_label["momentum"]) else 0.0
            quantities.append(number(f"speed-up {reading}, {place}", times))
            readings[f"measured on {place} {reading}"] = bool(STATED[0] <= times <= STATED[1])
        summary.append(f"{place} {' and '.join(f'{one.value:.3g}' for one in quantities[-len(found) :])}")
        if place == "the ravine":
            curves = [curve(label, rates[label], updates[label]) for label in rates]
            title = f"Updates until the loss of {place} stays below {TARGET:g}"
            figures.append(Figure(title, "learning rate", "updates", curves, log_x=True))
    of_flipnet, about, figure = _on_flipnet(jobs[FLIPNET])
    quantities += about
    for reading, quantity in of_flipnet.items():
        readings[reading] = between(quantity, *STATED)
        quantities.append(quantity)
    summary.append(f"FlipNet {' and '.join(spanned(quantity) for quantity in of_flipnet.values())}")
    otherwise = f"updates of SGD by those of momentum, best rates and text's rate: {', '.join(summary)}"
    return concluded(readings, quantities, otherwise, [*figures, figure])


def _on_flipnet(job: Evidence) -> tuple[dict[str, Quantity], list[Quantity], Figure]:
    """Return the speed-up on FlipNet at chosen rates, by the judging seeds, and at the text's rate, by all seeds."""
    budget = float(job.epochs[-1])
    epochs, best, curves = {}, {}, []
    for label in ("sgd", "momentum"):
        epochs[label] = first_reached(job.epochs, job.values("loss", label), FLIPNET_TARGET)
        rates = np.unique(job.settings("lr", label)).tolist()
        of_rate = [epochs[label][job.with_setting(label, lr) & ~job.judging(label)] for lr in rates]
        expected = [expected_epochs(of[:, None], budget) for of in of_rate]
        best[label] = rates[int(np.argmin(expected))]
        curves.append(curve(label, rates, expected))
    text, found = TEXT_RATE["FlipNet"], {}
    about = [number(f"chosen rate of {label}, FlipNet", lr) for label, lr in best.items()]
    for reading, rates_of in (
        ("with each at its best rate", best),
        (f"at the text's rate {text:g}", dict.fromkeys(best, text)),
    ):
        times = {}
        for label, lr in rates_of.items():
            runs = job.with_setting(label, lr)
            times[label] = epochs[label][runs & job.judging(label) if rates_of is best else runs]
            name = f"share of seeds in which {label} reaches {FLIPNET_TARGET} on FlipNet {reading}"
            about.append(share(name, np.isfinite(times[label])))
        ratios = speedup(f"speed-up {reading}, FlipNet", times["momentum"], times["sgd"], budget, among=2)
        found[f"measured on FlipNet {reading}"], capped = ratios
        about.append(capped)
    title = f"Expected epochs until the loss of FlipNet is below {FLIPNET_TARGET:g}"
    return found, about, Figure(title, "learning rate", "epochs", curves, log_x=True)


def _curvature(jobs: Mapping[str, Evidence]) -> Finding:
    steps: dict[str, list[float]] = {"sgd, best": [], "momentum, best": []}
    quantities = []
    for condition in CONDITIONS:
        job = jobs["curvature" if condition == 10 else f"curvature-{condition}"]
        for label, of_label in steps.items():
            of_label.append(float(_updates(job, label)[0]))
            quantities.append(number(f"updates, {label}, condition number {condition}", of_label[-1]))
        best = best_settings("sgd", 1.0, float(condition))
        assert best is not None
        # Both directions shrink at the same rate, so the loss is ½(1 + κ)·rate^(2k).
        exact = np.ceil(np.log(TARGET / (0.5 * (1 + condition))) / (2 * np.log(best.rate)))
        quantities.append(number(f"theory: updates, sgd, best, condition number {condition}", exact))
    growth = {label: np.diff(np.log10(of_label)) for label, of_label in steps.items()}
    for label, decades in growth.items():
        for condition, times in zip(CONDITIONS[1:], 10**decades, strict=True):
            quantities.append(number(f"updates at {condition} by those at {condition // 10}, {label}", times))
    ratios = [slow / fast for slow, fast in zip(*steps.values(), strict=True)]
    quantities += [
        number(f"updates of SGD divided by those of momentum, condition number {condition}", times)
        for condition, times in zip(CONDITIONS, ratios, strict=True)
    ]
    parts = {
        "ten times the ratio costs SGD at least five times the updates": bool((10 ** growth["sgd, best"] >= 5).all()),
        "at 100 and 1000 SGD needs more updates than momentum": min(ratios[1:]) > 1,
    }
    curves = [curve(label, CONDITIONS, of_label) for label, of_label in steps.items()]
    title = "Updates to a loss of 0.001 at the best settings"
    return together(parts, quantities, figures=[Figure(title, "condition number", "updates", curves, log_x=True)])


def _nesterov(jobs: Mapping[str, Evidence]) -> Finding:
    quantities: list[Quantity] = []
    readings: dict[str, Reading] = {}
    summary = []
    for place, preset in {"the ravine": "nesterov-5-10", "Rosenbrock's function": "nesterov-5-10-rosenbrock"}.items():
        slow, fast = (_updates(jobs[preset], label) for label in ("momentum", "nesterov"))
        # From a start where one does not arrive nothing is saved or everything is: neither is 5 to 10 %.
        arrive = np.isfinite(slow) & np.isfinite(fast)
        saved = 1 - fast[arrive] / slow[arrive]
        inside = (saved >= SAVED[0]) & (saved <= SAVED[1])
        quantities += [
            number(f"starts on {place}", len(slow)),
            number(f"starts on {place} from which both arrive", arrive.sum()),
            number(f"starts on {place} from which Nesterov saves 5 to 10 %", inside.sum()),
        ]
        if arrive.any():
            for name, value in zip(("least", "median", "most"), np.quantile(saved, [0, 0.5, 1]), strict=True):
                quantities.append(number(f"saved on {place}, in per cent, {name} of these starts", 100 * value))
        readings[f"measured on {place} from most of {len(slow)} starts"] = bool(inside.sum() > len(slow) / 2)
        summary.append(f"5 to 10 % are saved from {inside.sum()} of {len(slow)} starts on {place}")
    job = jobs["nesterov-5-10-flipnet"]
    epochs = {
        label: first_reached(job.epochs, job.values("loss", label), FLIPNET_TARGET)
        for label in ("nesterov", "momentum")
    }
    expected, capped = (
        _saved(times) for times in speedup("FlipNet", epochs["nesterov"], epochs["momentum"], float(job.epochs[-1]))
    )
    quantities += [expected, capped]
    readings["measured on FlipNet"] = between(expected, 100 * SAVED[0], 100 * SAVED[1])
    summary.append(f"{spanned(expected)} % on FlipNet")
    quantities += [
        number(f"seeds of {len(of)} in which {label} reaches {short(FLIPNET_TARGET)} on FlipNet", np.isfinite(of).sum())
        for label, of in epochs.items()
    ]
    job = jobs["nesterov-5-10"]
    curves = [curve(label, job.epochs, job.values("loss", label)) for label in ("momentum", "nesterov")]
    figures = [Figure("The ravine at rate 0.015, 36 starts", "update", "loss", curves)]
    return concluded(readings, quantities, "; ".join(summary), figures)


def _saved(times: Quantity) -> Quantity:
    """Return a ratio of times as the share that is saved, in per cent."""
    value, low, high = (None if end is None else 100 * (1 - 1 / end) for end in (times.value, times.low, times.high))
    return Quantity(f"saved on {times.name}, in per cent", value, low, high, times.interval)


LESSONS = (
    Lesson(
        "speedup-3-5",
        ("B",),
        "β = 0.9 gives about 3 to 5 times faster convergence than SGD.",
        "Updates of SGD divided by those of momentum, from 2.7 to 5.5: with each at its best rate on five surfaces and "
        "on FlipNet, and at the text's rate where it has one. On surfaces, without noise: updates until the loss stays "
        "below 0.001, one exact number. On FlipNet: expected epochs until the loss is below 0.18, misses included; the "
        "best rates are chosen by 40 of 80 seeds, and the interval over the other 40 (all 80 at the text's rate) must "
        "lie in this range.",
        (*SURFACES.values(), FLIPNET),
        ("loss",),
        _speedup,
        "The best rates compare what each method can do, the text's rate repeats its example. No other rate is "
        "judged, because at some rate nearly any ratio occurs. 0.18 is the text's loss of SGD after ten epochs.",
    ),
    Lesson(
        "curvature",
        ("B",),
        "On surfaces with curvature ratios of 100 or 1000 SGD is slow.",
        "Updates until the loss stays below 0.001 on quadratics, one exact number each, both methods at the best "
        "settings by theory: from 10 to 100 and from 100 to 1000 SGD's updates grow at least five-fold, and at 100 and "
        "1000 they exceed those of momentum.",
        ("curvature", "curvature-100", "curvature-1000"),
        ("loss",),
        _curvature,
        '"Slow" is read as nearly proportional growth; half of it, five-fold per decade, is the bound. The text adds '
        "that real surfaces have such ratios. This is not judged: the Hessian of a network with redundant weights has "
        "zero eigenvalues, and a ratio needs the smallest one.",
    ),
    Lesson(
        "nesterov-5-10",
        ("B",),
        "Nesterov converges 5 to 10 % faster than momentum at no extra cost.",
        "The share of updates that Nesterov saves at equal rate and β = 0.9 lies from 5 to 10 %. On two surfaces, "
        "without noise: until the loss stays below 0.001, from more than half of 36 starts. On FlipNet: expected "
        "epochs until the loss is below 0.18, misses included; the interval over 1,000 seeds must lie in the range.",
        ("nesterov-5-10", "nesterov-5-10-rosenbrock", "nesterov-5-10-flipnet"),
        ("loss",),
        _nesterov,
        "The text compares both at the same settings. Starts are instances, so that they are counted. The cost needs "
        "no measurement: both take one gradient per update and keep one number per parameter.",
    ),
)
