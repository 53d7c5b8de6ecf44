"""Formulas have the right values and derivatives."""

import math
import time
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from service.spec.formulas.builder import MAX_EXPONENT
from service.spec.formulas.expression import parse
from service.spec.formulas.notation import MAX_CHARACTERS
from service.spec.formulas.tokens import ExpressionError
from service.spec.surfaces import SURFACES

FORMULAS = [
    *(surface.formula for surface in SURFACES.values()),
    "sin(x)*cos(y) + tan(x/3)",
    "exp(-x**2)*log(1 + y**2) - tanh(x*y)",
    "abs(x - 0.3)**1.5 + sqrt(1 + x**2*y**2)",
    "x**-3 + 2**x + (1 + x**2)**y + y**7 - x**0",
    "-x**2 + 2**-y*3 - -x",
    "x/y/(x + 3)/2",
    "exp(x*y)",
    "x**y",
    "sqrt(x/y)",
    "(x - y)*(x - y)*(x - y)/1e-3 + e**x*pi",
]


def points(num=50):
    return np.random.default_rng(0).uniform(0.1, 2, size=(2, num))


def inputs(expression, arrays):
    return dict(zip(expression.variables, arrays, strict=False))


@st.composite
def formulas(draw, depth=4):
    """Formulas that Python can evaluate too, with few parentheses, so that precedence matters."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(["x", "y", "2", "0.5", "3", "1e1", ".25", "pi", "e"]))
    inner = formulas(depth=depth - 1)
    form = draw(st.sampled_from(["{}+{}", "{} - {}", "{}*{}", "{}/{}", "-{}", "({})", "{}**2", "({})**-1", "sin({})",
                                 "tanh({})", "abs({})", "sqrt(abs({}))", "exp(-abs({}))", "2**-{}**2"]))  # fmt: skip
    return form.format(*(draw(inner) for _ in range(form.count("{}"))))


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=formulas(), x=st.floats(-3, 3), y=st.floats(-3, 3))
def test_a_formula_has_its_value_in_python(text, x, y):
    names = {name: getattr(math, name) for name in ("sin", "tanh", "sqrt", "exp", "pi", "e")} | {"abs": abs}
    try:
        expected = eval(text, names, {"x": x, "y": y})
    except (ZeroDivisionError, OverflowError):
        return
    try:
        expression = parse(text)
    except ExpressionError as refused:
        # 2**2**2**2 is 65,536, and so is the exponent of x in x**2**2**2**2.
        if f"exponents from -{MAX_EXPONENT}" not in str(refused):
            assert "x" not in text.replace("exp", "")
            assert "y" not in text
        return
    with np.errstate(all="ignore"):
        found = expression(np, **inputs(expression, (np.array([x]), np.array([y]))))[0]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("text", FORMULAS)
def test_derivatives_equal_autograd(text):
    expression = parse(text)
    at = points()
    program = expression.compile(("value", *expression.variables))
    value, *slopes = program(np, **inputs(expression, at))
    leaves = {name: torch.tensor(row, requires_grad=True) for name, row in inputs(expression, at).items()}
    expected = expression(torch, **leaves)
    np.testing.assert_allclose(value, expected.detach().numpy(), rtol=1e-12)
    used = torch.autograd.grad(expected.sum(), list(leaves.values()))
    for slope, gradient in zip(slopes, used, strict=True):
        np.testing.assert_allclose(slope, gradient.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("text", ["x**4*y + sin(x*y)", "exp(x/y) + x**1.5*y**0.5", "x**y"])
def test_second_derivatives_agree_whichever_way_they_are_taken(text):
    expression = parse(text)
    x, y = points()
    at = {"x": x, "y": y}
    xx, xy, yx, yy = expression.compile(("xx", "xy", "yx", "yy"))(np, **at)
    np.testing.assert_allclose(xy, yx, rtol=1e-10, atol=1e-12)
    twice = expression.derivative("x").derivative("x")
    np.testing.assert_allclose(twice(np, **at), xx, rtol=1e-12)
    step = 1e-6
    slope = expression.derivative("y").compile()
    (above,), (below,) = (slope(np, x=x, y=y + sign * step) for sign in (1, -1))
    np.testing.assert_allclose((above - below) / (2 * step), yy, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("text", ["x**2 + 10*y**2", "(1 - x)**2 + 100*(y - x**2)**2", "x**7*y**3/(1 + x**4) - 3*x**-2"])
def test_numpy_and_torch_agree_to_the_last_bit_where_arithmetic_is_exact(text):
    program = parse(text).compile(("value", "x", "y"))
    x, y = points()
    from_numpy = program(np, x=x, y=y)
    from_torch = program(torch, x=torch.from_numpy(x), y=torch.from_numpy(y))
    for one, other in zip(from_numpy, from_torch, strict=True):
        assert one.tobytes() == other.numpy().tobytes()


@pytest.mark.parametrize(
    ("text", "variables"),
    [("x**2", ("x",)), ("y", ("x", "y")), ("x + y", ("x", "y")), ("0*x", ("x",)), ("x-x", ("x",))],
)
def test_the_variables_are_those_that_the_text_uses(text, variables):
    expression = parse(text)
    assert expression.variables == variables
    assert expression.dimension == len(variables)
    assert expression.text == text


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_constant_derivatives_have_the_shape_and_dtype_of_the_input(dtype):
    x = torch.ones(3, 4, dtype=dtype)
    for output in parse("3*x - y + 2*pi").compile(("value", "x", "y", "xx"))(torch, x=x, y=x):
        assert (output.shape, output.dtype) == (x.shape, dtype)


def test_common_terms_of_value_and_derivatives_are_computed_once():
    assert len(parse("x**2 + 10*y**2").compile(("value", "x", "y"))) == 6
    # One exponential, one square, and a handful of products.
    assert len(parse("exp(x**2)").compile(("value", "x", "xx"))) <= 8


def test_high_powers_are_chains_of_few_products():
    assert len(parse("x**1000").compile()) <= 15
    assert parse("x**1000")(np, x=np.array([1.01]))[0] == pytest.approx(1.01**1000, rel=1e-12)


def test_outside_its_domain_a_formula_is_nan_or_infinite_like_any_array_arithmetic():
    program = parse("log(x)").compile(("value", "x"))
    with np.errstate(all="ignore"):
        value, slope = program(np, x=np.array([-1.0, 0.0]))
    assert np.isnan(value[0])
    assert value[1] == -np.inf
    assert slope.tolist() == [-1.0, np.inf]


def test_the_longest_formulas_that_are_allowed_derive_quickly():
    deep = "sin(" * 90 + "x" + ")" * 90
    long = "+".join(f"sin({number}*x*y)" for number in range(90))
    assert len(long) <= MAX_CHARACTERS
    started = time.thread_time()
    chosen = "where(x<1,x**y," * 60 + "y" + ")" * 60
    nested = "min(x*y,max(y," * 45 + "x" + "))" * 45
    for text in (deep, long, "x*y*" * 240 + "x", "x**y**x**y**x**y**x", "xy" * 240 + "x", chosen, nested):
        expression = parse(text)
        expression.compile(("value", *expression.variables, "xx"))
    assert time.thread_time() - started < 2


def test_the_evaluation_of_a_formula_emits_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parse("x**-1000 + 1e308*x*1e308")
