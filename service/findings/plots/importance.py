"""Plot of the importance of hyper-parameters: for each label the share of the variance that each explains alone."""

from sqlalchemy.orm import Session

from service.database.tables import Job
from service.findings.comparison.words import percent
from service.findings.plots.compared import read_compared
from service.findings.plots.names import short_names, shorten
from service.findings.plots.picture import Picture
from service.findings.plots.request import PlotQuery
from service.findings.plots.rows import BOTTOM, ROW_PIXELS
from service.findings.plots.style import DARK, LIGHT, SMALL, TEXT, new_sheet
from service.findings.plots.tuned import Tuned, chosen_by, tuned_labels
from service.spec.job import JobSpec

MAX_NAME_LETTERS = 26
_EXPLAINED = (
    "Bar: share of the variance of the settings' ranks that a hyper-parameter explains alone. Good settings have a "
    "loss above the least one within 10\u00a0% of the best."
)


def draw_importance(session: Session, job: Job, spec: JobSpec, query: PlotQuery) -> Picture:
    """Draw one bar per hyper-parameter that varies, grouped by label, with the share of good settings of each label.

    Raises:
        Rejected: No label has several settings, or no row is stored yet.
    """
    palette = DARK if query.dark else LIGHT
    compared = read_compared(session, job, query, palette)
    tuned = tuned_labels(compared)
    shown = _fitting(tuned, query.height)
    few = f"The best {len(shown)} of {len(tuned)} labels." if len(shown) < len(tuned) else ""
    caption = " ".join(filter(None, [few, _EXPLAINED, chosen_by(compared), compared.partial_words]))
    sheet = new_sheet(query.width, query.height, palette, job.name, caption)
    labels = short_names([one.label for one in shown], MAX_NAME_LETTERS)
    names = [[shorten(part["name"], MAX_NAME_LETTERS) for part in one.tuning["importance"]] for one in shown]
    widest = max(sheet.text_width(name) for of_label in names for name in of_label)
    axes = sheet.axes(left=max(widest, 60.0) + 26.0, right=64.0, bottom=BOTTOM)
    num = sum(1 + len(of_label) for of_label in names)
    axes.set_ylim(num - 0.4, -0.6)
    axes.set_xlim(0.0, 1.0)
    axes.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0", "25 %", "50 %", "75 %", "100 %"])
    axes.grid(axis="x", color=palette.faint, lw=0.7)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("share of the variance explained alone")
    at, ticks = 0, dict[int, str]()
    for label, one, of_label in zip(labels, shown, names, strict=True):
        ground = {"facecolor": palette.ground, "edgecolor": "none", "pad": 1.0}
        written = axes.text(0.0, at, label, color=one.style.colour, weight="bold", fontsize=TEXT, va="center")
        written.set_bbox(ground)
        axes.annotate(
            one.sensitivity,
            (1.0, 0.5),
            xycoords=written,
            xytext=(10, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            color=palette.quiet,
            bbox=ground,
        )
        for name, part in zip(of_label, one.tuning["importance"], strict=True):
            at += 1
            ticks[at] = name
            axes.barh(at, part["variance_share"], height=0.62, color=one.style.colour, alpha=0.75, zorder=3)
            value = f" {100 * part['variance_share']:.0f}\u00a0%"
            axes.text(part["variance_share"], at, value, va="center", fontsize=SMALL, color=palette.ink, zorder=4)
        at += 1
    axes.set_yticks(list(ticks), list(ticks.values()))
    for text in axes.get_yticklabels():
        text.set_fontsize(TEXT)
        text.set_color(palette.ink)
    return Picture(sheet, job.name, _words(compared.answer["name"], labels, shown))


def _fitting(tuned: list[Tuned], height: int) -> list[Tuned]:
    """Give the first labels whose rows are readable in the height; at least one."""
    room, shown = (height - 130) / ROW_PIXELS, list[Tuned]()
    for one in tuned:
        room -= 1 + len(one.tuning["importance"])
        if shown and room < 0:
            break
        shown.append(one)
    return shown


def _words(name: str, labels: list[str], shown: list[Tuned]) -> str:
    parts = []
    for label, one in zip(labels, shown, strict=True):
        shares = ", ".join(f"{part['name']} {percent(part['variance_share'])}" for part in one.tuning["importance"])
        parts.append(f"{label}: {shares} ({one.sensitivity})")
    return f"Importance of the hyper-parameters of {name}. {'; '.join(parts)}. {_EXPLAINED}"
