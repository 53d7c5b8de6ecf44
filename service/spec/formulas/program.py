"""Compiled formulas: a formula and its derivatives as a list of steps on arrays.

The same steps work with numpy and torch: a step is a Python operator, or a function of the namespace.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from service.spec.formulas.functions import FUNCTIONS
from service.spec.formulas.reductions import REDUCTIONS
from service.spec.formulas.terms import COMPARISONS, Term, Terms, in_order

# Operations as functions of a namespace (numpy or torch) and the operands.
_OPERATIONS: dict[str, Callable[..., Any]] = {
    "negative": lambda _, a: -a,
    "+": lambda _, a, b: a + b,
    "-": lambda _, a, b: a - b,
    "*": lambda _, a, b: a * b,
    "/": lambda _, a, b: a / b,
    "pow": lambda namespace, a, b: namespace.pow(a, b),
    "slope*": lambda namespace, a, b: namespace.where(a == 0, a, a * b),
    "slope/": lambda namespace, a, b: namespace.where(a == 0, a, a / b),
    **{name: lambda _, a, b, compare=compare: compare(a, b) for name, compare in COMPARISONS.items()},
    **{name: function.arrays for name, function in FUNCTIONS.items()},
}
# The time of an operation, in additions of two arrays of a thousand numbers; 1 where it is not given.
COSTS: Mapping[str, float] = {
    "pow": 14.0,
    "slope*": 4.0,
    "slope/": 4.0,
    **{name: function.cost for name, function in FUNCTIONS.items()},
    **{name: reduction.cost for name, reduction in REDUCTIONS.items()},
}
# In torch these need arrays where arithmetic also takes numbers.
_ON_ARRAYS_ONLY = ("min", "max", "where")


class Program:
    """Steps that each write one numbered register; a register is reused when its value is no longer needed."""

    def __init__(self, terms: Terms, outputs: Sequence[Term], variables: Sequence[str]) -> None:
        outputs = without_integer_powers(terms, outputs)
        order = in_order([*outputs, *(terms.variable(name) for name in variables)])
        last_use = {operand: number for number, term in enumerate(order) for operand in term.operands}
        register: dict[Term, int] = {}
        filled: dict[Term, int] = {}
        free: list[int] = []
        self._initial: list[Any] = []
        self._variables: dict[str, int] = {}
        self._steps: list[tuple[Callable[..., Any], int, tuple[int, ...]]] = []
        self._cost = 0.0
        for number, term in enumerate(order):
            inputs = [register[operand] for operand in term.operands]
            if term.operation in _ON_ARRAYS_ONLY:
                inputs = [
                    self._fill(filled, operand) if operand.is_constant else register[operand]
                    for operand in term.operands
                ]
            for operand in dict.fromkeys(term.operands):
                # Constants and variables keep their registers, which are set before the first step.
                if last_use[operand] == number and operand.operands and operand not in outputs:
                    free.append(register[operand])
            if term.operands and free:
                register[term] = free.pop()
            else:
                register[term] = self._new_register(term.number if term.is_constant else None)
            if term.operation == "variable":
                self._variables[term.name] = register[term]
            elif term.operands:
                self._steps.append((_OPERATIONS[term.operation], register[term], tuple(inputs)))
                self._cost += COSTS.get(term.operation, 1.0)
        self._filled = list(filled.values())
        self._cost += len(filled)
        self._outputs = [register[term] for term in outputs]
        self._constant_outputs = [term.is_constant for term in outputs]

    def _new_register(self, initial: float | None) -> int:
        self._initial.append(initial)
        return len(self._initial) - 1

    def _fill(self, filled: dict[Term, int], constant: Term) -> int:
        """Give the register of an array that is filled with a constant."""
        if constant not in filled:
            filled[constant] = self._new_register(constant.number)
        return filled[constant]

    def __call__(self, namespace: Any, **variables: Any) -> tuple[Any, ...]:
        """Compute the outputs at these values of the variables: floating-point arrays of equal shape.

        The outputs have the same shape. `namespace` is numpy, torch, or another one with sin, cos, …, pow, where,
        minimum, maximum and full_like.
        """
        registers = self._initial.copy()
        like = next(iter(variables.values()))
        for name, index in self._variables.items():
            registers[index] = variables[name]
        for index in self._filled:
            registers[index] = namespace.full_like(like, registers[index])
        for operation, target, inputs in self._steps:
            registers[target] = operation(namespace, *(registers[index] for index in inputs))
        return tuple(
            namespace.full_like(like, registers[index]) if constant else registers[index]
            for index, constant in zip(self._outputs, self._constant_outputs, strict=True)
        )

    def __len__(self) -> int:
        """Count the operations on arrays of one call."""
        return len(self._steps)

    @property
    def cost(self) -> float:
        """Give the time of one call, in additions of two arrays of a thousand numbers."""
        return self._cost


def without_integer_powers(terms: Terms, outputs: Sequence[Term]) -> list[Term]:
    """Replace xⁿ by a chain of products: equal in numpy and torch to the last bit, and shared by x², x³, x⁴."""
    lowered: dict[Term, Term] = {}
    for term in in_order(outputs):
        operands = [lowered[operand] for operand in term.operands]
        if term.operation == "pow" and operands[1].is_constant and operands[1].number.is_integer():
            exponent = int(operands[1].number)
            chain = _product(terms, operands[0], abs(exponent))
            lowered[term] = chain if exponent > 0 else terms.divide(terms.constant(1), chain)
        else:
            lowered[term] = terms.same(term, operands)
    return [lowered[term] for term in outputs]


def _product(terms: Terms, base: Term, num: int) -> Term:
    if num == 1:
        return base
    half = _product(terms, base, num // 2)
    square = terms.multiply(half, half)
    return square if num % 2 == 0 else terms.multiply(square, base)
