"""One epoch of a part of a stack as a program: its updates, then its recorded fields.

The functions of stack/stack.py run once on stand-ins for weights, state and coefficients. What an epoch leaves behind
is what the next one begins with, so the program of one epoch serves all whose updates are alike.
"""

import copy
import hashlib
from collections.abc import Collection
from dataclasses import dataclass

import torch

from worker.engine.fused import functions as _functions  # noqa: F401  (the functions that stand-ins record)
from worker.engine.fused.graph import Graph, Unsupported
from worker.engine.fused.traced import Traced, nodes
from worker.engine.protocols import Evaluation
from worker.engine.stack.hyper_parameters import Kinds
from worker.engine.stack.part import Part
from worker.engine.stack.stack import Stack

# Names of inputs besides those of the state: what an evaluation at the weights gives.
WEIGHTS, LOSS, GRADIENT, START = "weights", "known loss", "known gradient", "start"
# A program with more operations takes seconds to compile.
MAX_NODES = 40_000
# Operations in the time of one square root of MKL.
MKL_OPERATIONS = 30


@dataclass(frozen=True)
class Coefficient:
    """A coefficient that is read from memory: its name, and the update within an epoch if it changes.

    It is one number for all columns, or one for each.
    """

    name: str
    update: int | None
    is_narrow: bool


@dataclass(frozen=True)
class Program:
    """The graph of one epoch, the same for all columns.

    Attributes:
        carried: Inputs that an epoch changes, with the node of the new value, row by row.
        fixed: Inputs that stay: rows of the start.
        coefficients: Inputs of the optimizer.
        loss: The node of the recorded loss.
        records: The nodes of all recorded fields.
    """

    graph: Graph
    carried: tuple[tuple[int, int], ...]
    names: tuple[tuple[str, int], ...]
    fixed: tuple[int, ...]
    coefficients: tuple[tuple[int, Coefficient], ...]
    loss: int
    records: tuple[tuple[str, int], ...]

    @property
    def operations(self) -> int:
        """Operations of an epoch for each column; a root of MKL takes as long as many others."""
        names = [node[0] for node in self.graph.nodes]
        return len(names) + MKL_OPERATIONS * names.count("sqrt")

    @property
    def digest(self) -> str:
        """A name for the program: equal ones compute the same."""
        parts = (self.graph.dtype, self.graph.nodes, self.carried, self.fixed, self.coefficients, self.loss)
        return hashlib.sha256(repr((parts, self.records)).encode()).hexdigest()


class _Table:
    """The coefficients of a part as inputs."""

    def __init__(self, graph: Graph, kinds: Kinds, columns: int, dtype: torch.dtype) -> None:
        self._graph, self._kinds, self._columns, self._dtype = graph, kinds, columns, dtype
        self.inputs: dict[int, Coefficient] = {}

    def coefficients(self, update: int) -> dict[str, Traced]:
        """One stand-in [R] per name."""
        found = {}
        for name, varies, is_narrow in self._kinds:
            one = Coefficient(name, update if varies else None, is_narrow)
            traced = Traced.inputs(self._graph, f"coefficient {name} {one.update}", (), self._columns, self._dtype)
            self.inputs[int(traced.ids[0])] = one
            found[name] = traced
        return found


def trace(stack: Stack, part: Part, widths: Collection[int]) -> Program:
    """The program of the epochs of a part, for matrices with these numbers of columns.

    Raises:
        Unsupported: A term has no compiled form.
    """
    optimizer = part.optimizer
    if part.stepper is not None or optimizer.is_random or optimizer.evaluation_point is not None:
        raise Unsupported(f"the optimizer {optimizer.kind}")
    columns, dtype = part.stop - part.start, stack.weights_DR.dtype
    graph = Graph(str(dtype).removeprefix("torch."), tuple(widths))
    inputs = {WEIGHTS: len(stack.weights_DR)} | {f"state {name}": len(matrix) for name, matrix in part.state.items()}
    traced = {name: Traced.inputs(graph, name, (rows,), columns, dtype) for name, rows in inputs.items()}
    start = Traced.inputs(graph, START, (len(stack.weights_DR),), columns, dtype)
    known = None
    if stack.whole:
        traced[LOSS] = Traced.inputs(graph, LOSS, (), columns, dtype)
        traced[GRADIENT] = Traced.inputs(graph, GRADIENT, (len(stack.weights_DR),), columns, dtype)
        known = Evaluation(traced[LOSS], traced[GRADIENT])  # type: ignore[arg-type]
    table = _Table(graph, part.hyper_parameters.kinds, columns, dtype)
    ghost_part = copy.copy(part)
    ghost_part.hyper_parameters = table  # type: ignore[assignment]
    ghost_part.state = {name: traced[f"state {name}"] for name in part.state}  # type: ignore[misc]
    ghost = stack.stand_in(traced[WEIGHTS], start, known, ghost_part)  # type: ignore[arg-type]
    for _ in ghost.train(1):
        pass
    fields = ghost.measure()
    results = {WEIGHTS: ghost.weights_DR} | {f"state {name}": matrix for name, matrix in ghost_part.state.items()}
    if stack.whole:
        after = ghost.known
        assert after is not None
        results |= {LOSS: after.loss_R, GRADIENT: after.gradient_DR}
    if len(graph.nodes) > MAX_NODES:
        raise Unsupported(f"{len(graph.nodes)} operations")
    rows = [
        (name, at, int(before), int(after))
        for name, value in traced.items()
        for at, (before, after) in enumerate(zip(value.ids.ravel(), _ids(results[name]), strict=True))
    ]
    return Program(
        graph,
        carried=tuple((before, after) for _, _, before, after in rows),
        names=tuple((name, at) for name, at, _, _ in rows),
        fixed=tuple(int(one) for one in start.ids.ravel()),
        coefficients=tuple(table.inputs.items()),
        loss=_ids(fields["loss"])[0],
        # A field may be a number that is the same for all runs.
        records=tuple((name, int(nodes(start, value).ravel()[0])) for name, value in fields.items()),
    )


def _ids(value: object) -> list[int]:
    if not isinstance(value, Traced):
        raise Unsupported("a value that depends on no input")
    return [int(one) for one in value.ids.ravel()]
