"""The named surfaces have the formulas, domains and minima of the literature."""

import numpy as np
import pytest

from service.spec.formulas.expression import parse
from service.spec.surfaces import SURFACES

# Name, minima to the digits of the literature, value.
TABLE = {
    "parabola": ([(0,)], 0),
    "ravine": ([(0, 0)], 0),
    "rosenbrock": ([(1, 1)], 0),
    "banana": ([(1, 1 / 3)], 0),
    "beale": ([(3, 0.5)], 0),
    "himmelblau": ([(3, 2), (-2.805118, 3.131313), (-3.779310, -3.283186), (3.584428, -1.848127)], 0),
    "booth": ([(1, 3)], 0),
    "matyas": ([(0, 0)], 0),
    "mccormick": ([(-0.547198, -1.547198)], -1.913223),
    "branin": ([(-np.pi, 12.275), (np.pi, 2.275), (9.42478, 2.475)], 0.397887),
    "three_hump_camel": ([(0, 0)], 0),
    "six_hump_camel": ([(0.089842, -0.712656), (-0.089842, 0.712656)], -1.031628),
    "styblinski_tang": ([(-2.903534, -2.903534)], -78.33233),
    "rastrigin": ([(0, 0)], 0),
    "ackley": ([(0, 0)], 0),
    "levy": ([(1, 1)], 0),
    "goldstein_price": ([(0, -1)], 3),
    "easom": ([(np.pi, np.pi)], -1),
    "two_wells": ([(-0.936297, 0)], -2.063091),
}
WITHOUT_MINIMA = ("slope", "saddle", "plateau")


def at(surface, point, outputs):
    expression = parse(surface.formula)
    arrays = dict(zip(expression.variables, np.array(point, float)[:, None], strict=True))
    with np.errstate(all="ignore"):
        return [output[0] for output in expression.compile(outputs)(np, **arrays)]


def test_every_surface_is_in_the_table():
    assert set(SURFACES) == {*TABLE, *WITHOUT_MINIMA}
    assert all(not SURFACES[name].minima and SURFACES[name].value is None for name in WITHOUT_MINIMA)


@pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
def test_domain_and_start_have_the_dimension_of_the_formula(surface):
    dimension = parse(surface.formula).dimension
    assert len(surface.domain) == len(surface.start) == dimension
    assert all(low <= value <= high for value, (low, high) in zip(surface.start, surface.domain, strict=True))
    assert surface.title
    assert surface.sentence.endswith(".")


@pytest.mark.parametrize("name", TABLE)
def test_minima_are_those_of_the_literature(name):
    surface = SURFACES[name]
    points, value = TABLE[name]
    np.testing.assert_allclose(surface.minima, points, atol=5e-6)
    assert surface.value == pytest.approx(value, abs=5e-6)


@pytest.mark.parametrize("name", [name for name in TABLE if name != "ackley"])
def test_at_a_minimum_the_gradient_vanishes_and_the_value_is_exact(name):
    surface = SURFACES[name]
    variables = "xy"[: len(surface.start)]
    for point, value in (*((point, surface.value) for point in surface.minima), *surface.local_minima):
        found, *gradient = at(surface, point, ("value", *variables))
        assert found == pytest.approx(value, rel=1e-14, abs=1e-13)
        np.testing.assert_allclose(gradient, 0, atol=1e-13)
        second = at(surface, point, ("xx", "xy", "yy") if len(variables) == 2 else ("xx",))
        hessian = np.array([[second[0], second[1]], [second[1], second[2]]]) if len(variables) == 2 else [second]
        assert (np.linalg.eigvalsh(hessian) > 0).all(), "a minimum, not a saddle"


@pytest.mark.parametrize("name", TABLE)
def test_nothing_in_the_domain_is_lower_than_the_minimum(name):
    surface = SURFACES[name]
    axes = np.meshgrid(*(np.linspace(low, high, 301) for low, high in surface.domain))
    expression = parse(surface.formula)
    heights = expression(np, **dict(zip(expression.variables, axes, strict=True)))
    assert heights.min() >= surface.value - 1e-12


@pytest.mark.parametrize(("name", "slope"), [("ackley", 4 / np.sqrt(2)), ("plateau", 0.035333)])
def test_two_surfaces_end_in_the_tip_of_a_cone_where_the_gradient_is_taken_as_0(name, slope):
    surface = SURFACES[name]
    assert at(surface, (0, 0), ("x", "y")) == [0, 0]
    for angle in np.linspace(0, 2 * np.pi, 7):
        x_slope, y_slope = at(surface, (1e-7 * np.cos(angle), 1e-7 * np.sin(angle)), ("x", "y"))
        outward = x_slope * np.cos(angle) + y_slope * np.sin(angle)
        assert outward == pytest.approx(slope, rel=1e-3)
