"""Lessons on the built-in tables: scaling of columns, and momentum beside Adam."""

from collections.abc import Mapping

import numpy as np

from service.analysis.descent import settled
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Figure, Finding, Reading, curve, number, ratio, short, spanned
from service.findings.lessons.judging import ABOUT, concluded, equal, together
from service.findings.lessons.lesson import Lesson
from service.spec.presets.tables import SCALING_EPOCHS, TABLES

# Share of the largest R² that a linear model can have on these data.
SHARE = 0.95
LABELS = ("sgd", "momentum")
SCALINGS = ("unscaled", "scaled", "whitened")


def _scaling(jobs: Mapping[str, Evidence]) -> Finding:
    of = {name: jobs[f"table-{name}"] for name in SCALINGS}
    largest = max(float(np.nanmax(job.values("r2"))) for job in of.values())
    quantities = [number("largest R² of all runs", largest)]
    fastest = {}
    curves = []
    for name, job in of.items():
        for label in LABELS:
            updates_R = settled(job.epochs, -job.values("r2", label), -SHARE * largest)
            seeds, rates = job.seeds(label), job.settings("lr", label)
            fastest[name, label] = np.array([updates_R[seeds == seed].min() for seed in np.unique(seeds)])
            best = float(rates[updates_R.argmin()])
            quantities.append(number(f"most updates of a start, {label}, {name} columns", fastest[name, label].max()))
            quantities.append(number(f"fewest updates of a start, {label}, {name} columns", fastest[name, label].min()))
            error_RE = 1 - job.values("r2", label)[job.with_setting(label, best)]
            curves.append(curve(f"{label}, {name}, rate {best:.3g}", job.epochs, error_RE))
    parts = {
        "SGD on scaled columns needs fewer updates than momentum on unscaled ones": bool(
            (fastest["scaled", "sgd"] < fastest["unscaled", "momentum"]).all()
        ),
        "momentum needs no fewer updates than SGD on whitened columns": bool(
            (fastest["whitened", "momentum"] >= fastest["whitened", "sgd"]).all()
        ),
    }
    figures = [Figure("Alcohol of wines by 12 columns, best rates", "update", "1 − R²", curves, log_x=True)]
    return together(parts, quantities, figures=figures)


def _tables(jobs: Mapping[str, Evidence]) -> Finding:
    quantities, readings, summary = [], dict[str, Reading](), []
    for name, dataset in TABLES.items():
        job = jobs[f"table-{name}"]
        losses = {}
        for label in ("momentum", "adam"):
            lr = job.chosen("validation_loss", label)
            quantities.append(number(f"chosen rate, {label}, {dataset}", lr))
            judged = job.with_setting(label, lr) & job.judging(label)
            losses[label] = job.outcomes("test_loss", label)[judged]
        found = ratio(f"test loss, Adam by momentum, {dataset}", losses["adam"], losses["momentum"], len(TABLES))
        quantities.append(found)
        readings[f"the table is {dataset}"] = equal(found, ABOUT, to=1)
        summary.append(f"{dataset} {spanned(found) if found.low is not None else short(found.value)}")
    return concluded(readings, quantities, f"test loss of Adam by that of momentum: {', '.join(summary)}")


LESSONS = (
    Lesson(
        "scaling-columns",
        ("ours",),
        "Scaling the columns of a table saves more updates than momentum, which saves none on whitened columns.",
        "Linear regression of the alcohol of wines on 12 columns, as they are, scaled to deviation 1, and whitened; "
        f"SGD and momentum 0.9 at nine rates each, {SCALING_EPOCHS} updates with all rows, 12 starts. Updates until R² "
        f"stays above {SHARE:g} of the largest R² of all runs, of each start at its fastest rate; a miss is infinite.",
        ("table-unscaled", "table-scaled", "table-whitened"),
        ("r2",),
        _scaling,
        "A linear model has the same least-squares solution and R² with each scaling, so R² is a common measure. The "
        "loss has no noise: starts are instances, and every one must agree.",
    ),
    Lesson(
        "tables-adam",
        ("ours",),
        "On small tables Adam and SGD with momentum, both tuned, end with the same test loss.",
        "A perceptron with 16 hidden units, 20 epochs, six rates each, chosen by 20 seeds by the validation loss and "
        "judged by 20 others: the interval of the ratio of test losses lies within a tenth of 1. Four tables.",
        tuple(f"table-{name}" for name in TABLES),
        ("validation_loss", "test_loss"),
        _tables,
        "Rates are chosen by the validation part, so that test rows choose nothing; both methods have the same rates.",
    ),
)
