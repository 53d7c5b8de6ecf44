"""Lessons on Adam and SGD with momentum: learning rates, sharpness and test accuracy."""

from collections.abc import Mapping

import numpy as np

from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import (
    Figure,
    Finding,
    Reading,
    band,
    curve,
    difference,
    number,
    ratio,
    share,
    spanned,
)
from service.findings.lessons.judging import ABOUT, POINT, concluded, every, greater, less, together
from service.findings.lessons.lesson import Lesson
from service.findings.lessons.networks import TENTH

DEFAULT_RATE = 1e-3
ACCURACY = "test_accuracy"


def _judged(job: Evidence, label: str, lr: float, field: str) -> np.ndarray:
    """Return the outcomes of the judging seeds at a rate [N]."""
    return np.asarray(job.outcomes(field, label)[job.with_setting(label, lr) & job.judging(label)])


def _default(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["adam-default"]
    rates = np.unique(job.settings("lr", "adam")).tolist()
    at_default = int(np.abs(np.log(np.array(rates) / DEFAULT_RATE)).argmin())
    chosen = {label: job.chosen("loss", label) for label in ("adam", "momentum")}
    quantities = [number(f"chosen rate, {label}", lr) for label, lr in chosen.items()]
    readings: dict[str, Reading] = {}
    figures, summary = [], []
    for reading, field in (("measured by the training loss", "loss"), ("measured by the test accuracy", ACCURACY)):
        good, curves = {}, []
        for label, best in chosen.items():
            outcomes_MN = np.array([_judged(job, label, lr, field) for lr in rates])
            enough_N = _judged(job, label, best, ACCURACY) - POINT
            good[label] = outcomes_MN <= TENTH if field == "loss" else outcomes_MN >= enough_N
            curves.append(curve(label, rates, np.median(outcomes_MN, axis=1)))
            name = f"share of {len(rates)} rates that are good, {label}, {reading}"
            quantities.append(band(name, good[label].mean(axis=0)))
        works = share(f"share of seeds in which Adam is good at 0.001, {reading}", good["adam"][at_default], 2)
        share_N = {label: of.mean(axis=0) for label, of in good.items()}
        name = f"share of rates that are good, Adam less momentum, {reading}"
        wider = difference(name, share_N["adam"], share_N["momentum"], 2)
        quantities += [works, wider]
        readings[reading] = every(greater(works, 0.5), greater(wider))
        summary.append(
            f"{reading}, the share of seeds in which Adam is good at 0.001 is {spanned(works)} and its share of good "
            f"rates differs by {spanned(wider)}"
        )
        title = f"Digits, mlp, after 20 epochs, median of {len(share_N['adam'])} seeds"
        name = field.replace("_", " ")
        figures.append(Figure(title, "learning rate", name, curves, log_x=True, log_y=field == "loss"))
    return concluded(readings, quantities, "; ".join(summary), figures)


def _sharp(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["adam-sharp"]
    rates = {label: job.chosen("loss", label) for label in ("adam", "momentum")}
    quantities = [number(f"chosen rate, {label}", lr) for label, lr in rates.items()]
    loss, accuracy = (
        {label: _judged(job, label, lr, field) for label, lr in rates.items()} for field in ("loss", ACCURACY)
    )
    sharpness = {
        label: job.values("sharpness", label)[job.with_setting(label, lr) & job.judging(label), -1]
        for label, lr in rates.items()
    }
    quantities += [band(f"sharpness, {label}", of) for label, of in sharpness.items()]
    sharper = ratio("sharpness, Adam by momentum", sharpness["adam"], sharpness["momentum"])
    worse = difference("test accuracy, Adam less momentum", accuracy["adam"], accuracy["momentum"])
    quantities += [sharper, worse, ratio("final training loss, Adam by momentum", loss["adam"], loss["momentum"])]
    parts = {"Adam's minima are sharper": greater(sharper, 1, ABOUT), "Adam generalises worse": less(worse, 0, POINT)}
    otherwise = (
        f"Adam's sharpness is {spanned(sharper)} times momentum's, its test accuracy differs by {spanned(worse)}"
    )
    return together(parts, quantities, otherwise)


def _cosine(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["cosine"]
    rates = {label: job.chosen("loss", label) for label in ("momentum, cosine", "adam", "adam, cosine")}
    accuracy = {label: _judged(job, label, lr, ACCURACY) for label, lr in rates.items()}
    quantities = [number(f"chosen rate, {label}", lr) for label, lr in rates.items()]
    quantities += [band(f"test accuracy, {label}", of) for label, of in accuracy.items()]
    readings: dict[str, Reading] = {}
    summary = []
    for reading, label in (("Adam keeps its rate", "adam"), ("Adam has a cosine rate too", "adam, cosine")):
        name = f"test accuracy, momentum with cosine less {label}"
        gap = difference(name, accuracy["momentum, cosine"], accuracy[label], among=2)
        quantities.append(gap)
        readings[reading] = greater(gap, -POINT)
        summary.append(f"{spanned(gap)} if {reading}")
    return concluded(readings, quantities, f"test accuracy differs by {' and '.join(summary)}")


LESSONS = (
    Lesson(
        "adam-default",
        ("A", "B"),
        "Adam works at its default rate and tolerates a wrong rate; SGD with momentum must be tuned.",
        "Digits, mlp, 20 epochs, 21 rates over five decades: in most seeds Adam is good at 0.001, and the mean share "
        "of rates that are good is larger for Adam than for momentum 0.9. Good means a training loss of at most a "
        "tenth of that of guessing, or a test accuracy at most one percentage point below that at the method's best "
        "rate, which 16 seeds choose by training loss. The other 16 judge: the interval of the share of seeds lies "
        "above one half, that of the difference above 0.",
        ("adam-default",),
        ("loss", "test_accuracy"),
        _default,
        "Both methods have the same five decades of rates. The share of good rates is the chance that a rate drawn "
        "blindly works; it does not depend on the single best rate of a method.",
    ),
    Lesson(
        "adam-sharp",
        ("B",),
        "Adam ends in sharper minima and generalises worse than SGD with momentum on images.",
        "Digits, cnn, each at the best of four rates by training loss, chosen by 20 seeds, judged by 20 others: the "
        " interval of the ratio of the largest Hessian eigenvalues lies above 1 and that of the difference "
        "in test accuracy below 0. Differences within a tenth and one percentage point count as none.",
        ("adam-sharp",),
        ("loss", "test_accuracy", "sharpness"),
        _sharp,
        "Test data choose no rate: each method is tuned as in practice without them, with equal numbers of trials.",
    ),
    Lesson(
        "cosine",
        ("L",),
        "SGD with momentum and a cosine rate matches or beats Adam.",
        "Digits, cnn, augmented, each at the best of four rates by training loss, chosen by 20 seeds, judged by 20 "
        "others: the interval of the difference in test accuracy lies above −1 percentage point.",
        ("cosine",),
        ("loss", "test_accuracy"),
        _cosine,
        '"Matches" allows one percentage point, about four of the 360 test images. The claim can mean Adam with a '
        "constant rate or with the same schedule; both have the same trials and epochs.",
    ),
)
