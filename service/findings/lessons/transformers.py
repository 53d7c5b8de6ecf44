"""Lessons on a small transformer: AdamW, warm-up and accumulation."""

from collections.abc import Mapping

import numpy as np

from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Figure, Finding, Quantity, Reading, band, curve, number, ratio, spanned
from service.findings.lessons.identities import ROUNDING
from service.findings.lessons.judging import concluded, less, together
from service.findings.lessons.lesson import Lesson
from service.spec.presets.transformers import ADAMW_RATES

FIELDS = ("loss", "validation_loss", "test_loss")


def _adamw(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["transformer"]
    return _compared(job, "adamw", "momentum", {})


def _warmup(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["transformer-warmup"]
    largest = ADAMW_RATES[-1]
    runs = {label: job.with_setting(label, largest) for label in ("warm-up", "none")}
    name = f"training loss at the rate {largest:g}, warm-up by none"
    warmed, plain = (job.outcomes("loss", label)[of] for label, of in runs.items())
    found = ratio(name, warmed, plain, among=3)
    return _compared(job, "warm-up", "none", {f"both have the rate {largest:g}": found})


def _compared(job: Evidence, ours: str, theirs: str, more: Mapping[str, Quantity]) -> Finding:
    """Compare the losses of two labels, each at the rate that the validation loss chooses."""
    labels = (ours, theirs)
    rates = {label: job.chosen("validation_loss", label) for label in labels}
    judged = {label: job.with_setting(label, lr) & job.judging(label) for label, lr in rates.items()}
    quantities = [number(f"chosen rate, {label}", lr) for label, lr in rates.items()]
    found = dict(more)
    for field, word in (("test_loss", "test"), ("loss", "training")):
        losses = {label: job.outcomes(field, label)[judged[label]] for label in labels}
        quantities += [band(f"{word} loss, {label}", of) for label, of in losses.items()]
        name = f"{word} loss at the chosen rates, {ours} by {theirs}"
        found[f"measured by the {word} loss at the chosen rates"] = ratio(
            name, losses[ours], losses[theirs], among=2 + len(more)
        )
    readings: dict[str, Reading] = {reading: less(one, 1) for reading, one in found.items()}
    curves = [curve(label, job.epochs, job.values("test_loss", label)[judged[label]]) for label in labels]
    figure = Figure("Transformer, chosen rates", "epoch", "test loss", curves)
    summary = ", ".join(f"{spanned(one)} if {reading}" for reading, one in found.items())
    otherwise = f"ratio of losses {summary}"
    return concluded(readings, [*quantities, *found.values()], otherwise, [figure])


def _accumulation(jobs: Mapping[str, Evidence]) -> Finding:
    parts_of, whole = jobs["transformer-accumulation"], jobs["transformer-accumulation-batch"]
    fields = ("loss", "test_loss", "grad_norm", "distance_from_start")
    gaps = {name: float(np.nanmax(np.abs(parts_of.values(name) - whole.values(name)))) for name in fields}
    quantities = [number(f"largest difference of {name}", gap) for name, gap in gaps.items()]
    return together({"all recorded numbers agree to 1e-9": max(gaps.values()) <= ROUNDING}, quantities)


LESSONS = (
    Lesson(
        "transformer-adamw",
        ("ours",),
        "On a transformer AdamW reaches a lower loss than SGD with momentum, both tuned.",
        "A transformer of one layer on the synthetic text, 96 updates, five rates each, chosen by six seeds by the "
        "validation loss and judged by six others: the interval of the ratio of losses lies below 1.",
        ("transformer",),
        FIELDS,
        _adamw,
        "Both methods have five rates in steps of a half decade, with the best one inside. The ratio tells how much is "
        "gained, because with the same data order even a small gain is seen.",
    ),
    Lesson(
        "transformer-warmup",
        ("ours",),
        "A warm-up of the rate lowers the loss of AdamW on a transformer.",
        "A transformer of one layer on the synthetic text, AdamW, five rates, 96 updates with a warm-up over the first "
        "20 or without. Each at the rate chosen by six seeds by the validation loss, judged by six others; and both at "
        "the largest rate, 12 seeds. The interval of the ratio of losses lies below 1.",
        ("transformer-warmup",),
        FIELDS,
        _warmup,
        "A warm-up may help by allowing a larger rate, so each has its own; or at a rate that is too large without it.",
    ),
    Lesson(
        "transformer-accumulation",
        ("ours",),
        "On a transformer, accumulating gradients over micro-batches equals one larger batch.",
        "A transformer in float64, AdamW, 4 micro-batches of 8 windows against one batch of 32: all recorded numbers "
        "of 6 seeds agree to 1e-9.",
        ("transformer-accumulation", "transformer-accumulation-batch"),
        ("loss", "test_loss", "grad_norm", "distance_from_start"),
        _accumulation,
        "Layer norms work on each character by itself, so that the mean over micro-batches is that over the batch, up "
        "to rounding. Runs are instances here, not a sample.",
    ),
)
