"""Style of pictures: palettes, one colour and dash pattern per optimizer, thin axes, title and caption.

Only matplotlib's object-oriented interface is used: pyplot keeps figures in global state and is not thread-safe.
"""

import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from service.findings.plots.fonts import families
from service.spec.visible import visible

matplotlib.use("Agg")
# A box stands for a character that no installed font has.
warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
# These settings are global to the process and never changed.
matplotlib.rcParams.update(
    {
        "font.family": families(),
        "svg.fonttype": "none",
        "svg.hashsalt": "ravine",
        "axes.unicode_minus": True,
        # Dollar signs in names and labels are no formulas.
        "text.parse_math": False,
    }
)

DOTS_PER_INCH = 96  # As in CSS.
TEXT, SMALL, TITLE = 8.6, 7.6, 10.5  # Points; 96/72 pixels each.
LINE_PIXELS = 15.0


@dataclass(frozen=True)
class Palette:
    """Colours of a light or a dark picture."""

    ground: str
    ink: str
    quiet: str
    faint: str
    low: str
    high: str
    is_dark: bool


LIGHT = Palette("#ffffff", "#1f2429", "#5c666f", "#e4e8eb", "#fbfcfd", "#8fa3b4", is_dark=False)
DARK = Palette("#14181d", "#e8ecef", "#9aa6b1", "#2a3138", "#39485a", "#171c22", is_dark=True)

# Okabe and Ito, Color Universal Design, 2008, without their yellow, which is invisible on white; SGD is grey-blue. The
# second colour is for dark backgrounds. Dashes distinguish lines in black and white.
_STYLES: dict[str, tuple[str, str, tuple[float, ...]]] = {
    "sgd": ("#5b7c99", "#8fb0cc", ()),
    "momentum": ("#d55e00", "#f07f2e", (7, 2)),
    "nesterov": ("#009e73", "#1fc79a", (5, 1.6, 1.2, 1.6)),
    "adam": ("#cc79a7", "#e39ac2", (1.4, 1.4)),
    "adamw": ("#0072b2", "#4aa8e0", (3.2, 1.6)),
    "rmsprop": ("#e69f00", "#f2b632", (10, 2, 2, 2)),
    "adagrad": ("#56b4e9", "#7fcbf5", (6, 1.4, 1.2, 1.4, 1.2, 1.4)),
    "lion": ("#3a3a3a", "#f0f0f0", (2.4, 1, 1, 1)),
}


@dataclass(frozen=True)
class LineStyle:
    """Colour and dashes of one optimizer; no dashes is a solid line."""

    colour: str
    dashes: tuple[float, ...]

    @property
    def line(self) -> str | tuple[float, tuple[float, ...]]:
        """The line style in matplotlib's form."""
        return (0.0, self.dashes) if self.dashes else "-"


def line_styles(kinds: Sequence[str], palette: Palette) -> list[LineStyle]:
    """Choose a style for each series by the kind of its optimizer; further series of a kind get unused styles.

    With more series than colours, colours repeat with other dashes.
    """
    reserved = list(dict.fromkeys(kind for kind in kinds if kind in _STYLES))
    free = [name for name in _STYLES if name not in reserved and name != "sgd"]
    chosen: list[str] = []
    for kind in kinds:
        if kind in reserved:
            reserved.remove(kind)
            chosen.append(kind)
        elif free:
            chosen.append(free.pop(0))
        else:
            others = [name for name in _STYLES if name != "sgd"]
            chosen.append(min(others, key=lambda name: chosen.count(name) + reserved.count(name)))
    dashes = [style[2] for style in _STYLES.values()]
    found: list[LineStyle] = []
    for number, name in enumerate(chosen):
        again = chosen[:number].count(name)
        own = dashes[(dashes.index(_STYLES[name][2]) + 3 * again) % len(dashes)]
        light, dark, _ = _STYLES[name]
        found.append(LineStyle(dark if palette.is_dark else light, own))
    return found


@dataclass(frozen=True)
class Sheet:
    """A figure of a given size with title and caption, and one or more axes below them."""

    figure: Figure
    palette: Palette
    width: int
    height: int
    top: float

    def axes(
        self,
        *,
        left: float,
        right: float,
        bottom: float,
        share: tuple[float, float] = (0.0, 1.0),
        above: float = 0.0,
    ) -> Axes:
        """Add axes with margins in pixels; ``share`` is their part of the width between the margins.

        ``above`` is the margin between the caption and the axes.
        """
        inner = self.width - left - right
        first, last = (left + inner * end for end in share)
        box = (first, bottom, last - first, max(40.0, self.height - self.top - above - bottom))
        sides = (self.width, self.height, self.width, self.height)
        axes = self.figure.add_axes(tuple(a / b for a, b in zip(box, sides, strict=True)))  # type: ignore[arg-type]
        _quiet(axes, self.palette)
        return axes

    def text_width(self, text: str, size: float = TEXT, *, bold: bool = False) -> float:
        """Measure a text, in pixels."""
        probe = self.figure.text(0, 0, text, fontsize=size, weight="bold" if bold else "normal")
        extent = probe.get_window_extent(self.figure.canvas.get_renderer())  # type: ignore[attr-defined]
        probe.remove()
        return float(extent.width)


def new_sheet(width: int, height: int, palette: Palette, title: str, caption: str) -> Sheet:
    """Make a figure with title and caption at the top left."""
    figure = Figure(
        figsize=(width / DOTS_PER_INCH, height / DOTS_PER_INCH), dpi=DOTS_PER_INCH, facecolor=palette.ground
    )
    FigureCanvasAgg(figure)
    # Estimated width of a letter: 5.9 pixels in the caption, 8.4 in the title.
    title = textwrap.shorten(visible(title), max(20, int((width - 32) / 8.4)), placeholder="…")
    # At most a sixth of the picture, but three lines.
    most = max(3, int(height / 6 / 14))
    lines = textwrap.wrap(visible(caption), max(30, int((width - 32) / 5.9)), max_lines=most, placeholder=" …")
    figure.text(16 / width, 1 - 14 / height, title, fontsize=TITLE, weight="bold", color=palette.ink, va="top")
    figure.text(
        16 / width, 1 - 34 / height, "\n".join(lines), fontsize=SMALL, color=palette.quiet, va="top", linespacing=1.35
    )
    return Sheet(figure, palette, width, height, top=46.0 + 14.0 * len(lines))


def _quiet(axes: Axes, palette: Palette) -> None:
    """Remove the box, and make ticks thin; grid lines are behind all other elements."""
    axes.set_facecolor(palette.ground)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(palette.quiet)
        axes.spines[side].set_linewidth(0.6)
    axes.tick_params(which="both", colors=palette.quiet, labelsize=SMALL, width=0.6, length=3)
    axes.tick_params(which="minor", length=2)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(palette.ink)
        label.set_fontsize(TEXT)
    axes.set_axisbelow(True)
