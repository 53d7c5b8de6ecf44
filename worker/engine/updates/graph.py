"""Graphs of update rules: which node is a number, a row or a matrix, and the tables of what no matrix enters.

A node is ("constant", number), ("input", name), or an operation with the numbers of its operands, which come first.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum

from torch import Tensor

from worker.engine.numerics.same import applied, column, same
from worker.engine.protocols import HyperParameters
from worker.engine.updates.operations import OPERATIONS, OVER_RUN, OVER_TENSOR

Node = tuple[str | float | int, ...]


@dataclass(frozen=True)
class Graph:
    """The operations of an update rule, and the nodes of its results by name."""

    nodes: tuple[Node, ...]
    outputs: tuple[tuple[str, int], ...]

    @property
    def inputs(self) -> frozenset[str]:
        """Names of the inputs that are used."""
        return frozenset(str(node[1]) for node in self.nodes if node[0] == "input")


class Level(IntEnum):
    """The shape of a node's value."""

    TABLE = 0  # [1, R] or [T, R]: known before the update.
    ROW = 1  # [1, R]
    TENSORS = 2  # A row for each tensor.
    MATRIX = 3  # [D, R]


def levels(graph: Graph, matrices: Collection[str]) -> list[Level]:
    """The level of each node, where these inputs are matrices and all others are in tables."""
    found: list[Level] = []
    for operation, *operands in graph.nodes:
        match operation:
            case "constant":
                found.append(Level.TABLE)
            case "input":
                found.append(Level.MATRIX if operands[0] in matrices else Level.TABLE)
            case _ if operation in OVER_RUN:
                found.append(Level.ROW)
            case _ if operation in OVER_TENSOR:
                found.append(Level.TENSORS)
            case _:
                found.append(max(found[int(operand)] for operand in operands))
    return found


def tables(
    graph: Graph, wanted: Collection[int], updates_T1: Tensor, hyper: HyperParameters, names: Mapping[str, str]
) -> dict[str, Tensor]:
    """The values of the wanted nodes in float64, by number: [1, R], or [T, R] where t or a schedule enters.

    A constant is [1, 1]. `names` are the hyper-parameters of the inputs.
    """
    width = next(iter(hyper.values())).shape[1]
    values: dict[int, Tensor] = {}
    for number in _needed(graph, wanted):
        operation, *operands = graph.nodes[number]
        if operation == "constant":
            values[number] = same(updates_T1.new_tensor([[float(operands[0])]]), width)
        elif operation == "input":
            name = str(operands[0])
            values[number] = same(updates_T1, width) if name == "t" else hyper[names[name]]
        else:
            given = (values[int(operand)] for operand in operands)
            values[number] = applied(OPERATIONS[str(operation)], str(operation), (None, *given), {})
    return {
        str(number): column(values[number]) if graph.nodes[number][0] == "constant" else values[number].double()
        for number in wanted
    }


def _needed(graph: Graph, wanted: Collection[int]) -> list[int]:
    """The wanted nodes and all that they depend on, operands first."""
    found: set[int] = set()
    waiting = list(wanted)
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            operation, *operands = graph.nodes[number]
            if operation not in ("constant", "input"):
                waiting += [int(operand) for operand in operands]
    return sorted(found)
