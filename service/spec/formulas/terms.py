"""Terms of formulas.

A term is an operation on other terms. Equal terms are one object, so a formula and all of its derivatives form one
graph, and common terms are computed once. Terms are numbered in the order of their creation, operands first; a loop in
this order needs no recursion.
"""

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from service.spec.formulas.functions import FUNCTIONS

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


# Without a generated repr, which would write shared terms once per use, exponentially many times in a long formula.
@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Term:
    """A constant (`number`), a variable (`name`) or an operation on other terms; `index` counts terms as they are
    made.
    """

    operation: str
    operands: tuple["Term", ...]
    number: float
    name: str
    index: int

    @property
    def is_constant(self) -> bool:
        return self.operation == "constant"


class Terms:
    """Creates terms, each once, and simplifies + 0, · 1, · 0, ** 1 and arithmetic of constants."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], Term] = {}

    def __len__(self) -> int:
        return len(self._made)

    def _term(self, operation: str, *operands: Term, number: float = 0.0, name: str = "") -> Term:
        # The key contains the sign, because −0.0 equals 0.0; all NaN have one key, because NaN does not equal NaN.
        sign = math.copysign(1.0, number)
        key = (operation, *operands, "NaN" if math.isnan(number) else number, sign, name)
        if key not in self._made:
            self._made[key] = Term(operation, operands, number, name, len(self._made))
        return self._made[key]

    def constant(self, number: float) -> Term:
        return self._term("constant", number=float(number))

    def variable(self, name: str) -> Term:
        return self._term("variable", name=name)

    def add(self, left: Term, right: Term) -> Term:
        if left.is_constant and right.is_constant:
            return self.constant(left.number + right.number)
        if is_number(left, 0):
            return right
        if is_number(right, 0):
            return left
        if right.operation == "negative":
            return self.subtract(left, right.operands[0])
        if left is right:
            return self.multiply(self.constant(2), left)
        return self._term("+", *sorted((left, right), key=lambda term: term.index))

    def subtract(self, left: Term, right: Term) -> Term:
        if left.is_constant and right.is_constant:
            return self.constant(left.number - right.number)
        if is_number(left, 0):
            return self.negative(right)
        if is_number(right, 0):
            return left
        if right.operation == "negative":
            return self.add(left, right.operands[0])
        return self._term("-", left, right)

    def negative(self, term: Term) -> Term:
        if term.is_constant:
            return self.constant(-term.number)
        if term.operation == "negative":
            return term.operands[0]
        if term.operation == "*" and term.operands[0].is_constant:
            return self.multiply(self.constant(-term.operands[0].number), term.operands[1])
        return self._term("negative", term)

    def multiply(self, left: Term, right: Term) -> Term:
        """Make a product with its constant first; two constants become one unless the result is 0 or not finite."""
        if left.is_constant and right.is_constant:
            return self.constant(left.number * right.number)
        if right.is_constant:
            left, right = right, left
        if left.is_constant:
            if left.number in (0, 1):
                return left if left.number == 0 else right
            if left.number == -1:
                return self.negative(right)
            if has_constant(right):
                product = left.number * right.operands[0].number
                if product != 0 and math.isfinite(product):
                    return self.multiply(self.constant(product), right.operands[1])
            return self._term("*", left, right)
        for factor, other in ((left, right), (right, left)):
            if factor.operation == "negative":
                return self.negative(self.multiply(factor.operands[0], other))
            # Two nested constants, which were not combined above, stay where they are: moved out, those of
            # (1e300 * x) ** 1000 would become a chain of a thousand.
            if has_constant(factor) and not has_constant(factor.operands[1]):
                return self.multiply(factor.operands[0], self.multiply(factor.operands[1], other))
        return self._term("*", *sorted((left, right), key=lambda term: term.index))

    def divide(self, left: Term, right: Term) -> Term:
        if left.is_constant and right.is_constant:
            return self.constant(_quotient(left.number, right.number))
        if is_number(left, 0) or is_number(right, 1):
            return left
        return self._term("/", left, right)

    def power(self, base: Term, exponent: Term) -> Term:
        if base.is_constant and exponent.is_constant:
            return self.constant(_number(math.pow, base.number, exponent.number))
        if is_number(exponent, 0):
            return self.constant(1)
        if is_number(exponent, 1):
            return base
        if is_number(exponent, 0.5):
            return self.apply("sqrt", base)
        return self._term("pow", base, exponent)

    def compare(self, comparison: str, left: Term, right: Term) -> Term:
        """Make a condition, the first operand of `where`; one of constants is the constant 1 or 0."""
        if left.is_constant and right.is_constant:
            return self.constant(COMPARISONS[comparison](left.number, right.number))
        return self._term(comparison, left, right)

    def apply(self, function: str, *operands: Term) -> Term:
        # A reduction of a constant depends on the number of parameters.
        if function in FUNCTIONS and all(operand.is_constant for operand in operands):
            return self.constant(_number(FUNCTIONS[function].value, *(operand.number for operand in operands)))
        if function == "where":
            condition, one, other = operands
            if condition.is_constant:
                return one if condition.number else other
            if one is other:
                return one
        elif function in ("min", "max") and operands[0] is operands[1]:
            return operands[0]
        return self._term(function, *operands)

    def slope_times(self, slope: Term, factor: Term) -> Term:
        """Multiply a slope by the slope of an outer operation; 0 stays 0, also times infinity or NaN."""
        if slope.is_constant or factor.is_constant:
            return self.multiply(slope, factor)
        return self._term("slope*", slope, factor)

    def slope_over(self, slope: Term, divisor: Term) -> Term:
        """Divide a slope; 0 stays 0, also over 0."""
        return self.divide(slope, divisor) if slope.is_constant else self._term("slope/", slope, divisor)

    def same(self, term: Term, operands: Sequence[Term]) -> Term:
        """Apply the operation of a term to other operands."""
        if tuple(operands) == term.operands:
            return term
        return self._term(term.operation, *operands)


def in_order(terms: Iterable[Term]) -> list[Term]:
    """List these terms and all of their operands, operands first."""
    found: set[Term] = set()
    waiting = list(terms)
    while waiting:
        term = waiting.pop()
        if term not in found:
            found.add(term)
            waiting.extend(term.operands)
    return sorted(found, key=lambda term: term.index)


def has_constant(term: Term) -> bool:
    """Whether a term is a product that begins with a constant."""
    return term.operation == "*" and term.operands[0].is_constant


def is_number(term: Term, number: float) -> bool:
    return term.is_constant and term.number == number


def _quotient(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1.0, right)


def _number(function: Callable[..., float], *values: float) -> float:
    """Compute as arrays do where Python raises: infinity beyond the range, NaN outside of the domain."""
    try:
        return float(function(*values))
    except OverflowError:
        return math.inf
    except ValueError:
        return -math.inf if function in (math.log, math.log10) and values[0] == 0 else math.nan
