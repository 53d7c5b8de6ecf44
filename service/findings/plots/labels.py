"""Labels at the ends of lines, moved apart if they would overlap; a legend if there is no room for labels.

All functions take names that service/findings/plots/names.py has shortened.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from service.findings.plots.style import LINE_PIXELS, TEXT, LineStyle, Sheet

SAMPLE_PIXELS = 36.0
# Narrower pictures have a legend instead of labels beside the lines.
MIN_WIDTH = 480
LEGEND_PIXELS = 17.5


def room_for(sheet: Sheet, labels: Sequence[str]) -> float:
    """Give the margin in pixels for the longest label."""
    return max((sheet.text_width(label) for label in labels), default=0.0) + 22.0


def fits(sheet: Sheet, num: int, bottom: float) -> bool:
    """Whether this number of labels fits in a column beside the picture."""
    return num * LINE_PIXELS <= sheet.height - sheet.top - bottom and sheet.width >= MIN_WIDTH


def label_ends(
    axes: Axes, sheet: Sheet, labels: Sequence[str], styles: Sequence[LineStyle], ends: Sequence[float]
) -> None:
    """Write each label beside the end of its line; ``ends`` are heights in the axes, from 0 at the bottom to 1.

    A thin line joins a moved label to the end of its line.
    """
    pixels = axes.get_window_extent().height
    places = spread(np.clip(np.asarray(ends), 0.0, 1.0) * pixels, LINE_PIXELS, pixels) / pixels
    for label, style, end, place in zip(labels, styles, ends, places, strict=True):
        at = min(max(end, 0.0), 1.0)
        axes.plot(
            [1.0, 1.008, 1.016],
            [at, place, place],
            transform=axes.transAxes,
            color=style.colour,
            lw=0.7,
            clip_on=False,
            solid_capstyle="butt",
        )
        axes.text(
            1.022,
            place,
            label,
            transform=axes.transAxes,
            color=style.colour,
            fontsize=TEXT,
            va="center",
        )


def list_beside(axes: Axes, sheet: Sheet, labels: Sequence[str], styles: Sequence[LineStyle]) -> None:
    """Write the labels in a column to the right, each with a sample of its line; for paths, whose ends are anywhere."""
    extent = axes.get_window_extent()
    for number, (label, style) in enumerate(zip(labels, styles, strict=True)):
        place = 1.0 - (number + 0.5) * LINE_PIXELS / extent.height
        first, last = (1.0 + pixels / extent.width for pixels in (12.0, SAMPLE_PIXELS))
        axes.plot(
            [first, last],
            [place, place],
            transform=axes.transAxes,
            color=style.colour,
            lw=1.7,
            ls=style.line,
            clip_on=False,
        )
        axes.text(
            last + 6.0 / extent.width,
            place,
            label,
            transform=axes.transAxes,
            color=style.colour,
            fontsize=TEXT,
            va="center",
        )


def spread(places: np.ndarray, gap: float, height: float) -> np.ndarray:
    """Move places apart to at least ``gap``, as little as possible, within 0 to ``height``.

    Neighbours that touch form a block, centred at the mean of the original places of its members (pool adjacent
    violators: Barlow et al., Statistical Inference under Order Restrictions, 1972).
    """
    order = np.argsort(places, kind="stable")
    # After subtraction of the gaps, only the order is required: an isotonic regression.
    shifted = places[order] - gap * np.arange(len(places))
    blocks: list[list[float]] = []
    for value in shifted.tolist():
        blocks.append([value, 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, m), (b, n) = blocks[-2:]
            blocks[-2:] = [[(a * m + b * n) / (m + n), m + n]]
    flat = np.concatenate([np.full(int(num), value) for value, num in blocks]) if blocks else np.empty(0)
    highest = max(height - gap * (len(places) - 1), 0.0)
    found = np.empty(len(places))
    found[order] = np.clip(flat, 0.0, highest) + gap * np.arange(len(places))
    return found


def legend_columns(width: int, labels: Sequence[str]) -> int:
    """Estimate how many labels of a legend fit side by side, at 6.6 pixels a letter and 68 for the line beside them."""
    widest = max(map(len, labels))
    return min(len(labels), max(1, int((width - 90) / (6.6 * widest + 68))))


def legend_room(sheet: Sheet, labels: Sequence[str]) -> float:
    """Give the margin in pixels for a legend above the axes."""
    return LEGEND_PIXELS * -(-len(labels) // legend_columns(sheet.width, labels))


def legend(axes: Axes, sheet: Sheet, labels: Sequence[str], styles: Sequence[LineStyle], *, above: float = 0.0) -> None:
    """Write the labels in rows between the caption and the axes, ``above`` pixels over them."""
    lines = [Line2D([], [], color=style.colour, lw=1.8, ls=style.line) for style in styles]
    axes.legend(
        lines,
        labels,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0 + above / axes.get_window_extent().height),
        ncols=legend_columns(sheet.width, labels),
        frameon=False,
        fontsize=TEXT,
        labelcolor=sheet.palette.ink,
        handlelength=3.0,
        borderaxespad=0.2,
    )
