"""Formulas of users: parser, limits, derivatives and compilation.

The text is never run as code. A tokenizer and a precedence parser turn it into a tree, and the tree into a graph of the
operations of terms.py; everything else is rejected with its place and what is allowed there.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from service.spec.formulas.derivative import derivative
from service.spec.formulas.grammar import SURFACE, Grammar
from service.spec.formulas.notation import normal
from service.spec.formulas.program import Program
from service.spec.formulas.syntax import Node, Tree, read
from service.spec.formulas.terms import COMPARISONS, Term, Terms
from service.spec.formulas.tokens import ExpressionError, Token

# The longest standard surface has 130 characters; this allows a sum of fifteen such formulas.
MAX_CHARACTERS = 2_000
# Each term is an operation on the numbers of every run at every update.
MAX_TERMS = 500
# Integer powers become chains of products; beyond this the result is 0 or infinite for nearly every base.
MAX_EXPONENT = 1_000


@dataclass(frozen=True, eq=False)
class Expression:
    """A formula in x, or in x and y; `text` is its normal form."""

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
    """Parse a text; ExpressionError if it is not a valid formula.

    A text of operators, parentheses and the functions sin cos tan exp log sqrt abs tanh is its own normal form.
    """
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"The formula has {len(text):,} characters; at most {MAX_CHARACTERS:,} are allowed.")
    tree = read(text, SURFACE)
    builder = _Builder(SURFACE)
    root = builder.build(tree)
    used = {node.token.text for node in tree.nodes if node.operation == "name"}
    if not used.intersection(SURFACE.variables):
        raise ExpressionError("The formula is constant: it uses neither x nor y, so there is nothing to minimise.")
    variables = SURFACE.variables if "y" in used else SURFACE.variables[:1]
    return Expression(text if tree.is_plain else _normal(tree), variables, root, builder.terms)


def _normal(tree: Tree) -> str:
    """Give the normal form of a tree, which is within the limits too, because it is parsed again with every job."""
    text = normal(tree)
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(
            f"With all products and parentheses written out, the formula has {len(text):,} characters; at most "
            f"{MAX_CHARACTERS:,} are allowed."
        )
    try:
        read(text, SURFACE)
    except ExpressionError as error:
        raise ExpressionError(f"With all products and parentheses written out: {error}") from error
    return text


class _Builder:
    """Makes the terms of a tree, each checked at its place."""

    def __init__(self, grammar: Grammar) -> None:
        self.terms = Terms()
        self._grammar = grammar

    def build(self, tree: Tree) -> Term:
        """Give the term of the whole formula."""
        made: dict[Node, Term] = {}
        for node in tree.nodes:
            made[node] = self._checked(self._term(node, [made[operand] for operand in node.operands]), node.token)
        return made[tree.nodes[-1]]

    def _term(self, node: Node, operands: list[Term]) -> Term:
        match node.operation:
            case "number":
                return self.terms.constant(float(node.token.text))
            case "name":
                constant = self._grammar.constants.get(node.token.text)
                return self.terms.variable(node.token.text) if constant is None else self.terms.constant(constant)
            case "negative":
                return self.terms.negative(*operands)
            case "+":
                return self.terms.add(*operands)
            case "-":
                return self.terms.subtract(*operands)
            case "*":
                return self.terms.multiply(*operands)
            case "/":
                return self.terms.divide(*operands)
            case "**":
                return self._power(operands[0], operands[1], node.token)
            case ">" | ">=":
                return self.terms.compare(node.operation.replace(">", "<"), *reversed(operands))
        if node.operation in COMPARISONS:
            return self.terms.compare(node.operation, *operands)
        return self.terms.apply(node.operation, *operands)

    def _power(self, base: Term, exponent: Term, token: Token) -> Term:
        if exponent.is_constant and not base.is_constant and abs(exponent.number) > MAX_EXPONENT:
            raise ExpressionError(
                f"{token} raises to {exponent.number:g}; exponents from -{MAX_EXPONENT} to {MAX_EXPONENT} are allowed."
            )
        return self.terms.power(base, exponent)

    def _checked(self, term: Term, token: Token) -> Term:
        if term.is_constant and not math.isfinite(term.number):
            raise ExpressionError(f"{token} gives {term.number}; constants must be finite numbers below 1.8e308.")
        if len(self.terms) > MAX_TERMS:
            raise ExpressionError(f"{token} makes more than {MAX_TERMS} different terms; write a shorter formula.")
        return term
