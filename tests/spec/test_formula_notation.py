"""Formulas as people write them: what each notation means, and the normal form that specs store."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.spec.formulas.expression import MAX_CHARACTERS, parse
from service.spec.formulas.grammar import SURFACE, Grammar
from service.spec.formulas.tokens import ExpressionError, tokens
from service.spec.job import JobSpec
from service.spec.problems import Surface

NORMAL = {
    "2x": "2*x",
    "3xy": "3*x*y",
    "3(x+1)": "3*(x + 1)",
    "x(x+1)(y-2)": "x*(x + 1)*(y - 2)",
    "2 x y": "2*x*y",
    "x^2": "x**2",
    "x²": "x**2",
    "x¹⁰y³": "x**10*y**3",
    "x⁻²": "x**(-2)",
    "(x+1)²": "(x + 1)**2",
    "sin(x)²": "sin(x)**2",
    "|x|": "abs(x)",
    "|x|²y": "abs(x)**2*y",
    "2*|x - y|": "2*abs(x - y)",
    "xsin(y)": "x*sin(y)",
    "xlog10(y)": "x*log10(y)",
    "2exp(x)": "2*exp(x)",
    "2ex": "2*e*x",
    "2e x": "2*e*x",
    "2e-x": "2*e - x",
    "2e3x": "2e3*x",
    "2e-3x": "2e-3*x",
    "pixy": "pi*x*y",
    "2πx": "2*pi*x",
    "√(x)": "sqrt(x)",
    "ln(x)": "log(x)",
    "x − y·2×3÷x": "x - y*2*3/x",
    "x\u00a0+ 1": "x + 1",
    # A product without a sign binds exactly as *, and so do the signs of other products.
    "1/2x": "(1/2)*x",
    "x/2y²": "(x/2)*y**2",
    "x/y/2x": "((x/y)/2)*x",
    "2^xy": "(2**x)*y",
    "x^2y": "x**2*y",
    "x^2^y": "x**(2**y)",
    "x^-1y": "x**(-1)*y",
    "-x²": "-(x**2)",
    "-2x": "-2*x",
    "e^-x²": "e**(-(x**2))",
    "y - 2x": "y - 2*x",
    "y + (-2)x": "y + (-2*x)",
    "2(x - (y - 1))": "2*(x - (y - 1))",
    # Functions of several arguments, and comparisons.
    "min(x,y)": "min(x, y)",
    "max(x,2y)": "max(x, 2*y)",
    "where((x<y),x²,2)": "where(x < y, x**2, 2)",
    "where(x ≤ 1, x, y)": "where(x <= 1, x, y)",
    "where(x≠0,sin(x)/x,1)": "where(x != 0, sin(x)/x, 1)",
    "sigmoid(x)sign(y)": "sigmoid(x)*sign(y)",
}


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(("text", "normal"), NORMAL.items())
def test_a_notation_is_stored_in_its_normal_form(text, normal):
    assert parse(text).text == normal
    assert parse(normal).text == normal


@pytest.mark.parametrize(
    "text",
    ["x**2+10*y**2", " x ** 2\n", "1/2*x", "-x**2", "x/y/2", "2**x*y", "((x))", "x**-2", "abs( x )", "sin(x)*e", "--x"],
)
def test_a_formula_in_the_first_notation_is_stored_as_it_is_written(text):
    assert parse(text).text == text


def test_jobs_with_equal_formulas_in_different_notation_have_equal_digests():
    def digest(expression):
        problem = {"kind": "surface", "expression": expression, "start": [5, 2]}
        return JobSpec.model_validate(
            {"problem": problem, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 3}
        ).digest()

    assert digest("x**2 + 10*y**2") == digest("x^2+10y^2") == digest("x² + 10·y²")
    assert digest("max(x,y)") == digest("max( x , y )")


def test_the_spec_shows_the_normal_form_and_accepts_it_again():
    given = Surface.model_validate({"kind": "surface", "expression": "1/2x² + |y|", "start": [1, 1]})
    assert given.expression == "(1/2)*x**2 + abs(y)"
    assert Surface.model_validate(given.model_dump()) == given


def term(root):
    """A term as nested tuples, without numbers that depend on the order of parsing."""
    return (root.operation, root.number, root.name, *map(term, root.operands))


@st.composite
def written(draw, depth=4):
    """Formulas in every notation."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(["x", "y", "2", "0.5", "1e1", "π", "e", "xy", "2x", "x²", "y⁻¹"]))
    inner = written(depth=depth - 1)
    form = draw(st.sampled_from([
        "{}+{}", "{} − {}", "{}·{}", "{}/{}", "-{}", "({})", "({})²", "({})^{}", "2^{}", "3({})", "x({})", "({})y",
        "({})({})", "sin({})", "xsigmoid({})", "abs({})", "min({},{})", "max({}, {})", "where({}<{},{},{})",
        "where({} == {}, {}, {})", "|x-1|", "log10({})", "sign({})", "1/2({})", "{} x", "{}**({})",
    ]))  # fmt: skip
    return form.format(*(draw(inner) for _ in range(form.count("{}"))))


