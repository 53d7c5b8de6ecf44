"""Elements of plots: styles, labels without overlap, and quantiles with infinities."""

import numpy as np
import pytest
from pydantic import ValidationError

from service.findings.plots.labels import spread
from service.findings.plots.loss import quantiles
from service.findings.plots.names import short_names, shorten
from service.findings.plots.request import PlotQuery
from service.findings.plots.scales import limits, nice_values, power_of_ten, short
from service.findings.plots.style import DARK, LIGHT, line_styles
from service.spec.optimizers import OPTIMIZERS


def test_sgd_is_grey_blue_in_every_picture() -> None:
    assert line_styles(["adam", "lion", "sgd"], LIGHT)[2] == line_styles(["sgd"], LIGHT)[0]
    assert line_styles(["muon", "lars"], LIGHT)[0].colour != line_styles(["sgd"], LIGHT)[0].colour


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_no_two_of_sixteen_lines_look_the_same(palette: object) -> None:
    kinds = [kind.model_fields["kind"].annotation.__args__[0] for kind in OPTIMIZERS][:16]  # type: ignore[union-attr]
    styles = line_styles(kinds, palette)  # type: ignore[arg-type]
    assert len(set(styles)) == 16
    # Up to eight differ in colour, and in black and white by their dashes.
    few = line_styles(["sgd", "muon", "adam", "lars", "lamb", "momentum", "asgd", "nadam"], palette)  # type: ignore[arg-type]
    assert len({style.colour for style in few}) == 8
    assert len({style.dashes for style in few}) == 8


def test_labels_keep_order_and_distance_and_move_as_little_as_possible() -> None:
    places = np.array([10.0, 11.0, 200.0, 12.0, 299.0, 300.0])
    found = spread(places, 15.0, 300.0)
    assert np.all(np.diff(np.sort(found)) >= 15.0 - 1e-9)
    assert np.array_equal(np.argsort(found, kind="stable"), np.argsort(places, kind="stable"))
    assert found.min() >= 0
    assert found.max() <= 300.0
    assert found[2] == 200.0


def test_a_quantile_between_a_number_and_infinity_is_infinite_and_others_are_numpys() -> None:
    numbers = np.random.default_rng(0).normal(size=(7, 5))
    for ours, share in zip(quantiles(numbers, (0.25, 0.5, 0.95)), (0.25, 0.5, 0.95), strict=True):
        assert np.allclose(ours, np.quantile(numbers, share, axis=0))
    half = np.array([[1.0], [2.0], [np.inf], [np.inf]])
    assert quantiles(half, (0.0, 0.25, 0.5))[0] == 1.0
    assert quantiles(half, (0.5,))[0] == np.inf
    assert quantiles(half, (1 / 3,))[0] == pytest.approx(2.0)


def test_numbers_beside_axes_are_short() -> None:
    assert [short(value) for value in (0.0, 0.05, 1234.0, 1e-7, 2.5e8)] == ["0", "0.05", "1234", "10⁻⁷", "2.5·10⁸"]
    assert [short(value) for value in (np.inf, -np.inf, np.nan)] == ["∞", "−∞", "NaN"]
    assert power_of_ten(-12) == "10⁻¹²"
    assert nice_values(0.13, 3.6).tolist() == pytest.approx([0.2, 0.5, 1.0, 2.0])
    assert nice_values(3.1, 3.9).tolist() == [3.1, 3.9]
    assert shorten("momentum lr=0.0149249554505 momentum=0.0863636363636") == "momentum lr=0.0149 momentum=0.0864"


def test_limits_ignore_values_that_are_not_finite_or_have_no_logarithm() -> None:
    low, high = limits(np.array([np.nan, np.inf, 0.0, 1e-3, 10.0]), log=True)
    assert 0.5e-3 < low < 1e-3
    assert 10.0 < high < 20.0
    assert limits(np.array([np.inf]), log=True) == (0.1, 10.0)
    assert limits(np.array([3.0, 3.0]), log=False)[0] < 3.0


def test_the_dots_of_a_picture_are_limited_because_they_take_memory() -> None:
    assert PlotQuery(width=2_400, height=1_800).density == 2
    assert PlotQuery(width=1_600, height=1_200, density=3).width == 1_600
    with pytest.raises(ValidationError, match=r"38,880,000; at most 17,280,000 are allowed"):
        PlotQuery(width=2_400, height=1_800, density=3)


def test_labels_that_differ_stay_different_when_they_are_shortened() -> None:
    long = ["x" * 60 + one + "y" * 39 for one in "AB"] + ["x" * 60 + "A" + "y" * 38 + "z"]
    rounded = ["sgd lr=0.10001", "sgd lr=0.100012"]
    for most in (34, 12, 6):
        names = short_names([*long, *rounded, "x" * 99], most)
        assert len(set(names)) == 6
        assert max(map(len, names[:3])) <= most
    assert short_names(["sgd lr=0.0149249554505"]) == ["SGD lr=0.0149"]
    assert short_names(["same" * 20, "same" * 20]) == [shorten("same" * 20)] * 2


def test_axes_have_ends_for_the_largest_and_smallest_floats() -> None:
    for values in ([5e-324], [1e308, -1e308], [1e308, 1e-308], [0.0, 0.0], [1e10, 1e10 + 1e-6]):
        for log in (False, True):
            low, high = limits(np.array(values), log=log)
            assert np.isfinite([low, high, high - low]).all()
            assert low < high
    assert short(5e-324) == "4.94·10⁻³²⁴"
