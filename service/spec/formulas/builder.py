"""From the tree of a formula to its terms."""

import math
from collections.abc import Mapping

from service.spec.formulas.grammar import Grammar
from service.spec.formulas.syntax import Node, Tree
from service.spec.formulas.terms import COMPARISONS, Term, Terms
from service.spec.formulas.tokens import ExpressionError, Token

# Each term is an operation on the numbers of every run at every update.
MAX_TERMS = 500
# Integer powers become chains of products; beyond this the result is 0 or infinite for nearly every base.
MAX_EXPONENT = 1_000


class Builder:
    """Makes the terms of trees, each checked at its place.

    `values` are names that stand for terms made before; any other name that is no constant is a variable.
    """

    def __init__(self, grammar: Grammar, terms: Terms, values: Mapping[str, Term] | None = None) -> None:
        self._terms = terms
        self._values = values or {}
        self._constants = grammar.constants

    def build(self, tree: Tree) -> Term:
        """Give the term of the whole formula."""
        made: dict[Node, Term] = {}
        for node in tree.nodes:
            made[node] = self._checked(self._term(node, [made[operand] for operand in node.operands]), node.token)
        return made[tree.nodes[-1]]

    def _term(self, node: Node, operands: list[Term]) -> Term:
        match node.operation:
            case "number":
                return self._terms.constant(float(node.token.text))
            case "name":
                name = node.token.text
                if name in self._constants:
                    return self._terms.constant(self._constants[name])
                return self._values.get(name) or self._terms.variable(name)
            case "negative":
                return self._terms.negative(*operands)
            case "+":
                return self._terms.add(*operands)
            case "-":
                return self._terms.subtract(*operands)
            case "*":
                return self._terms.multiply(*operands)
            case "/":
                return self._terms.divide(*operands)
            case "**":
                return self._power(operands[0], operands[1], node.token)
            case ">" | ">=":
                return self._terms.compare(node.operation.replace(">", "<"), *reversed(operands))
        if node.operation in COMPARISONS:
            return self._terms.compare(node.operation, *operands)
        return self._terms.apply(node.operation, *operands)

    def _power(self, base: Term, exponent: Term, token: Token) -> Term:
        if exponent.is_constant and not base.is_constant and abs(exponent.number) > MAX_EXPONENT:
            raise ExpressionError(
                f"{token} raises to {exponent.number:g}; exponents from -{MAX_EXPONENT} to {MAX_EXPONENT} are allowed."
            )
        return self._terms.power(base, exponent)

    def _checked(self, term: Term, token: Token) -> Term:
        if term.is_constant and not math.isfinite(term.number):
            raise ExpressionError(f"{token} gives {term.number}; constants must be finite numbers below 1.8e308.")
        if len(self._terms) > MAX_TERMS:
            raise ExpressionError(f"{token} makes more than {MAX_TERMS} different terms; write a shorter formula.")
        return term
