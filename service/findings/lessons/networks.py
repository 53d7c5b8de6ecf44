"""Lessons on image classifiers: test accuracy, learning rates, sharpness and warm-up."""

from collections.abc import Mapping

import numpy as np

from service.analysis.descent import first_reached
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Figure, Finding, Quantity, band, curve, difference, number, signed
from service.findings.lessons.judging import concluded
from service.findings.lessons.lesson import Lesson

Runs = np.ndarray
# "Matches" means worse by at most one percentage point.
MARGIN = 0.01
DEFAULT_RATE = 1e-3


def _by_rate(job: Evidence, label: str) -> dict[float, np.ndarray]:
    """Return the indices of the runs of a label by rate."""
    rates = job.settings("lr", label)
    return {float(lr): np.flatnonzero(rates == lr) for lr in np.unique(rates)}


def _best(job: Evidence, label: str, field: str, *, largest: bool) -> float:
    """Return the rate with the best mean of a field at the end; diverged runs count as the worst."""
    ends = job.values(field, label)[:, -1]
    ends = np.where(np.isfinite(ends), ends, -np.inf if largest else np.inf)
    means = {lr: float(ends[runs].mean()) for lr, runs in _by_rate(job, label).items()}
    return (max if largest else min)(means, key=lambda lr: means[lr])


def _end(job: Evidence, label: str, field: str, lr: float) -> np.ndarray:
    return np.asarray(job.values(field, label)[_by_rate(job, label)[lr], -1])


def _above(gap: Quantity) -> bool:
    return gap.low is not None and gap.low > 0


def _below(gap: Quantity) -> bool:
    return gap.high is not None and gap.high < 0


