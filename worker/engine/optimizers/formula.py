"""Optimizers that users write as formulas."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, Shapes, State
from worker.engine.updates.graph import Graph, Level, tables
from worker.engine.updates.operations import COMPARISONS, FUSED, OPERATIONS, OVER_RUN, OVER_TENSOR, tensor_rows
from worker.engine.updates.steps import Plan, Step, plan

KIND = "formula"
# A name of the user's must not be that of another hyper-parameter, such as clip_norm.
PARAMETER = "parameter/"
NORMAL = "normal"
WEIGHTS = "w"


@dataclass(frozen=True)
class Formula:
    """An update rule: its graph, what each state starts at, its parameters, and the one that is the momentum.

    A state starts at a number, or at the weights ("weights").
    """

    graph: Graph
    states: tuple[tuple[str, float | str], ...] = ()
    parameters: tuple[str, ...] = ()
    momentum: str | None = None


@lru_cache(maxsize=64)
def formula(rule: Formula) -> Optimizer:
    """The optimizer of an update rule.

    What depends only on parameters, lr and t is computed in float64 and rounded once, as all coefficients are. The rest
    is a list of steps on matrices [D, R]. Results are new tensors; values in between share buffers.
    """
    states = tuple(name for name, _ in rule.states)
    planned = plan(rule.graph, (WEIGHTS, "g", NORMAL, *states))
    names = {"lr": "lr", **{name: PARAMETER + name for name in rule.parameters}}

    def coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
        return tables(rule.graph, planned.tables, updates_T1, hyper, names)

    return Optimizer(
        kind=KIND,
        coefficients=coefficients,
        update=_Update(rule.graph, planned),
        hyper_parameters=tuple(names.values()),
        state=states,
        state_from=dict(rule.states),
        momentum=None if rule.momentum is None else PARAMETER + rule.momentum,
        by_tensor=True,
        is_random=NORMAL in rule.graph.inputs,
    )


class _Update:
    """The update of a rule, as that of any optimizer that works tensor by tensor."""

    def __init__(self, graph: Graph, planned: Plan) -> None:
        self._graph, self._plan = graph, planned
        self._inputs = [(number, str(node[1])) for number, node in enumerate(graph.nodes) if node[0] == "input"]
        self._foreign = {number for number, name in self._inputs if name in ("g", NORMAL)}
        self._steps = [(step, _function(step)) for step in planned.steps]

    def __call__(
        self,
        weights_DR: Tensor,
        gradient_DR: Tensor,
        state: State,
        coefficients: Coefficients,
        terms: frozenset[str],
        shapes: Shapes,
    ) -> tuple[Tensor, State]:
        if "maximize" in terms:
            gradient_DR = -gradient_DR
        matrices = {WEIGHTS: weights_DR, "g": gradient_DR, NORMAL: coefficients.get(NORMAL), **state}
        values: dict[int, Tensor] = {number: coefficients[str(number)] for number in self._plan.tables}
        for number, name in self._inputs:
            matrix = matrices.get(name)
            if number not in values and matrix is not None:
                values[number] = matrix
        run = _Run(weights_DR, [math.prod(shape) for shape in shapes], self._plan.levels, values, self._foreign)
        for step, function in self._steps:
            values[step.node] = run.step(step, function)
        results = {name: run.result(number) for name, number in self._graph.outputs}
        return results.pop(WEIGHTS), results


def _function(step: Step) -> Callable[..., Tensor]:
    named = (FUSED, OPERATIONS, OVER_RUN, OVER_TENSOR)
    return next(functions[step.operation] for functions in named if step.operation in functions)


class _Run:
    """The values of one update."""

    def __init__(
        self,
        like_DR: Tensor,
        sizes: list[int],
        levels: tuple[Level, ...],
        values: dict[int, Tensor],
        foreign: set[int],
    ) -> None:
        self._like_DR, self._sizes, self._levels, self._values, self._foreign = like_DR, sizes, levels, values, foreign
        self._buffers: dict[int, Tensor] = {}
        self._expanded: dict[int, Tensor] = {}

    def step(self, step: Step, function: Callable[..., Tensor]) -> Tensor:
        """The value of a step."""
        if step.operation in OVER_RUN:
            return function(*(self._matrix(operand) for operand in step.operands))
        if step.operation in OVER_TENSOR:
            return tensor_rows(function, self._matrix(step.operands[0]), self._sizes)
        operands = [self._values[operand] for operand in step.operands]
        if step.level is not Level.MATRIX:
            return function(None, *operands)
        if len(self._sizes) > 1:
            for at, operand in enumerate(step.operands):
                if self._levels[operand] is Level.TENSORS:
                    operands[at] = self._matrix(operand)
        return function(None if step.operation in COMPARISONS else self._buffer(step.buffer), *operands)

    def result(self, number: int) -> Tensor:
        """A result: a tensor of the weights' shape and order in memory that no later update changes."""
        value = self._matrix(number)
        # The gradient may have another order in memory, and the order of sums depends on it.
        return torch.empty_like(self._like_DR).copy_(value) if number in self._foreign else value

    def _buffer(self, number: int | None) -> Tensor:
        if number is None:
            return torch.empty_like(self._like_DR)
        if number not in self._buffers:
            self._buffers[number] = torch.empty_like(self._like_DR)
        return self._buffers[number]

    def _matrix(self, number: int) -> Tensor:
        """A value as a matrix."""
        value, level = self._values[number], self._levels[number]
        if level is Level.MATRIX:
            return value
        if number not in self._expanded:
            if level is Level.TENSORS and len(self._sizes) > 1:
                parts = zip(value, self._sizes, strict=True)
                value = torch.cat([row_R.expand(size, -1) for row_R, size in parts])
            self._expanded[number] = torch.empty_like(self._like_DR).copy_(value)
        return self._expanded[number]
