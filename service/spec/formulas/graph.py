"""Graphs of formulas as plain data: the operations in order, which another program executes without parsing.

A node is a list: ["constant", 0.5], ["input", "x"], or an operation with the numbers of its operands, ["+", 0, 1].
Operands come before the operations that use them, and equal terms are one node. `outputs` are numbers of nodes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from service.spec.formulas.program import COSTS, without_integer_powers
from service.spec.formulas.terms import Term, Terms, in_order

Node = tuple[str | float | int, ...]


@dataclass(frozen=True)
class Graph:
    """The operations of a formula, and the nodes of its outputs by name."""

    nodes: tuple[Node, ...]
    outputs: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, terms: Terms, outputs: Mapping[str, Term]) -> "Graph":
        """Make the graph of some terms; powers with whole exponents become products."""
        lowered = without_integer_powers(terms, list(outputs.values()))
        order = in_order(lowered)
        number = {term: at for at, term in enumerate(order)}
        nodes = tuple(_node(term, number) for term in order)
        return cls(nodes, tuple(zip(outputs, (number[term] for term in lowered), strict=True)))

    def as_json(self) -> dict[str, Any]:
        """Give the program that the catalogue shows."""
        return {"operations": [list(node) for node in self.nodes], "outputs": dict(self.outputs)}

    @cached_property
    def inputs(self) -> frozenset[str]:
        """Names of the inputs that are used."""
        return frozenset(str(node[1]) for node in self.nodes if node[0] == "input")

    def load(self, on_arrays: Collection[str]) -> "Load":
        """Estimate the work of one execution in which these inputs, and all that depends on them, are arrays."""
        is_array: list[bool] = []
        last_use: dict[int, int] = {}
        for at, (operation, *operands) in enumerate(self.nodes):
            if operation == "input":
                is_array.append(operands[0] in on_arrays)
            else:
                sources = [] if operation == "constant" else [int(operand) for operand in operands]
                is_array.append(any(is_array[source] for source in sources))
                last_use |= dict.fromkeys(sources, at)
        work = [at for at, node in enumerate(self.nodes) if is_array[at] and node[0] != "input"]
        last_use |= {node: len(self.nodes) for _, node in self.outputs}
        # Arrays in memory after each operation.
        matrices = max((sum(before <= at < last_use[before] for before in work) for at in work), default=0)
        return Load(len(work), sum(COSTS.get(str(self.nodes[at][0]), 1.0) for at in work), matrices)


@dataclass(frozen=True)
class Load:
    """The work of one execution of a graph: operations on arrays, their time in additions, and arrays in memory."""

    operations: int
    additions: float
    matrices: int


def _node(term: Term, number: Mapping[Term, int]) -> Node:
    match term.operation:
        case "constant":
            return ("constant", term.number)
        case "variable":
            return ("input", term.name)
    return (term.operation, *(number[operand] for operand in term.operands))
