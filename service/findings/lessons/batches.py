"""Lessons on batch size: its effect on the descent and on test accuracy."""

from collections.abc import Mapping

import numpy as np

from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Figure, Finding, Quantity, band, curve, difference, number, said, signed
from service.findings.lessons.judging import concluded, together
from service.findings.lessons.lesson import Lesson
from service.jobs.specs import spec_of
from service.spec.presets.digits import BATCHES as DIGITS_BATCHES
from service.spec.presets.digits import FLAVOURS
from service.spec.presets.flipnet import BATCHES as FLIPNET_BATCHES

EQUAL_RATE, EQUAL_BETA = 0.03, 0.9
MORE = 0.97


def _flavours(jobs: Mapping[str, Evidence]) -> Finding:
    quantities: list[Quantity] = []
    parts, figures = {}, []
    digits: dict[int | str, Evidence] = {
        size: jobs["three-flavours" if size == 1 else f"three-flavours-{size}"] for size in FLAVOURS
    }
    flipnet: dict[int | str, Evidence] = {size: jobs[f"three-flavours-flipnet-{size}"] for size in FLIPNET_BATCHES}
    for title, of_problem in (("digits", digits), ("FlipNet", flipnet)):
        sizes = list(of_problem)
        updates = {size: spec_of(job).updates_per_epoch for size, job in of_problem.items()}
        loss = {size: job.values("loss", "sgd") for size, job in of_problem.items()}
        variance = {size: job.values("gradient_variance", "sgd")[:, 0] for size, job in of_problem.items()}
        early = len(loss[sizes[0]][0]) // 2
        for size in sizes:
            quantities.append(number(f"updates per epoch, batch {size}, {title}", updates[size]))
            quantities.append(band(f"loss after {early} epochs, batch {size}, {title}", loss[size][:, early]))
        quantities.append(number(f"variance of the gradient, batch {sizes[-1]}, {title}", variance[sizes[-1]].max()))
        examples = spec_of(of_problem[sizes[0]]).problem.num_examples or 1
        # Drawn without replacement from N examples: (N − B) / (B·(N − 1)) of the variance of one.
        expected = (examples - 4) / (4 * (examples - 1))
        ratio = float(np.median(variance[4] / variance[1]))
        quantities.append(said(f"variance of batches of 4 over single examples, {title}", ratio, expected, 1e-3))
        parts[f"batch descent takes one step per epoch, without noise ({title})"] = (
            updates[sizes[-1]] == 1 and variance[sizes[-1]].max() < 1e-12 * variance[sizes[0]].max()
        )
        middle = [float(np.median(loss[size][:, early])) for size in sizes]
        parts[f"per epoch the smaller batch descends faster ({title})"] = middle == sorted(middle)
        parts[f"the variance falls with 1/B, as for draws without replacement ({title})"] = bool(quantities[-1].agrees)
        curves = [curve(f"batch {size}", of_problem[size].epochs, loss[size]) for size in sizes]
        figures.append(Figure(f"SGD on {title}", "epoch", "loss", curves))
    return together(parts, quantities, figures=figures)


def _accuracy(job: Evidence, lr: float, beta: float) -> np.ndarray:
    chosen = np.isclose(job.settings("lr"), lr) & np.isclose(job.settings("momentum"), beta)
    return np.asarray(job.values("test_accuracy")[chosen, -1])


def _large(jobs: Mapping[str, Evidence]) -> Finding:
    of_size: dict[int | str, Evidence] = {
        size: jobs["large-batch" if size == 8 else f"large-batch-{size}"] for size in DIGITS_BATCHES
    }
    quantities = [
        band(f"test accuracy, batch {size}, rate 0.03, β 0.9", _accuracy(job, EQUAL_RATE, EQUAL_BETA))
        for size, job in of_size.items()
    ]
    small = _accuracy(of_size[8], EQUAL_RATE, EQUAL_BETA)
    readings, summary = {}, []
    for reading, job in {"equal epochs": of_size["full"], "equal updates": jobs["large-batch-long"]}.items():
        full = _accuracy(job, EQUAL_RATE, EQUAL_BETA)
        worse = difference(f"full batch less batch 8, {reading}", full, small)
        lower = [lr for lr in np.unique(job.settings("lr")).tolist() if lr < EQUAL_RATE]
        corrected = [
            difference(
                f"full batch at {lr:g} and β 0.97 less 0.03 and β 0.9, {reading}", _accuracy(job, lr, MORE), full
            )
            for lr in lower
        ]
        quantities += [band(f"test accuracy, full batch, {reading}", full), worse, *corrected]
        is_worse, is_corrected = (worse.high or 0) < 0, any((one.low or 0) > 0 for one in corrected)
        readings[f"{reading} are meant"] = is_worse and is_corrected
        most = max(corrected, key=lambda one: one.value or 0)
        summary.append(
            f"at {reading} the full batch differs by {signed(worse)}, and a lower rate with β 0.97 adds {signed(most)}"
        )
    raised = _accuracy(of_size["full"], 0.1, MORE)
    full = _accuracy(of_size["full"], EQUAL_RATE, EQUAL_BETA)
    quantities.append(difference("full batch at 0.1 and β 0.97 less 0.03 and β 0.9, equal epochs", raised, full))
    middle = [float(np.median(_accuracy(job, EQUAL_RATE, EQUAL_BETA))) for job in of_size.values()]
    sizes = [700 if size == "full" else size for size in of_size]
    title = "Digits, rate 0.03, β 0.9, 20 epochs"
    figures = [Figure(title, "batch size", "test accuracy", [curve("median", sizes, middle)], log_x=True, log_y=False)]
    return concluded(readings, quantities, "; ".join(summary), figures)


LESSONS = (
    Lesson(
        "three-flavours",
        ("A", "B"),
        "Batch descent takes one exact step per epoch. SGD takes many noisy steps and descends faster per epoch. "
        "Mini-batches lie between them.",
        "Digits and FlipNet at one rate: updates per epoch, the order of the median losses after half of the epochs, "
        "and the variance of the first gradient. For batches drawn without replacement it is proportional to "
        "(N − B)/(B(N − 1)) (to 0.001).",
        (
            *("three-flavours" if size == 1 else f"three-flavours-{size}" for size in FLAVOURS),
            *(f"three-flavours-flipnet-{size}" for size in FLIPNET_BATCHES),
        ),
        ("loss", "gradient_variance"),
        _flavours,
    ),
    Lesson(
        "large-batch",
        ("L",),
        "Large batches generalise worse; a lower rate and more momentum correct this.",
        "Test accuracy on the digits, 10 seeds: the full batch against 20 epochs of batches of 8 at the same rate "
        "and β, for the same number of epochs and for the same number of updates; then at lower rates with β 0.97. "
        "The 95 % interval of each difference must lie on the claimed side of 0.",
        (*("large-batch" if size == 8 else f"large-batch-{size}" for size in DIGITS_BATCHES), "large-batch-long"),
        ("test_accuracy",),
        _large,
    ),
)
