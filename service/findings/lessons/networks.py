"""Lessons on image classifiers: momentum's effect on training and test results, and warm-up."""

from collections.abc import Mapping
from math import log

import numpy as np

from service.analysis.descent import first_reached
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import (
    Figure,
    Finding,
    Quantity,
    Reading,
    band,
    curve,
    difference,
    number,
    ratio,
    spanned,
    speedup,
)
from service.findings.lessons.judging import ABOUT, POINT, concluded, every, greater, less
from service.findings.lessons.lesson import Lesson
from service.spec.presets.digits import EQUAL_RATES, WARMUP_RATES

# A tenth of the loss of guessing one of ten digits.
TENTH = 0.1 * log(10)


def _train_and_test(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["train-and-test"]
    own = {label: job.chosen("loss", label) for label in ("sgd", "momentum")}
    quantities = [number(f"chosen rate, {label}", lr) for label, lr in own.items()]
    pairs = {f"both have the rate {lr:g}": dict.fromkeys(own, lr) for lr in EQUAL_RATES}
    pairs["each has its own best rate"] = own
    readings: dict[str, Reading] = {}
    summary = []
    for reading, rates in pairs.items():
        runs = {label: job.with_setting(label, lr) for label, lr in rates.items()}
        if rates is own:
            runs = {label: of & job.judging(label) for label, of in runs.items()}
        sooner, lower, higher = _compared(job, runs, reading, len(pairs))
        quantities += [sooner, lower, higher]
        readings[reading] = every(greater(sooner, 1, ABOUT), less(lower, 1, ABOUT), greater(higher, 0, POINT))
        summary.append(f"{spanned(sooner)}, {spanned(lower)} and {spanned(higher)} if {reading}")
    curves = [
        curve(f"{label}, rate {lr:g}", job.epochs, job.values("loss", label)[job.with_setting(label, lr)])
        for rates in (dict.fromkeys(own, EQUAL_RATES[0]), own)
        for label, lr in rates.items()
    ]
    otherwise = f"times fewer epochs, ratio of losses and difference in test accuracy are {'; '.join(summary)}"
    return concluded(
        readings, quantities, otherwise, [Figure("Digits, mlp, 40 seeds", "epoch", "training loss", curves)]
    )


def _compared(job: Evidence, runs: Mapping[str, np.ndarray], reading: str, among: int) -> tuple[Quantity, ...]:
    """Compare epochs to a target, final training loss and test accuracy of momentum and SGD."""
    epochs, loss, accuracy = {}, {}, {}
    for label, chosen in runs.items():
        epochs[label] = first_reached(job.epochs, job.values("loss", label)[chosen], TENTH)
        loss[label] = job.outcomes("loss", label)[chosen]
        accuracy[label] = job.outcomes("test_accuracy", label)[chosen]
    name = f"epochs to a tenth of the loss of guessing, SGD by momentum, if {reading}"
    sooner = speedup(name, epochs["momentum"], epochs["sgd"], float(job.epochs[-1]), among)[1]
    name = f"final training loss, momentum by SGD, if {reading}"
    lower = ratio(name, loss["momentum"], loss["sgd"], among)
    name = f"test accuracy, momentum less SGD, if {reading}"
    return sooner, lower, difference(name, accuracy["momentum"], accuracy["sgd"], among)


def _rise(loss_RE: np.ndarray) -> np.ndarray:
    """Return the largest ratio of a loss to the lowest loss before it, for each run."""
    before_RE = np.minimum.accumulate(loss_RE, axis=1)[:, :-1]
    return np.asarray((loss_RE[:, 1:] / before_RE).max(axis=1))


def _warmup(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["warmup"]
    labels = ("none", "rate", "momentum")
    loss = {label: np.nan_to_num(job.values("loss", label), nan=np.inf) for label in labels}
    quantities: list[Quantity] = []
    readings: dict[str, Reading] = {}
    summary = []
    among = len(WARMUP_RATES) * len(labels[1:])
    for lr in WARMUP_RATES:
        of_rate = {label: loss[label][job.with_setting(label, lr)] for label in labels}
        rise = {label: _rise(of) for label, of in of_rate.items()}
        for label in labels:
            quantities.append(band(f"largest rise of the loss, rate {lr:g}, warm-up: {label}", rise[label]))
            largest = of_rate[label][:, 1:].max(axis=1)
            quantities.append(band(f"largest loss after an update, rate {lr:g}, warm-up: {label}", largest))
        for label in labels[1:]:
            name = f"largest rise with a warm-up of the {label} by that without one, rate {lr:g}"
            smaller = ratio(name, rise[label], rise["none"], among)
            quantities.append(smaller)
            readings[f"the {label} is warmed up and the rate is {lr:g}"] = less(smaller, 1, ABOUT)
            summary.append(f"{spanned(smaller)} ({label}, rate {lr:g})")
    last = WARMUP_RATES[-1]
    curves = [curve(f"warm-up: {label}", job.epochs, loss[label][job.with_setting(label, last)]) for label in labels]
    figures = [Figure(f"Digits, resnet, rate {last:g}", "update", "loss", curves)]
    otherwise = f"largest rise of the loss relative to no warm-up: {', '.join(summary)}"
    return concluded(readings, quantities, otherwise, figures)


LESSONS = (
    Lesson(
        "train-and-test",
        ("N",),
        "With momentum: faster, lower training loss, higher test accuracy.",
        "Digits, mlp, 15 epochs, momentum 0.9 against SGD: epochs to a tenth of the loss of guessing (a miss counts as "
        "15), final training loss and test accuracy. For all three the interval over seeds lies on the stated side and "
        "not within a tenth or one percentage point of equality. At the equal rates 0.01 and 0.1 (40 seeds), and each "
        "at the best of five rates by training loss, chosen by 20 seeds and judged by the others.",
        ("train-and-test",),
        ("loss", "test_accuracy"),
        _train_and_test,
        "The text names no rate: a small and a large equal rate and a tuned comparison cover what it can mean. The "
        "statement has three parts, so that one part that fails refutes a reading.",
    ),
    Lesson(
        "warmup",
        ("L", "B"),
        "A warm-up of the rate or of the momentum stabilises the first steps.",
        "Digits, resnet, momentum 0.9, three rates, 24 seeds, 50 updates with the full batch: the largest ratio of the "
        "loss after an update to the lowest loss before it, with a warm-up over 20 updates by without. The interval "
        "lies below 1 and not within a tenth of it.",
        ("warmup",),
        ("loss",),
        _warmup,
        "Stable steps do not raise the loss. The largest loss itself would count against a warm-up, which stays near "
        "the start longer, and the start is common to both.",
    ),
)
