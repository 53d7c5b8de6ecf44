"""Named surfaces of the catalogue that each show one property."""

from dataclasses import dataclass

Point = tuple[float, ...]


@dataclass(frozen=True)
class Surface:
    """A function of x, or of x and y. `minima` are its global minima, with the loss `value`."""

    name: str
    title: str
    formula: str
    domain: tuple[tuple[float, float], ...]
    minima: tuple[Point, ...]
    start: Point
    sentence: str
    value: float | None = 0.0
    reference: str = ""
    # Local minima that are not global, with their values.
    local_minima: tuple[tuple[Point, float], ...] = ()
    # Whether no point has a loss below `value`, in the domain or outside.
    is_bounded: bool = True

    @property
    def least_loss(self) -> float | None:
        """Give the loss below which no point lies; None where it is unknown or the loss has no bound."""
        return self.value if self.is_bounded else None


SHAPES = (
    Surface(
        name="parabola",
        title="Parabola",
        formula="x**2",
        domain=((-6, 6),),
        minima=((0.0,),),
        start=(5.0,),
        sentence="One dimension and one curvature: every method can be worked out by hand.",
    ),
    Surface(
        name="slope",
        title="Straight slope",
        formula="x",
        domain=((-10, 10),),
        minima=(),
        value=None,
        is_bounded=False,
        start=(0.0,),
        sentence="The gradient is 1 everywhere: shows how far a velocity builds up, and never ends.",
    ),
    Surface(
        name="ravine",
        title="Ravine",
        formula="x**2 + 10*y**2",
        domain=((-6, 6), (-3, 3)),
        minima=((0.0, 0.0),),
        start=(5.0, 2.0),
        sentence="Ten times steeper across than along: the rate that the steep side allows is slow along the flat one.",
    ),
    Surface(
        name="saddle",
        title="Saddle",
        formula="x**2 - y**2",
        domain=((-2, 2), (-2, 2)),
        minima=(),
        value=None,
        is_bounded=False,
        start=(1.5, 0.001),
        sentence="A minimum along x and a maximum along y: from y = 0 there is no way out, from next to it a slow one.",
    ),
    Surface(
        name="two_wells",
        title="Two wells",
        formula="x**2 + y**2 - 2*exp(-((x - 1)**2 + y**2)/0.2) - 3*exp(-((x + 1)**2 + y**2)/0.2)",
        domain=((-2, 2), (-2, 2)),
        minima=((-0.9363006340109187, 0.0),),
        value=-2.063090251768194,
        start=(1.5, 1.0),
        sentence="A shallow well on the right, where runs start, and a deep one on the left.",
        local_minima=(((0.905317899160115, 0.0), -1.092731999201741),),
    ),
    Surface(
        name="plateau",
        title="Plateau",
        formula=(
            "-sin(10*sqrt(x**2 + y**2) + 0.01)/(10*sqrt(x**2 + y**2) + 0.01) + 0.01*(10*sqrt(x**2 + y**2) + 0.01)**2"
        ),
        domain=((-1, 1), (-1, 1)),
        # The lowest point is the origin, the tip of a flat cone: the slope there is 0.0353 on every side, so no
        # gradient vanishes, and no run settles there.
        minima=(),
        value=None,
        start=(0.9, 0.6),
        sentence="A dip with flat rings around it, on which gradients are small and of alternating sign.",
    ),
)
