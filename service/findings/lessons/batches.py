"""Lessons on batch size: its effect on the descent and on test accuracy."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

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
)
from service.findings.lessons.judging import ABOUT, POINT, concluded, every, greater, less, together
from service.findings.lessons.lesson import Lesson
from service.jobs.specs import spec_of
from service.spec.presets.digits import BATCHES as DIGITS_BATCHES
from service.spec.presets.digits import FLAVOURS
from service.spec.presets.flipnet import BATCHES as FLIPNET_BATCHES

# Rounding in float32 of the difference of two positions.
EXACT = 1e-3


def _flavours(jobs: Mapping[str, Evidence]) -> Finding:
    quantities: list[Quantity] = []
    parts: dict[str, Reading] = {}
    figures = []
    places: dict[str, dict[int | str, Evidence]] = {
        "digits": {size: jobs["three-flavours" if size == 1 else f"three-flavours-{size}"] for size in FLAVOURS},
        "FlipNet": {size: jobs[f"three-flavours-flipnet-{size}"] for size in FLIPNET_BATCHES},
    }
    # Neighbouring sizes are compared on both problems at once.
    among = sum(len(of_place) - 1 for of_place in places.values())
    for title, of_place in places.items():
        smallest, *_, whole = of_place
        updates = {size: spec_of(job).updates_per_epoch for size, job in of_place.items()}
        variance = {size: job.values("gradient_variance", "sgd") for size, job in of_place.items()}
        for size, count in updates.items():
            quantities.append(number(f"updates per epoch, batch {size}, {title}", count))
            quantities.append(band(f"variance of the first gradient, batch {size}, {title}", variance[size][:, 0]))
        off = _off_gradient(of_place[whole])
        quantities.append(number(f"largest relative difference of a step from rate × gradient, {title}", off))
        parts[f"batch descent takes one exact step per epoch ({title})"] = updates[whole] == 1 and off <= EXACT
        noisy = updates[smallest] > 1 and bool((variance[smallest][:, 0] > 0).all())
        parts[f"single examples give many steps with noise ({title})"] = noisy
        descent = {size: _descent(job) for size, job in of_place.items()}
        faster: list[Reading] = []
        for smaller, larger in pairwise(of_place):
            name = f"mean descent over epochs, batch {smaller} by batch {larger}, {title}"
            quantities.append(ratio(name, descent[smaller], descent[larger], among))
            faster.append(greater(quantities[-1], 1, ABOUT))
        parts[f"per epoch the smaller batch descends faster ({title})"] = every(*faster)
        curves = [curve(f"batch {size}", job.epochs, job.values("loss", "sgd")) for size, job in of_place.items()]
        figures.append(Figure(f"SGD on {title}", "epoch", "loss", curves))
    return together(parts, quantities, figures=figures)


def _off_gradient(job: Evidence) -> float:
    """Return how far the norm of an epoch's change is from the rate times the norm of the full gradient, at most."""
    lr_R1 = job.settings("lr", "sgd")[:, None]
    steps_RE, gradient_RE = job.values("update_norm", "sgd"), job.values("grad_norm", "sgd")
    return float(np.abs(steps_RE[:, 1:] / (lr_R1 * gradient_RE[:, :-1]) - 1).max())


def _descent(job: Evidence) -> np.ndarray:
    """Return the loss at the start less the mean loss over the epochs [R]; a loss that is not finite is the start."""
    loss_RE = job.values("loss", "sgd")
    loss_RE = np.where(np.isfinite(loss_RE), loss_RE, loss_RE[:, :1])
    return np.asarray(loss_RE[:, 0] - np.trapezoid(loss_RE, job.epochs, axis=1) / (job.epochs[-1] - job.epochs[0]))


