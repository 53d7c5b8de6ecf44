"""Letters of a surface's formula that stand for numbers, and the formula as MathML."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from pydantic import ValidationError

from service.api.routes.catalogue import SurfaceFormula, surface_formula
from service.spec.formulas.expression import parse, parse_letters
from service.spec.problems import Surface


def surface(**fields: object) -> Surface:
    return Surface.model_validate({"kind": "surface", "start": [1.0, 1.0], **fields})


def text_of(formula: str) -> str:
    """The characters of the MathML of a formula, without its invisible signs."""
    return re.sub("[\u2061\u2062]", "", "".join(ET.fromstring(parse_letters(formula)[1]).itertext()))


def test_a_letter_stands_for_its_number() -> None:
    one = surface(expression="a x² + by**2", parameters={"a": 2.0, "b": 10.0})
    assert one.expression == "a*x**2 + b*y**2"
    assert parse(one.expression, one.parameters).letters == ("a", "b")
    x, y = np.array([1.5]), np.array([-2.0])
    outputs = ("value", "x", "y")
    of_letters, of_numbers = one.landscape.compile(outputs), parse("2*x**2 + 10*y**2").compile(outputs)
    assert np.array_equal(of_letters(np, x=x, y=y), of_numbers(np, x=x, y=y))


def test_a_program_with_letters_has_them_as_inputs() -> None:
    graph = surface(expression="a*x**2 + y", parameters={"a": 3.0}).with_letters[0].graph
    assert graph.inputs == {"a", "x", "y"}
    assert dict(graph.outputs).keys() == {"value", "x", "y"}


def test_a_surface_without_letters_is_stored_as_ever() -> None:
    assert "parameters" not in surface(expression="x**2 + y**2").model_dump()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"expression": "a*x + y"}, "'a' at character 1 is not a name that a formula may use.*number in parameters"),
        ({"expression": "ab*x + y", "parameters": {"a": 1.0, "b": 1.0}}, r"'ab' at character 1.*written a\*b"),
        ({"expression": "x + y", "parameters": {"a": 1.0}}, "the formula has no letter a"),
        ({"expression": "x + y", "parameters": {"x": 1.0}}, "one letter other than x, y and e, not 'x'"),
        ({"expression": "x + y", "parameters": {"rate": 1.0}}, "one letter other than x, y and e, not 'rate'"),
        ({"name": "ravine", "parameters": {"a": 1.0}}, "belong to an 'expression'"),
    ],
)
def test_letters_that_do_not_fit_are_refused(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        surface(**fields)


def test_a_misspelt_word_is_no_product_of_letters() -> None:
    with pytest.raises(ValidationError, match="'foo' at character 8 is not a name that a formula may use"):
        SurfaceFormula(expression="x**2 + foo(y)")


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        ("x^2 + 10y^2", "x2+10y2"),
        ("2*3*x - (x - 1)", "2·3x−(x−1)"),
        ("-(a + x)*y", "−(a+x)y"),
        ("sin(x)**2/(1 + |y|)", "(sin(x))21+|y|"),
        ("(x + 1)**(2*y)", "(x+1)2y"),
        ("where(x <= pi, x, -y)", "where(x≤π,x,−y)"),
        ("(-x)**2 + sqrt(x*y)", "(−x)2+xy"),
    ],
)
def test_a_formula_is_set_as_in_a_textbook(formula: str, written: str) -> None:
    assert text_of(formula) == written


def test_the_route_names_the_letters_of_a_formula() -> None:
    body = bytes(surface_formula(SurfaceFormula(expression="ax²")).body).decode()
    assert '"expression":"a*x**2","dimension":1,"letters":["a"]' in body
