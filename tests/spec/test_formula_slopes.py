"""Slopes of every function: equal to those of torch, and finite where torch divides 0 by 0."""

import math

import numpy as np
import pytest
import torch

from service.spec.formulas.expression import parse
from service.spec.formulas.functions import FUNCTIONS

X, Y = np.random.default_rng(3).uniform(-2, 2, size=(2, 200))
# Each formula, and the same in torch.
TWINS = {
    "2x² + 3xy - |x|y": lambda x, y: 2 * x**2 + 3 * x * y - x.abs() * y,
    "1/2x + y⁻²": lambda x, y: 0.5 * x + y**-2,
    "min(x, y)² + max(2x, y³)": lambda x, y: torch.minimum(x, y) ** 2 + torch.maximum(2 * x, y**3),
    "max(x, 0) + min(y, 1/2)": lambda x, y: x.clamp(min=0) + y.clamp(max=0.5),
    "log10(1 + x²)y": lambda x, y: torch.log10(1 + x**2) * y,
    "sigmoid(3x - y)": lambda x, y: torch.sigmoid(3 * x - y),
    "sign(x)y² + xsign(xy)": lambda x, y: torch.sign(x) * y**2 + x * torch.sign(x * y),
    "where(x < y, x²y, sin(y))": lambda x, y: torch.where(x < y, x**2 * y, torch.sin(y)),
    "where(x >= 0, √(x), -3y)": lambda x, y: torch.where(x >= 0, torch.sqrt(x.clamp(min=1e-300)), -3 * y),
    "where(x² + y² > 1, 2, 3)x": lambda x, y: torch.where(x**2 + y**2 > 1, 2.0, 3.0).double() * x,
    "(x²)^y": lambda x, y: (x**2) ** y,
    "|x|^1.5 + (x² + y²)^(1/3)": lambda x, y: x.abs() ** 1.5 + (x**2 + y**2) ** (1 / 3),
    "2^x + |y|^(x/2)": lambda x, y: 2**x + y.abs() ** (x / 2),
    "tanh(x)cos(y)exp(-y²)tan(x/3)": lambda x, y: torch.tanh(x) * torch.cos(y) * torch.exp(-(y**2)) * torch.tan(x / 3),
    "√(1 + x²) + ln(2 + sin(xy))": lambda x, y: torch.sqrt(1 + x**2) + torch.log(2 + torch.sin(x * y)),
}


@pytest.mark.parametrize(("text", "twin"), TWINS.items(), ids=list(TWINS))
def test_values_and_slopes_equal_those_of_torch(text, twin):
    expression = parse(text)
    x, y = (torch.tensor(row, requires_grad=True) for row in (X, Y))
    expected = twin(x, y)
    gradients = torch.autograd.grad(expected.sum(), (x, y), allow_unused=True, materialize_grads=True)
    program = expression.compile(("value", *expression.variables))
    with np.errstate(all="ignore"):
        of_numpy = program(np, **dict(zip(expression.variables, (X, Y), strict=False)))
    at = (torch.tensor(X), torch.tensor(Y))
    of_torch = program(torch, **dict(zip(expression.variables, at, strict=False)))
    for one, other, right in zip(of_numpy, of_torch, (expected, *gradients), strict=False):
        for found in (one, other.numpy()):
            np.testing.assert_allclose(found, right.detach().numpy(), rtol=1e-12, atol=1e-13)


def test_every_function_has_a_twin():
    named = " ".join(parse(text).text for text in TWINS)
    assert [name for name in FUNCTIONS if f"{name}(" not in named] == []