def _train_and_test(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["train-and-test"]
    own = {label: _best(job, label, "loss", largest=False) for label in ("sgd", "momentum")}
    shared = sorted(set(_by_rate(job, "sgd")) & set(_by_rate(job, "momentum")))
    pairs = {f"both have the rate {lr:g}": (lr, lr) for lr in shared}
    pairs["each has the rate of its lowest training loss"] = (own["sgd"], own["momentum"])
    quantities = [number(f"rate of the lowest training loss, {label}", lr) for label, lr in own.items()]
    readings = {}
    for reading, (plain, fast) in pairs.items():
        runs = {label: _by_rate(job, label)[lr] for label, lr in (("sgd", plain), ("momentum", fast))}
        epochs = {label: first_reached(job.epochs, job.values("loss", label)[at], 0.2) for label, at in runs.items()}
        loss, accuracy = (
            difference(
                f"{title}, momentum less SGD, if {reading}",
                _end(job, "momentum", field, fast),
                _end(job, "sgd", field, plain),
            )
            for title, field in (("training loss", "loss"), ("test accuracy", "test_accuracy"))
        )
        quantities += [loss, accuracy]
        quantities += [band(f"epochs to a loss of 0.2, {label}, if {reading}", of) for label, of in epochs.items()]
        faster = float(np.median(epochs["momentum"])) < float(np.median(epochs["sgd"]))
        readings[reading] = faster and _below(loss) and _above(accuracy)
    curves = [
        curve(f"{label}, rate {lr:g}", job.epochs, job.values("loss", label)[_by_rate(job, label)[lr]])
        for label, lr in (("sgd", 0.03), ("momentum", 0.03), ("sgd", own["sgd"]), ("momentum", own["momentum"]))
    ]
    return concluded(readings, quantities, figures=[Figure("Digits, mlp, 20 seeds", "epoch", "training loss", curves)])


def _default(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["adam-default"]
    quantities: list[Quantity] = []
    readings, figures, summary = {}, [], []
    for reading, field in (("measured by the training loss", "loss"), ("measured by the test loss", "test_loss")):
        width, default, curves = {}, 0.0, []
        for label in ("adam", "momentum"):
            ends = job.ends(field, label)
            median = {lr: float(np.median(ends[runs])) for lr, runs in _by_rate(job, label).items()}
            rates, losses = np.array(list(median)), np.array(list(median.values()))
            best = int(losses.argmin())
            inside = losses <= 1.1 * losses[best]
            low = best - int((~inside[best::-1]).argmax() if not inside[best::-1].all() else best + 1) + 1
            high = best + int((~inside[best:]).argmax() if not inside[best:].all() else len(rates) - best) - 1
            width[label] = float(np.log10(rates[high] / rates[low]))
            quantities.append(number(f"best rate of {label}, {field}", rates[best]))
            quantities.append(number(f"decades of rates within 10 % of the best {field}, {label}", width[label]))
            if label == "adam":
                default = losses[int(np.abs(np.log(rates / DEFAULT_RATE)).argmin())] / losses[best]
                quantities.append(number(f"{field} of Adam at its default rate, relative to its best", default))
            curves.append(curve(label, rates[np.isfinite(losses)], losses[np.isfinite(losses)]))
        figures.append(Figure(f"Digits, mlp: {field} after 15 epochs", "learning rate", field, curves, log_x=True))
        readings[reading] = default <= 1.1 and width["adam"] > width["momentum"]
        summary.append((field, default, width["adam"], width["momentum"]))
    accuracy = {label: job.values("test_accuracy", label)[:, -1] for label in ("adam", "momentum")}
    means = {
        label: {lr: float(np.nan_to_num(accuracy[label][runs]).mean()) for lr, runs in _by_rate(job, label).items()}
        for label in accuracy
    }
    near = {label: sum(mean >= max(of.values()) - MARGIN for mean in of.values()) for label, of in means.items()}
    at_default = next(mean for lr, mean in means["adam"].items() if np.isclose(lr, DEFAULT_RATE))
    quantities.append(number("test accuracy of Adam at its default rate", at_default))
    for label in near:
        quantities.append(number(f"best test accuracy of {label}", max(means[label].values())))
        title = f"rates (of 21) within one percentage point of the best test accuracy, {label}"
        quantities.append(number(title, near[label]))
    readings["measured by the test accuracy, to one percentage point"] = (
        at_default >= max(means["adam"].values()) - MARGIN and near["adam"] > near["momentum"]
    )
    (field, times, *_), (_, _, wide, narrow) = summary
    otherwise = (
        f"at its default rate Adam's {field} is {times:.1f} times its best; its test loss is within 10 % of its best "
        f"over {wide:.2g} decades of rates, momentum's over {narrow:.2g}"
    )
    return concluded(readings, quantities, otherwise, figures)


def _sharp(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["adam-sharp"]
    quantities, readings, summary = [], {}, []
    for reading, field, largest in (
        ("each has the rate of its best test accuracy", "test_accuracy", True),
        ("each has the rate of its lowest training loss", "loss", False),
    ):
        lr = {label: _best(job, label, field, largest=largest) for label in ("momentum", "adam")}
        sharpness = {label: _end(job, label, "sharpness", lr[label]) for label in lr}
        quantities += [number(f"rate of {label}, if {reading}", lr[label]) for label in lr]
        quantities += [band(f"sharpness, {label}, if {reading}", sharpness[label]) for label in lr]
        ratio = difference(
            f"log₁₀ sharpness, Adam less momentum, if {reading}",
            np.log10(sharpness["adam"]),
            np.log10(sharpness["momentum"]),
        )
        accuracy = difference(
            f"test accuracy, Adam less momentum, if {reading}",
            *(_end(job, label, "test_accuracy", lr[label]) for label in ("adam", "momentum")),
        )
        quantities += [ratio, accuracy]
        summary.append(f"{signed(ratio)} in log₁₀ sharpness and {signed(accuracy)} in test accuracy if {reading}")
        readings[reading] = _above(ratio) and _below(accuracy)
    return concluded(readings, quantities, f"Adam less momentum: {'; '.join(summary)}")


def _cosine(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["cosine"]
    best = {
        label: _best(job, label, "test_accuracy", largest=True)
        for label in ("momentum, cosine", "adam", "adam, cosine")
    }
    accuracy = {label: _end(job, label, "test_accuracy", lr) for label, lr in best.items()}
    quantities = [number(f"best rate, {label}", lr) for label, lr in best.items()]
    quantities += [band(f"test accuracy, {label}", of) for label, of in accuracy.items()]
    readings = {}
    for reading, label in (("Adam keeps its rate", "adam"), ("Adam has a cosine rate too", "adam, cosine")):
        gap = difference(
            f"test accuracy, momentum with cosine less {label}", accuracy["momentum, cosine"], accuracy[label]
        )
        quantities.append(gap)
        readings[reading] = gap.low is not None and gap.low > -MARGIN
    return concluded(readings, quantities, "the interval of the difference reaches below −1 percentage point")


def _warmup(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["warmup"]
    labels = ("none", "rate", "momentum")
    loss = {label: np.nan_to_num(job.values("loss", label), nan=np.inf) for label in labels}
    quantities, readings = [], {}
    for lr, runs in _by_rate(job, "none").items():
        largest = {label: loss[label][runs].max(axis=1) for label in labels}
        quantities += [band(f"largest loss, rate {lr:g}, warm-up: {label}", largest[label]) for label in labels]
        for label in labels[1:]:
            gap = difference(
                f"log₁₀ of the largest loss, rate {lr:g}, warm-up of the {label} less none",
                np.log10(largest[label]),
                np.log10(largest["none"]),
            )
            quantities.append(gap)
            readings[f"the {label} is warmed up and the rate is {lr:g}"] = _below(gap)
    last = _by_rate(job, "none")[1.0]
    curves = [curve(f"warm-up: {label}", job.epochs, loss[label][last]) for label in labels]
    figures = [Figure("Digits, resnet, rate 1, 8 seeds", "update", "loss", curves)]
    return concluded(readings, quantities, "no interval of a difference lies below 0", figures)


LESSONS = (
    Lesson(
        "train-and-test",
        ("N",),
        "With momentum: faster, lower training loss, higher test accuracy.",
        "Digits, mlp, 15 epochs, 20 seeds: median epochs to a loss of 0.2 are fewer, and the 95 % intervals of the "
        "final differences lie below 0 (training loss) and above 0 (test accuracy); at each shared rate, and at "
        "each one's best.",
        ("train-and-test",),
        ("loss", "test_accuracy"),
        _train_and_test,
    ),
    Lesson(
        "adam-default",
        ("A", "B"),
        "Adam works at its default rate and tolerates a wrong rate; SGD with momentum must be tuned.",
        "Digits, mlp, 21 rates over five decades: at 0.001 Adam is within 10 % of its best loss (median of 5 "
        "seeds), and its band of rates within 10 % is wider, in decades, than momentum's; or the same with one "
        "percentage point of test accuracy.",
        ("adam-default",),
        ("loss", "test_loss", "test_accuracy"),
        _default,
    ),
    Lesson(
        "adam-sharp",
        ("B",),
        "Adam ends in sharper minima and generalises worse than SGD with momentum on images.",
        "Digits, cnn, 20 seeds: the 95 % intervals of the differences, Adam less momentum, lie above 0 for the "
        "logarithm of the sharpness and below 0 for test accuracy, with each at its best rate of three.",
        ("adam-sharp",),
        ("loss", "test_accuracy", "sharpness"),
        _sharp,
    ),
    Lesson(
        "cosine",
        ("L",),
        "SGD with momentum and a cosine rate matches or beats Adam.",
        "Digits, cnn, augmented, 20 seeds, three rates each: the 95 % interval of the difference in test accuracy, "
        "each at its best rate, lies above −1 percentage point.",
        ("cosine",),
        ("test_accuracy",),
        _cosine,
    ),
    Lesson(
        "warmup",
        ("L", "B"),
        "A warm-up of the rate or of the momentum stabilises the first steps.",
        "Digits, resnet, three rates, 8 seeds: the 95 % interval of the difference (with a warm-up over 20 updates "
        "minus without) in the logarithm of the largest loss of the first 50 updates lies below 0.",
        ("warmup",),
        ("loss",),
        _warmup,
    ),
)
