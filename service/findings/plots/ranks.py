"""Plot of ranks: the confidence interval of the rank of each label, best mean first.

The intervals hold for all labels at once. A critical difference of mean ranks (Demšar 2006) is not drawn: it compares
methods over many data sets, not to the seeds of one problem.
"""

from collections.abc import Sequence

import numpy as np
from sqlalchemy.orm import Session

from service.analysis.simultaneous import MIN_SEEDS
from service.database.tables import Job
from service.findings.plots.compared import MAY_BE_BEST, NOT_BEST, Compared, Row, read_compared
from service.findings.plots.names import short_names
from service.findings.plots.picture import Picture
from service.findings.plots.request import PlotQuery
from service.findings.plots.rows import BOTTOM, draw_bar, draw_dot, label_room, num_rows, prepare, write_labels
from service.findings.plots.style import DARK, LIGHT, TEXT, new_sheet
from service.spec.job import JobSpec

# Pixels between the numbers of the axis.
_TICK_PIXELS = 30.0
_RIGHT = 64.0


def draw_ranks(session: Session, job: Job, spec: JobSpec, query: PlotQuery) -> Picture:
    """Draw one line per label from its best to its worst possible rank, and a dot at its place by mean.

    Raises:
        Rejected: There is no such criterion, or no row is stored yet.
    """
    palette = DARK if query.dark else LIGHT
    compared = read_compared(session, job, query, palette)
    rows = compared.rows[: num_rows(query.height, len(compared.rows))]
    caption = compared.caption(
        _explained(compared), f"{MAY_BE_BEST}, {NOT_BEST}." if compared.marks_best else "", shown=len(rows)
    )
    sheet = new_sheet(query.width, query.height, palette, job.name, caption)
    axes = sheet.axes(left=label_room(sheet, rows), right=_RIGHT, bottom=BOTTOM)
    total = len(compared.rows)
    axes.set_xlim(0.6, total + 0.4)
    prepare(axes, sheet, len(rows))
    step = max(1, int(np.ceil(total * _TICK_PIXELS / axes.get_window_extent().width)))
    axes.set_xticks(sorted({1, *range(step, total + 1, step)}))
    axes.set_xlabel(f"rank by mean {compared.criterion} (1 is best)")
    write_labels(axes, sheet, rows, marks_best=compared.marks_best)
    # Bars of neighbouring rows do not touch.
    thick = min(7.0, 0.3 * axes.get_window_extent().height / len(rows))
    for at, row in enumerate(rows):
        strong = row.is_best and compared.marks_best
        width, alpha = (thick, 0.65) if strong else (0.6 * thick, 0.45)
        if compared.claims:
            draw_bar(axes, at, row.low, row.high, row.style, width=width, alpha=alpha)
        else:
            axes.plot([row.low, row.high], [at, at], color=row.style.colour, lw=1.2, ls=(0, (1, 2.5)), clip_on=False)
        draw_dot(axes, sheet, at, row.place, row.style, filled=row.is_best or not compared.claims)
        axes.annotate(
            _range(row),
            (1.0, at),
            xycoords=("axes fraction", "data"),
            xytext=(12, 0),
            textcoords="offset points",
            va="center",
            fontsize=TEXT,
            weight="bold" if strong else "normal",
            color=palette.ink if strong else palette.quiet,
        )
    return Picture(sheet, job.name, _words(compared, rows))


def _explained(compared: Compared) -> str:
    """Say what lines and dots are, or why the lines claim nothing."""
    if compared.claims:
        return "Line: confidence interval of the rank, for all labels at once; dot: place by mean."
    if compared.answer["partial"]:
        return "No ranks before all runs have ended: every line is the whole range; dot: place by mean so far."
    return f"Too few seeds for ranks (fewer than {MIN_SEEDS}): every line is the whole range; dot: place by mean."


def _range(row: Row) -> str:
    return str(row.low) if row.low == row.high else f"{row.low}–{row.high}"


def _words(compared: Compared, rows: Sequence[Row]) -> str:
    found = compared.answer
    labels = short_names([row.label for row in rows])
    ranks = "; ".join(f"{label} {_range(row)}" for label, row in zip(labels, rows, strict=True))
    return f"{found['verdict']} Ranks of {found['name']} by {compared.criterion}: {ranks}. {_explained(compared)}"
