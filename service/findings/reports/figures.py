"""The plots that a report shows, by the kind of job."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from service.database.tables import Job
from service.errors import Rejected
from service.findings.plots.kinds import Kind
from service.findings.reports.document import Figure
from service.spec.job import JobSpec

# Heights in pixels, so that two figures fit on a page, or more labels into a figure.
_HEIGHT, _TALL, _FEW = 380, 560, 12
_CAPTIONS = {
    Kind.COMPARISON: "Median of the criterion with the interval of each label by itself, and speed-ups over the "
    "baseline.",
    Kind.RANKS: "Confidence intervals of the ranks, for all labels at once.",
    Kind.LOSS: "Loss over the epochs: median and band of the runs of each setting.",
    Kind.TARGETS: "Expected epochs to each loss from easy to hard, and the share of runs that reach it.",
    Kind.PATHS: "Paths of runs in the plane, on contours of the loss.",
    Kind.TUNING: "Expected best loss against the number of trials, with its band.",
    Kind.IMPORTANCE: "Importance of the hyper-parameters of each label.",
}


def figures(session: Session, job: Job, spec: JobSpec, found: dict[str, Any], *, draws: bool) -> Iterator[Figure]:
    """Give the plots that fit a job; drawn as SVG, or only with the command that fetches them."""
    height = _HEIGHT if len(found["ranks"]) <= _FEW else _TALL
    for kind in _fitting(spec, found):
        command = f"ravine plot {job.id} --kind {kind} -o {kind}.svg"
        figure = Figure(kind.value, _CAPTIONS[kind], command, alt=_CAPTIONS[kind])
        if not draws:
            yield figure
            continue
        # Imported here, because matplotlib takes most of a second to load, and other formats do not draw.
        from service.findings.plots.drawing import draw
        from service.findings.plots.request import PlotQuery

        try:
            drawn = draw(session, job, PlotQuery(kind=kind.value, height=height), "svg")
        except Rejected:
            # The job has no data for this kind of plot.
            continue
        yield Figure(kind.value, _CAPTIONS[kind], command, drawn.data, drawn.alt)


def _fitting(spec: JobSpec, found: dict[str, Any]) -> Iterator[Kind]:
    if not found["ranks"]:
        return
    yield Kind.COMPARISON
    if len(found["ranks"]) > 1:
        yield Kind.RANKS
    yield Kind.LOSS
    if found["targets"]:
        yield Kind.TARGETS
    if spec.problem.is_landscape and spec.problem.num_parameters <= 2:
        yield Kind.PATHS
    tunings = [label["tuning"] for label in found["labels"] if label["tuning"] is not None]
    if tunings and all(tuning["expected_best"] is not None for tuning in tunings):
        yield Kind.TUNING
    if tunings:
        yield Kind.IMPORTANCE