@pytest.mark.slow
@settings(max_examples=500, deadline=None, derandomize=True)
@given(text=written())
def test_the_normal_form_has_the_same_terms_and_is_its_own_normal_form(text):
    try:
        expression = parse(text)
    except ExpressionError:
        return
    again = parse(expression.text)
    assert again.text == expression.text
    assert (again.variables, len(again.terms)) == (expression.variables, len(expression.terms))
    assert term(again.root) == term(expression.root)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/2x", 1.5),
        ("x^2y", 18),
        ("2^xy", 16),
        ("-x²", -9),
        ("2^2^x", 256),
        ("x⁻²", 1 / 9),
        ("|1 - x|y", 4),
        ("xyy²", 24),
        ("ey", 2 * math.e),
        ("min(x, y) + 10max(x, y)", 32),
        ("log10(100x/3)", 2),
        ("sigmoid(x - 3)", 0.5),
        ("sign(-x)y", -2),
        ("where(x < y, 1, 2)x", 6),
        ("where(x > y, 1, 2)x", 3),
        ("where(x >= 3, 1, 2)x", 3),
        ("where(x <= 2, 1, 2)x", 6),
        ("where(x == 3, 1, 2)x", 3),
        ("where(x != 3, 1, 2)x", 6),
    ],
)
def test_a_notation_has_the_value_that_it_is_read_as(text, value):
    expression = parse(text)
    at = {"x": np.array([3.0]), "y": np.array([2.0])}
    found = expression(np, **{name: at[name] for name in expression.variables})[0]
    assert found == pytest.approx(value, rel=1e-14)


def test_a_formula_whose_normal_form_is_too_long_is_rejected():
    product = "xy" * 100
    text = f"max({product}," * 8 + product + ")" * 8
    assert len(text) <= MAX_CHARACTERS
    with pytest.raises(ExpressionError, match="written out, the formula has"):
        parse(text)
    # Each division puts one more product into parentheses.
    with pytest.raises(ExpressionError, match=r"written out: .* levels deep"):
        parse("1" + "/2x" * 150)


def test_the_letter_y_occurs_in_no_other_name():
    """The page decides by it whether a formula has one variable or two (race/controls.js)."""
    assert [name for name in SURFACE.names if "y" in name] == ["y"]


def test_names_of_several_letters_are_split_only_where_the_grammar_says_so():
    whole = Grammar(variables=("x", "beta1"), constants={}, functions=SURFACE.functions, splits=False)
    assert [token.text for token in tokens("2 beta1*x", whole)] == ["2", "beta1", "*", "x", ""]
    with pytest.raises(ExpressionError, match="'xbeta1' at character 1 is not a name"):
        list(tokens("xbeta1", whole))