INFINITE = math.inf
# Values, and slopes by x and y, at points where the rules of differentiation give 0·∞ or 0/0.
POINTS = [
    ("(x**2)**y + y**2", (0, 1), 1, (0, 2)),
    ("(x**2)**y + y**2", (0, 0.512), 0.512**2, (0, 1.024)),
    ("x^y", (0, 0), 1, (0, 0)),
    ("x^y", (0, 2), 0, (0, 0)),
    ("x^y", (0, 1), 0, (1, 0)),
    ("x^y", (-2, 0), 1, (0, math.nan)),
    ("x^(y²)", (-2, 0), 1, (0, 0)),
    ("0^y + x", (1, 0), 2, (1, 0)),
    ("0^y + x", (1, 3), 1, (1, 0)),
    ("(x - 1)^(y + 2)", (1, -2), 1, (0, 0)),
    ("√(x²)", (0,), 0, (0,)),
    ("√(x² + y²)", (0, 0), 0, (0, 0)),
    ("(x²)^0.5", (0,), 0, (0,)),
    ("(x²)^0.25", (0,), 0, (0,)),
    ("|x|", (0,), 0, (0,)),
    ("|x|^0.5", (0,), 0, (0,)),
    ("x^0.5", (0,), 0, (INFINITE,)),
    ("√(x)", (0,), 0, (INFINITE,)),
    ("sign(x)", (0,), 0, (0,)),
    ("min(x, y)", (1, 1), 1, (0.5, 0.5)),
    ("max(x, y)", (1, 1), 1, (0.5, 0.5)),
    ("max(x, 0)", (0,), 0, (0.5,)),
    ("max(x, -x)", (0,), 0, (0,)),
    ("min(x, x)", (3,), 3, (1,)),
    ("where(x > 0, x*log(x), 0) + y", (0, 1), 1, (0, 1)),
    ("where(x > 0, x*log(x), 0) + y", (-1, 1), 1, (0, 1)),
    ("where(x == 0, 1, sin(x)/x)", (0,), 1, (0,)),
    ("where(x != 0, exp(-1/x²), 0)", (0,), 0, (0,)),
    ("max(log(x²), -5)", (0,), -5, (0,)),
    ("sigmoid(x)", (-800,), 0, (0,)),
    ("sigmoid(x)", (800,), 1, (0,)),
]


@pytest.mark.parametrize(("text", "point", "value", "slopes"), POINTS)
def test_where_a_slope_is_not_defined_it_is_0_rather_than_nan(text, point, value, slopes):
    expression = parse(text)
    program = expression.compile(("value", *expression.variables))
    at = dict(zip(expression.variables, np.array(point, float)[:, None], strict=True))
    with np.errstate(all="ignore"):
        of_numpy = [output[0] for output in program(np, **at)]
    of_torch = [output.item() for output in program(torch, **{name: torch.tensor(row) for name, row in at.items()})]
    for found in (of_numpy, of_torch):
        np.testing.assert_allclose(found, [value, *slopes], rtol=1e-15)


@pytest.mark.parametrize("text", ["min(log(x), 1)", "max(1, log(x))", "where(x < 0, log(x), 1)", "sigmoid(log(x))"])
def test_a_value_that_does_not_exist_is_nan_and_no_bound_hides_it(text):
    program = parse(text).compile()
    with np.errstate(all="ignore"):
        assert np.isnan(program(np, x=np.array([-1.0]))[0])
    assert program(torch, x=torch.tensor([-1.0]))[0].isnan()


@pytest.mark.parametrize("text", ["(1 + x²)^y", "(x²)^(y/2)", "√(x² + 4y²)", "sigmoid(xy)²", "log10(2 + xy)",
                                  "where(x < y, x³y, xy³)", "max(x, y)³min(x, y)"])  # fmt: skip
def test_curvatures_equal_differences_of_slopes(text):
    program = parse(text).compile(("xx", "xy", "yx", "yy"))
    slope_x, slope_y = (parse(text).derivative(name).compile() for name in "xy")
    x, y, step = X[:50], Y[:50], 1e-6
    xx, xy, yx, yy = program(np, x=x, y=y)
    np.testing.assert_allclose(xy, yx, rtol=1e-9, atol=1e-10)
    along = [(xx, slope_x, step, 0), (yx, slope_x, 0, step), (xy, slope_y, step, 0), (yy, slope_y, 0, step)]
    for curvature, slope, right, up in along:
        (above,), (below,) = (slope(np, x=x + side * right, y=y + side * up) for side in (1, -1))
        np.testing.assert_allclose(curvature, (above - below) / (2 * step), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_constants_among_the_operands_keep_shape_and_dtype(dtype):
    x = torch.linspace(-1, 1, 12, dtype=dtype).reshape(3, 4)
    for text in ("max(x, 0.1)", "where(x < 0, 1, 2) + y", "where(x < 0, x, 0.1)", "min(2, xy)", "sigmoid(x)^0.1"):
        expression = parse(text)
        at = dict.fromkeys(expression.variables, x)
        for output in expression.compile(("value", *expression.variables, "xx"))(torch, **at):
            assert (output.shape, output.dtype) == (x.shape, dtype)


def test_the_cost_of_a_program_grows_with_its_operations():
    def cost(text):
        return parse(text).compile(("value", "x")).cost

    assert cost("x + 1") < cost("x**2") < cost("sin(x)") < cost("x**1.7")
    assert cost("x**2") == len(parse("x**2").compile(("value", "x")))
