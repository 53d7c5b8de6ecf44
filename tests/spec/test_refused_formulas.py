"""Text that is no formula is rejected at once, with the place and what is allowed."""

import time

import pytest

from service.spec.formulas.expression import parse
from service.spec.formulas.tokens import ExpressionError
from tests.effort import calls_of


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "end of the formula"),
        ("x +", "end of the formula"),
        ("(x", "end of the formula"),
        ("x)", "')' at character 2"),
        ("x2", "'x2' at character 1 has a digit after a name"),
        ("2xy3", "'xy3' at character 2 has a digit after a name"),
        ("log2(x)", "'log2' at character 1 has a digit after a name"),
        ("x 2", "'2' at character 3 stands after"),
        ("2 3", "'3' at character 3 stands after"),
        ("(x + 1)2", "'2' at character 8 stands after"),
        ("1.2.3x", "'.3' at character 4 stands after"),
        ("0x10", "'x10' at character 2"),
        ("* x", "'*' at character 1"),
        ("x ** * 2", "'*' at character 6"),
        ("sin", "'sin' at character 1"),
        ("sin x", "'sin' at character 1"),
        ("2sinx", "'sin' at character 2 is a function: write its argument in parentheses, sin(x)."),
        ("sin²(x)", "A power of it is written sin(x)**2."),
        ("√x", "'√' at character 1 is a function: write its argument in parentheses, sqrt(x)."),
        ("1 + sinh(x)", "'sinh' at character 5"),
        ("xfoo(y)", "'xfoo' at character 1 is not a name that a formula may use, nor a product of such names: 'foo'"),
        ("z + x", "'z' at character 1"),
        ("X", "'X' at character 1"),
        ("^x", "'^' at character 1"),
        ("²x", "'²' at character 1"),
        ("x² ³", "'³' at character 4"),
        ("x²^3", "'^' at character 3 raises a superscript; write parentheses"),
        ("x⁻", "'⁻' at character 2"),
        ("|x", "end of the formula comes where '|'"),
        ("2|x|", "'|' at character 2 comes where an operator is expected. It follows an operand, so it closes bars"),
        ("|x||y|", "'|' at character 4"),
        ("x + |y|x|", "'|' at character 9"),
        ("||x| - 1|", "'|' at character 2 opens a bar inside of that at character 1"),
        ("|1 + (x*|y|)|", "'|' at character 9 opens a bar inside of that at character 1"),
        ("|(x|)", "'|' at character 4 comes where ')'"),
        ("min(x)", "'min' at character 1 has the wrong number of arguments, 1; write min(a, b)."),
        ("max(x, y, 1)", "'max' at character 1 has the wrong number of arguments, 3"),
        ("sin(x, y)", "'sin' at character 1 has the wrong number of arguments, 2"),
        ("min(x,)", "')' at character 7"),
        ("where(x, 1, 2)", "'where' at character 1 needs a comparison first; write where(a < b, c, d)."),
        ("where(x < y, 1)", "'where' at character 1 has the wrong number"),
        ("where(0 < x < 1, 1, 2)", "'<' at character 9 compares; a comparison stands only first in where"),
        ("where(x < 1, x < 2, 3)", "'<' at character 16 compares"),
        ("x ≤ y", "'≤' at character 3 compares"),
        ("2 + (x < y)", "'<' at character 8 compares"),
        ("where(x = 1, 1, 2)", "'=' at character 9 is not allowed. To compare, write =="),
        ("x.real", "'.' at character 2"),
        ("x.__class__", "'.' at character 2"),
        ("__import__('os')", "'_' at character 1"),
        ("1_000*x", "'_' at character 2"),
        ("'x'", '"\'" at character 1'),
        ("lambda: x", "'lambda' at character 1"),
        ("x_1", "'_' at character 2"),
        ("[x for x in y]", "'[' at character 1"),
        ("{x}", "'{' at character 1"),
        ("x if y else 1", "'if' at character 3"),
        ("x; y", "';' at character 2"),
        ("f'{x}'", "'f' at character 1"),
        ("x'", '"\'" at character 2'),
        ("x := 2", "':' at character 3"),
        ("x == y", "'==' at character 3"),
        ("x = y", "'=' at character 3"),
        ("x, y", "',' at character 2"),
        ("x @ y", "'@' at character 3"),
        ("x + é", "'é' at character 5"),
        ("１ + x", "'１' at character 1"),
        ("x + \x00", "at character 5"),
        ("1e999 + x", "'1e999' at character 1"),
        ("x + 1/0", "'/' at character 6"),
        ("x*log(0)", "'log' at character 3"),
        ("x**1001", "'**' at character 2"),
        ("x¹⁰⁰¹", "'¹⁰⁰¹' at character 2"),
        ("x + log10(0)", "'log10' at character 5"),
        ("x**-1e9", "'**' at character 2"),
        ("9**9**9**9", "'**' at character 5"),
        ("x + 9**9**9**9", "'**' at character 9"),
        ("2 + 3*pi", "constant"),
    ],
)
def test_an_invalid_formula_is_rejected_with_the_place(text, place):
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert place in str(refused.value)


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "(" * 10_000 + "x" + ")" * 10_000,
        "x.__class__" * 100_000,
        "(" * 900 + "x" + ")" * 900,
        "-" * 1900 + "x",
        "x**" * 600 + "x",
        "sin(" * 400 + "x" + ")" * 400,
        "9**9**9**9*x",
        "9" * 1990 + "*x",
        "+".join(f"x*{number}" for number in range(250)),
        "2x" * 500_000,
        "xy" * 900,
        "|" * 1_000_000,
        "min(x," * 300 + "x" + ")" * 300,
        "where(x<" * 240 + "x",
        "x^" * 900 + "x",
        "(x)" * 600,
        "x" + "²" * 1_900,
        "q" * 2_000,
    ],
    ids=lambda text: f"{text[:12]} … {len(text)}",
)
def test_a_formula_that_would_take_long_is_rejected_at_once(text):
    def refuse() -> None:
        with pytest.raises(ExpressionError):
            parse(text)

    # Calls are the same on a busy machine; the seconds bound what happens inside of one call.
    started = time.thread_time()
    assert calls_of(refuse) < 200_000
    assert time.thread_time() - started < 5