def _large(jobs: Mapping[str, Evidence]) -> Finding:
    of_size: dict[int | str, Evidence] = {
        size: jobs["large-batch" if size == 8 else f"large-batch-{size}"] for size in DIGITS_BATCHES
    }
    accuracy = {size: job.outcomes("test_accuracy", "equal") for size, job in of_size.items()}
    quantities = [band(f"test accuracy, batch {size}, rate 0.03, β 0.9", of) for size, of in accuracy.items()]
    small = accuracy[8]
    readings: dict[str, Reading] = {}
    summary = []
    for reading, job in {"equal epochs": of_size["full"], "equal updates": jobs["large-batch-long"]}.items():
        full = job.outcomes("test_accuracy", "equal")
        lr = job.chosen("loss", "corrected")
        judging = job.judging("equal")
        runs = job.with_setting("corrected", lr) & job.judging("corrected")
        corrected = job.outcomes("test_accuracy", "corrected")[runs]
        worse = difference(f"full batch less batch 8, {reading}", full, small, 2)
        better = difference(f"full batch, corrected less not corrected, {reading}", corrected, full[judging], 2)
        mended = difference(f"full batch, corrected, less batch 8, {reading}", corrected, small[judging], 2)
        quantities += [
            band(f"test accuracy, full batch, {reading}", full),
            number(f"chosen lower rate with β 0.97, {reading}", lr),
            worse,
            better,
            mended,
        ]
        readings[f"{reading} are meant"] = every(less(worse, 0, POINT), greater(better), greater(mended, -POINT))
        summary.append(
            f"at {reading} the full batch differs by {spanned(worse)}, the corrected one by {spanned(mended)}"
        )
    sizes = [of_size[8].spec["problem"]["train_size"] if size == "full" else size for size in of_size]
    middle = [float(np.median(of)) for of in accuracy.values()]
    title = "Digits, rate 0.03, β 0.9, equal epochs"
    figures = [Figure(title, "batch size", "test accuracy", [curve("median", sizes, middle)], log_x=True, log_y=False)]
    return concluded(readings, quantities, "; ".join(summary), figures)


LESSONS = (
    Lesson(
        "three-flavours",
        ("A", "B"),
        "Batch descent takes one exact step per epoch. SGD takes many noisy steps and descends faster per epoch. "
        "Mini-batches lie between them.",
        "Digits (12 seeds) and FlipNet (20 seeds) at one rate. A step of the full batch is exact if its length is the "
        "rate times the norm of the full gradient, to 0.001. SGD with single examples takes several steps an epoch and "
        "its gradients vary. The descent is the loss at the start less the mean loss over the epochs: between "
        "neighbouring batch sizes the interval of its ratio, smaller by larger batch, lies above 1 and not within a "
        "tenth of it.",
        (
            *("three-flavours" if size == 1 else f"three-flavours-{size}" for size in FLAVOURS),
            *(f"three-flavours-flipnet-{size}" for size in FLIPNET_BATCHES),
        ),
        ("loss", "gradient_variance", "grad_norm", "update_norm"),
        _flavours,
        "The mean descent over all epochs depends on no chosen epoch or target. The rate is small enough for single "
        "examples, so that the same rate is fair to all sizes.",
    ),
    Lesson(
        "large-batch",
        ("L",),
        "Large batches generalise worse; a lower rate and more momentum correct this.",
        "Test accuracy on the digits, 24 seeds: the full batch against 15 epochs of batches of 8 at rate 0.03 and β "
        "0.9, for as many epochs or as many updates. Corrected means β 0.97 and the rate, 0.003 or 0.01, that 12 seeds "
        "choose by training loss; the other 12 judge it. By intervals the full batch is worse, and not within one "
        "percentage point; the corrected one is better than it, and at most one percentage point worse than batches "
        "of 8.",
        (*("large-batch" if size == 8 else f"large-batch-{size}" for size in DIGITS_BATCHES), "large-batch-long"),
        ("loss", "test_accuracy"),
        _large,
        "The text does not say what is kept equal, so that both are judged: equal epochs cost the same computation, "
        "equal updates train as far. Differences of one percentage point count as none.",
    ),
)
