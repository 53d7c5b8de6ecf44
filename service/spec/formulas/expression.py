"""Formulas of users: parser, limits, derivatives and compilation.

The text is never run as code. A tokenizer and a precedence parser turn it into a graph of the operations of terms.py;
everything else is rejected with its place and what is allowed there.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from service.spec.formulas.derivative import derivative
from service.spec.formulas.program import Program
from service.spec.formulas.terms import FUNCTIONS, Term, Terms

# The longest standard surface has 130 characters; this allows a sum of fifteen such formulas.
MAX_CHARACTERS = 2_000
# Each parenthesis, minus sign and power is a level, and a level takes two of the 1,000 stack frames of Python.
MAX_DEPTH = 100
# Each term is an operation on the numbers of every run at every update.
MAX_TERMS = 500
# Integer powers become chains of products; beyond this the result is 0 or infinite for nearly every base.
MAX_EXPONENT = 1_000

VARIABLES = ("x", "y")
CONSTANTS = {"pi": math.pi, "e": math.e}
USABLE = ("sin", "cos", "tan", "exp", "log", "sqrt", "abs", "tanh")
ALLOWED = f"A formula is made of x, y, numbers, pi, e, + - * / **, parentheses and {' '.join(USABLE)}."

_TOKEN = re.compile(
    r"[ \t\r\n]*(?:"
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z]+)"
    r"|(?P<symbol>\*\*|[-+*/()]))"
)
_SUM, _PRODUCT, _SIGN, _POWER = 1, 2, 3, 4
_BINDING = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER}


class ExpressionError(ValueError):
    """An invalid formula; the message has the place and what is allowed."""


@dataclass(frozen=True, eq=False)
class Expression:
    """A formula in x, or in x and y."""

    text: str
    variables: tuple[str, ...]
    root: Term = field(repr=False)
    terms: Terms = field(repr=False)

    @property
    def dimension(self) -> int:
        return len(self.variables)

    def derivative(self, variable: str) -> "Expression":
        """Give the partial derivative as an expression."""
        root = derivative(self.terms, self.root, variable)
        return Expression(f"d({self.text})/d{variable}", self.variables, root, self.terms)

    def compile(self, outputs: tuple[str, ...] = ("value",)) -> Program:
        """Computes several outputs at once, with common terms shared.

        An output is "value", or one letter for each derivative: "x" for ∂f/∂x, "xy" for ∂²f/∂x∂y.
        """
        roots = []
        for output in outputs:
            root = self.root
            for variable in "" if output == "value" else output:
                root = derivative(self.terms, root, variable)
            roots.append(root)
        return Program(self.terms, roots, self.variables)

    def __call__(self, namespace: Any, **variables: Any) -> Any:
        """Compute the value at arrays x and y of numpy or torch; for repeated use call ``compile`` once instead."""
        return self.compile()(namespace, **variables)[0]


def parse(text: str) -> Expression:
    """Parse a text; ExpressionError if it is not a valid formula."""
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"The formula has {len(text):,} characters; at most {MAX_CHARACTERS:,} are allowed.")
    return _Parser(text).expression()


class _Token(NamedTuple):
    kind: str
    text: str
    position: int

    def __str__(self) -> str:
        return f"{self.text!r} at character {self.position}" if self.text else "The end of the formula"


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    end = len(text.rstrip(" \t\r\n"))
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            position += len(text[position:]) - len(text[position:].lstrip(" \t\r\n"))
            hint = " A power is written **." if text[position] == "^" else ""
            raise ExpressionError(f"{text[position]!r} at character {position + 1} is not allowed.{hint} {ALLOWED}")
        yield _Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1)
        position = match.end()
    yield _Token("end", "", end + 1)


class _Parser:
    """Precedence climbing: the right operand of an operator includes all operators that bind more tightly."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = next(self._tokens)
        self._terms = Terms()
        self._used: set[str] = set()
        self._depth = 0

    def expression(self) -> Expression:
        root = self._operation(_SUM)
        if self._next.kind != "end":
            raise self._unexpected("an operator")
        if not self._used:
            raise ExpressionError("The formula is constant: it uses neither x nor y, so there is nothing to minimise.")
        variables = VARIABLES if "y" in self._used else VARIABLES[:1]
        return Expression(self._text, variables, root, self._terms)

    def _operation(self, weakest: int) -> Term:
        """Parse operands joined by operators that bind at least as tightly as `weakest`."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(
                f"{self._next} is nested more than {MAX_DEPTH} levels deep; write the formula with fewer parentheses."
            )
        left = self._operand()
        while _BINDING.get(self._next.text, 0) >= weakest:
            token = self._advance()
            # Equal operators group to the left, except powers: 2 ** 3 ** 2 is 2 ** 9.
            right = self._operation(_BINDING[token.text] + (token.text != "**"))
            left = self._checked(self._join(token, left, right), token)
        self._depth -= 1
        return left

    def _operand(self) -> Term:
        token = self._advance()
        if token.kind == "number":
            return self._checked(self._terms.constant(float(token.text)), token)
        if token.text == "-":
            return self._terms.negative(self._operation(_SIGN))
        if token.text == "(":
            return self._closed(self._operation(_SUM))
        if token.text in VARIABLES:
            self._used.add(token.text)
            return self._terms.variable(token.text)
        if token.text in CONSTANTS:
            return self._terms.constant(CONSTANTS[token.text])
        if token.text in USABLE:
            if self._advance().text != "(":
                raise ExpressionError(f"{token} is a function: write its argument in parentheses, {token.text}(x).")
            return self._checked(self._terms.apply(token.text, self._closed(self._operation(_SUM))), token)
        if token.kind == "name":
            raise ExpressionError(f"{token} is not a name that a formula may use. {ALLOWED}")
        raise ExpressionError(f"{token} comes where a number, a name, a function or '(' is expected. {ALLOWED}")

    def _join(self, token: _Token, left: Term, right: Term) -> Term:
        match token.text:
            case "+":
                return self._terms.add(left, right)
            case "-":
                return self._terms.subtract(left, right)
            case "*":
                return self._terms.multiply(left, right)
            case "/":
                return self._terms.divide(left, right)
        if right.is_constant and not left.is_constant and abs(right.number) > MAX_EXPONENT:
            raise ExpressionError(
                f"{token} raises to {right.number:g}; exponents from -{MAX_EXPONENT} to {MAX_EXPONENT} are allowed."
            )
        return self._terms.power(left, right)

    def _checked(self, term: Term, token: _Token) -> Term:
        if term.is_constant and not math.isfinite(term.number):
            raise ExpressionError(f"{token} gives {term.number}; constants must be finite numbers below 1.8e308.")
        if len(self._terms) > MAX_TERMS:
            raise ExpressionError(f"{token} makes more than {MAX_TERMS} different terms; write a shorter formula.")
        return term

    def _closed(self, term: Term) -> Term:
        if self._next.text != ")":
            raise self._unexpected("')' or an operator")
        self._advance()
        return term

    def _unexpected(self, expected: str) -> ExpressionError:
        return ExpressionError(f"{self._next} comes where {expected} is expected. {ALLOWED}")

    def _advance(self) -> _Token:
        token = self._next
        self._next = next(self._tokens, token)
        return token


assert set(USABLE) < set(FUNCTIONS)
