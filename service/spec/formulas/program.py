"""Compiled formulas: a formula and its derivatives as a list of steps on arrays.

The same steps work with numpy and torch: a step is a Python operator, or a function of the namespace with its usual
name.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from service.spec.formulas.terms import Term, Terms, in_order

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


class Program:
    """Steps that each write one numbered register; a register is reused when its value is no longer needed."""

    def __init__(self, terms: Terms, outputs: Sequence[Term], variables: Sequence[str]) -> None:
        outputs = _without_integer_powers(terms, outputs)
        order = in_order([*outputs, *(terms.variable(name) for name in variables)])
        last_use = {operand: number for number, term in enumerate(order) for operand in term.operands}
        register: dict[Term, int] = {}
        free: list[int] = []
        self._initial: list[Any] = []
        self._variables: dict[str, int] = {}
        self._steps: list[tuple[str | Callable[[Any, Any], Any], int, int, int]] = []
        for number, term in enumerate(order):
            inputs = [register[operand] for operand in term.operands]
            for operand in dict.fromkeys(term.operands):
                # Constants and variables keep their registers, which are set before the first step.
                if last_use[operand] == number and operand.operands and operand not in outputs:
                    free.append(register[operand])
            if term.operands and free:
                register[term] = free.pop()
            else:
                register[term] = len(self._initial)
                self._initial.append(term.number if term.is_constant else None)
            if term.operation == "variable":
                self._variables[term.name] = register[term]
            elif term.operands:
                operation = _OPERATORS.get(term.operation, term.operation)
                self._steps.append((operation, register[term], inputs[0], inputs[-1]))
        self._outputs = [register[term] for term in outputs]
        self._constant_outputs = [term.is_constant for term in outputs]

    def __call__(self, namespace: Any, **variables: Any) -> tuple[Any, ...]:
        """Compute the outputs at these values of the variables: floating-point arrays of equal shape.

        The outputs have the same shape. `namespace` is numpy, torch, or another one with sin, cos, …, pow, sign and
        full_like.
        """
        registers = self._initial.copy()
        for name, index in self._variables.items():
            registers[index] = variables[name]
        for operation, target, left, right in self._steps:
            if not isinstance(operation, str):
                registers[target] = operation(registers[left], registers[right])
            elif operation == "negative":
                registers[target] = -registers[left]
            elif operation == "pow":
                registers[target] = namespace.pow(registers[left], registers[right])
            else:
                registers[target] = getattr(namespace, operation)(registers[left])
        like = next(iter(variables.values()))
        return tuple(
            namespace.full_like(like, registers[index]) if constant else registers[index]
            for index, constant in zip(self._outputs, self._constant_outputs, strict=True)
        )

    def __len__(self) -> int:
        """Count the operations on arrays of one call."""
        return len(self._steps)


def _without_integer_powers(terms: Terms, outputs: Sequence[Term]) -> list[Term]:
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
