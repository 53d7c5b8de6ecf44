"""Drawing of a requested plot, by the function of its kind."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy.orm import Session

from service.database.tables import Job
from service.findings.plots.comparison import draw_comparison
from service.findings.plots.heatmap import draw_heatmap
from service.findings.plots.importance import draw_importance
from service.findings.plots.kinds import Kind
from service.findings.plots.loss import draw_loss
from service.findings.plots.paths import draw_paths
from service.findings.plots.picture import Drawn, Format, Picture, render
from service.findings.plots.ranks import draw_ranks
from service.findings.plots.request import PlotQuery
from service.findings.plots.targets import draw_targets
from service.findings.plots.tuning import draw_tuning
from service.jobs.specs import spec_of
from service.spec.job import JobSpec
from service.spec.visible import visible

_DRAW: dict[Kind, Callable[[Session, Job, JobSpec, PlotQuery], Picture]] = {
    Kind.LOSS: draw_loss,
    Kind.PATHS: draw_paths,
    Kind.HEATMAP: draw_heatmap,
    Kind.COMPARISON: draw_comparison,
    Kind.RANKS: draw_ranks,
    Kind.TARGETS: draw_targets,
    Kind.TUNING: draw_tuning,
    Kind.IMPORTANCE: draw_importance,
}


def draw(session: Session, job: Job, query: PlotQuery, form: Format) -> Drawn:
    """Draw a job.

    Raises:
        Rejected: The job has no data for this kind of plot; the error states what it needs, or what there is.
    """
    drawn = _DRAW[Kind(query.kind)](session, job, spec_of(job), query)
    picture = replace(drawn, title=visible(drawn.title), alt=visible(drawn.alt))
    return Drawn(render(picture, form, query.density), picture.alt)
