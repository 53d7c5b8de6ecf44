"""The linear iteration of an update rule that a user has written, read off its operations.

Each operation is followed with its coefficients: a value is linear in w, g, `normal` and the states, or a number that
depends on parameters, lr and t only. Products of two linear values, functions of them, reductions, and numbers that
change with t have no linear iteration.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.analysis.linear_iteration import LinearIteration, LinearRule
from service.spec.formulas.functions import FUNCTIONS
from service.spec.formulas.terms import COMPARISONS
from service.spec.formulas.update_rule import UpdateRule, parse_rule

# Updates at which a rule must be the same: the first one may differ.
_UPDATES = (2.0, 3.0, 1_000.0)

_UNSTABLE = LinearIteration(np.array([[math.inf]]), np.zeros(1), np.zeros(1))
# The coefficients of w, the states, g and `normal`, or a number.
Value = NDArray[np.float64] | float


class _NotLinear(Exception):
    """The rule is not linear."""


def linear_rule(optimizer: Mapping[str, Any]) -> LinearRule | None:
    """Give the theory of an entry of kind ``formula`` with numbers for its parameters; None if it is not linear."""
    parameters = {name: float(value) for name, value in optimizer.get("parameters", {}).items()}
    rule = parse_rule(tuple(optimizer.get("state", {})), tuple(parameters), tuple(optimizer["update"]))

    def at(lr: float) -> LinearIteration:
        try:
            return _iteration(rule, {**parameters, "lr": lr})
        except _NotLinear:
            # The rule has no numbers at this learning rate.
            return _UNSTABLE

    try:
        first, *others = (_coefficients(rule, {**parameters, "lr": float(optimizer["lr"]), "t": t}) for t in _UPDATES)
    except _NotLinear:
        return None
    return LinearRule(at) if all(np.array_equal(first, other) for other in others) else None


def _iteration(rule: UpdateRule, numbers: Mapping[str, float]) -> LinearIteration:
    coefficients = _coefficients(rule, {**numbers, "t": _UPDATES[0]})
    size = 1 + len(rule.states)
    matrix, of_gradient, of_normal = coefficients[:, :size], coefficients[:, size], coefficients[:, size + 1]
    # States that w never depends on say nothing about w.
    used = np.zeros(size, dtype=bool)
    used[0] = True
    for _ in range(size):
        used |= (matrix[used] != 0).any(axis=0)
    return LinearIteration(matrix[np.ix_(used, used)], of_gradient[used], of_normal[used])


def _coefficients(rule: UpdateRule, numbers: Mapping[str, float]) -> NDArray[np.float64]:
    """Give the coefficients of the new w and states, [1 + states, 1 + states + 2].

    Raises:
        _NotLinear: A result is not linear.
    """
    linear = ("w", *rule.states, "g", "normal")
    units = dict(zip(linear, np.eye(len(linear)), strict=True))
    values: list[Value] = []
    for operation, *operands in rule.graph.nodes:
        if operation == "constant":
            values.append(float(operands[0]))
        elif operation == "input":
            name = str(operands[0])
            values.append(units[name] if name in units else numbers[name])
        else:
            values.append(_apply(str(operation), [values[int(operand)] for operand in operands]))
    found = [values[node] for _, node in rule.graph.outputs]
    if not all(isinstance(value, np.ndarray) and np.isfinite(value).all() for value in found):
        raise _NotLinear
    return np.array(found)


def _apply(operation: str, values: list[Value]) -> Value:
    if not any(isinstance(value, np.ndarray) for value in values):
        return _number(operation, [float(value) for value in values])
    match operation, values:
        case "negative", [one]:
            return -one
        case (("+" | "-"), [one, other]) if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
            return one + other if operation == "+" else one - other
        case "*", [one, other] if not (isinstance(one, np.ndarray) and isinstance(other, np.ndarray)):
            return one * other
        case "/", [one, float() as other] if other:
            return one / other
        case "where", [float() as condition, one, other]:
            return one if condition else other
    raise _NotLinear


def _number(operation: str, values: list[float]) -> float:
    try:
        match operation, values:
            case "negative", [one]:
                return -one
            case "+", [one, other]:
                return one + other
            case "-", [one, other]:
                return one - other
            case "*", [one, other]:
                return one * other
            case "/", [one, other]:
                return one / other
            case "pow", [one, other]:
                return float(one**other)
        if operation in COMPARISONS:
            return float(COMPARISONS[operation](*values))
        if operation in FUNCTIONS:
            return float(FUNCTIONS[operation].value(*values))
    except (ArithmeticError, ValueError, TypeError):
        pass
    raise _NotLinear
