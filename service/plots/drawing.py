"""From a request to a picture's bytes: one function per kind."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from service.models import Job
from service.plots.comparison import draw_comparison
from service.plots.gallery import Drawn
from service.plots.heatmap import draw_heatmap
from service.plots.loss import draw_loss
from service.plots.paths import draw_paths
from service.plots.picture import Format, Picture, render
from service.plots.request import PlotQuery
from service.spec.job import JobSpec

_KINDS: dict[str, Callable[[Session, Job, JobSpec, PlotQuery], Picture]] = {
    "loss": draw_loss,
    "paths": draw_paths,
    "heatmap": draw_heatmap,
    "comparison": draw_comparison,
}


def draw(session: Session, job: Job, query: PlotQuery, form: Format) -> Drawn:
    """Draw a job.

    Raises:
        Rejected: The job has nothing that this kind could show; the error says what it needs, or what there is.
    """
    picture = _KINDS[query.kind](session, job, JobSpec.model_validate(job.spec), query)
    return Drawn(render(picture, form, query.density), picture.alt)
