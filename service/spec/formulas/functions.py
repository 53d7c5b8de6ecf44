"""Functions of formulas: arguments, values, derivatives and costs."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from service.spec.formulas.terms import Term, Terms

# The derivative of a term from the derivatives of its operands.
Rule = Callable[["Terms", "Term", Sequence["Term"]], "Term"]


@dataclass(frozen=True)
class Function:
    """A function that formulas may use.

    `arguments` are those of the documentation, `value` computes with constants, `arrays` with a namespace (numpy,
    torch) and arrays. `cost` is the time on arrays of a thousand numbers, in additions of two such arrays.
    A function that is not smooth has a jump or a kink, which a constant second derivative does not show.
    """

    arguments: tuple[str, ...]
    value: Callable[..., float]
    arrays: Callable[..., Any]
    slope: Rule
    cost: float
    is_smooth: bool = True


def _named(name: str) -> Callable[..., Any]:
    return lambda namespace, *values: getattr(namespace, name)(*values)


def _sigmoid(namespace: Any, values: Any) -> Any:
    if hasattr(namespace, "sigmoid"):
        return namespace.sigmoid(values)
    with np.errstate(over="ignore"):  # numpy has no sigmoid; exp(-a) may be infinite, and the result is 0.
        return 1 / (1 + namespace.exp(-values))


def _extreme(function: Callable[..., float]) -> Callable[[float, float], float]:
    return lambda one, other: math.nan if math.isnan(one) or math.isnan(other) else function(one, other)


def _slope_of_extreme(is_min: bool) -> Rule:
    """The slope of the smaller or larger operand; at a tie the mean of both, as torch has it."""

    def rule(terms: "Terms", term: "Term", slopes: Sequence["Term"]) -> "Term":
        (a, b), (da, db) = term.operands, slopes
        of_lower, of_upper = (da, db) if is_min else (db, da)
        mean = terms.multiply(terms.constant(0.5), terms.add(da, db))
        otherwise = terms.apply("where", terms.compare("<", b, a), of_upper, mean)
        return terms.apply("where", terms.compare("<", a, b), of_lower, otherwise)

    return rule


# A rule is given as (terms, f, d): f is the term itself, f.operands[0] its argument, d[0] the slope of the argument.
FUNCTIONS: dict[str, Function] = {
    "sin": Function(
        ("x",),
        math.sin,
        _named("sin"),
        lambda terms, f, d: terms.multiply(terms.apply("cos", *f.operands), d[0]),
        cost=2.5,
    ),
    "cos": Function(
        ("x",),
        math.cos,
        _named("cos"),
        lambda terms, f, d: terms.negative(terms.multiply(terms.apply("sin", *f.operands), d[0])),
        cost=2.5,
    ),
    "tan": Function(
        ("x",),
        math.tan,
        _named("tan"),
        lambda terms, f, d: terms.multiply(terms.add(terms.constant(1), terms.multiply(f, f)), d[0]),
        cost=3,
    ),
    "exp": Function(
        ("x",),
        math.exp,
        _named("exp"),
        lambda terms, f, d: terms.multiply(f, d[0]),
        cost=2,
    ),
    "log": Function(
        ("x",),
        math.log,
        _named("log"),
        lambda terms, f, d: terms.divide(d[0], f.operands[0]),
        cost=2,
    ),
    "log10": Function(
        ("x",),
        math.log10,
        _named("log10"),
        lambda terms, f, d: terms.divide(d[0], terms.multiply(terms.constant(math.log(10)), f.operands[0])),
        cost=2,
    ),
    "sqrt": Function(
        ("x",),
        math.sqrt,
        _named("sqrt"),
        # sqrt(x**2) has no derivative at 0; like that of abs(x), the slope there is 0.
        lambda terms, f, d: terms.slope_over(d[0], terms.multiply(terms.constant(2), f)),
        cost=1.5,
    ),
    "abs": Function(
        ("x",),
        abs,
        _named("abs"),
        lambda terms, f, d: terms.multiply(terms.apply("sign", *f.operands), d[0]),
        cost=1,
        is_smooth=False,
    ),
    "tanh": Function(
        ("x",),
        math.tanh,
        _named("tanh"),
        lambda terms, f, d: terms.multiply(terms.subtract(terms.constant(1), terms.multiply(f, f)), d[0]),
        cost=3,
    ),
    "sigmoid": Function(
        ("x",),
        lambda value: math.exp(min(value, 0.0)) / (1 + math.exp(-abs(value))),
        _sigmoid,
        lambda terms, f, d: terms.multiply(terms.multiply(f, terms.subtract(terms.constant(1), f)), d[0]),
        cost=2,
    ),
    "sign": Function(
        ("x",),
        lambda value: math.nan if math.isnan(value) else float((value > 0) - (value < 0)),
        _named("sign"),
        lambda terms, _f, _d: terms.constant(0),
        cost=1,
        is_smooth=False,
    ),
    "min": Function(
        ("a", "b"), _extreme(min), _named("minimum"), _slope_of_extreme(is_min=True), cost=1, is_smooth=False
    ),
    "max": Function(
        ("a", "b"), _extreme(max), _named("maximum"), _slope_of_extreme(is_min=False), cost=1, is_smooth=False
    ),
    "where": Function(
        ("a < b", "c", "d"),
        lambda condition, one, other: one if condition else other,
        _named("where"),
        # Chosen, not added: the branch that is not used may be infinite or NaN.
        lambda terms, f, d: terms.apply("where", f.operands[0], d[1], d[2]),
        cost=1.5,
        is_smooth=False,
    ),
}
