"""Formulas of users: parser, limits, derivatives and compilation.

The text is never run as code. A tokenizer and a precedence parser turn it into a tree, and the tree into a graph of the
operations of terms.py; everything else is rejected with its place and what is allowed there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.spec.formulas.builder import Builder
from service.spec.formulas.derivative import derivative
from service.spec.formulas.grammar import SURFACE, WITH_LETTERS, Grammar, with_letters
from service.spec.formulas.graph import Graph
from service.spec.formulas.mathml import mathml
from service.spec.formulas.notation import MAX_CHARACTERS, checked_normal
from service.spec.formulas.program import Program
from service.spec.formulas.syntax import Tree, read
from service.spec.formulas.terms import Term, Terms
from service.spec.formulas.tokens import ExpressionError


@dataclass(frozen=True, eq=False)
class Expression:
    """A formula in x, or in x and y; `text` is its normal form, `letters` are those that stand for numbers."""

    text: str
    variables: tuple[str, ...]
    letters: tuple[str, ...]
    # The numbers of those letters that have one.
    parameters: tuple[tuple[str, float], ...]
    root: Term = field(repr=False)
    terms: Terms = field(repr=False)

    @property
    def dimension(self) -> int:
        return len(self.variables)

    def derivative(self, variable: str) -> "Expression":
        """Give the partial derivative as an expression."""
        root = derivative(self.terms, self.root, variable)
        return Expression(
            f"d({self.text})/d{variable}", self.variables, self.letters, self.parameters, root, self.terms
        )

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

    @property
    def graph(self) -> Graph:
        """The operations of the value and of the gradient: outputs "value", and "x", "y" for ∂f/∂x, ∂f/∂y."""
        slopes = {name: derivative(self.terms, self.root, name) for name in self.variables}
        return Graph.of(self.terms, {"value": self.root, **slopes})

    def __call__(self, namespace: Any, **variables: Any) -> Any:
        """Compute the value at arrays x and y of numpy or torch; for repeated use call ``compile`` once instead."""
        return self.compile()(namespace, **variables)[0]


def parse(text: str, parameters: Mapping[str, float] | None = None) -> Expression:
    """Parse a text, in which each letter of `parameters` stands for its number; ExpressionError if it is not valid.

    A text of operators, parentheses and the functions sin cos tan exp log sqrt abs tanh is its own normal form.
    """
    return _expression(text, with_letters(parameters or ()), parameters or {})


def parse_letters(text: str) -> tuple[Expression, str]:
    """Parse a text in which letters are inputs beside x and y; give its expression and its MathML.

    `letters` of the expression names them. ExpressionError if the text is not valid.
    """
    return _expression(text, WITH_LETTERS, {}), mathml(_read(text, WITH_LETTERS))


def _read(text: str, grammar: Grammar) -> Tree:
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"The formula has {len(text):,} characters; at most {MAX_CHARACTERS:,} are allowed.")
    return read(text, grammar)


def _expression(text: str, grammar: Grammar, parameters: Mapping[str, float]) -> Expression:
    tree = _read(text, grammar)
    terms = Terms()
    values = {name: terms.constant(number) for name, number in parameters.items()}
    root = Builder(grammar, terms, values).build(tree)
    used = {node.token.text for node in tree.nodes if node.operation == "name"}
    if not used.intersection(SURFACE.variables):
        raise ExpressionError("The formula is constant: it uses neither x nor y, so there is nothing to minimise.")
    variables = SURFACE.variables if "y" in used else SURFACE.variables[:1]
    normal_form = text if tree.is_plain else checked_normal(tree, grammar)
    letters = tuple(sorted(used & grammar.letters))
    return Expression(normal_form, variables, letters, tuple(sorted(parameters.items())), root, terms)
