"""Arithmetic of an epoch as a graph of operations on numbers, one graph for every column of a matrix.

A node is an operation with the numbers of its operands, which come first; equal nodes are one node. Operations:

    ("constant", number)   ("input", name)   + - * /   ("fma", a, b, c) = a · b + c, rounded once
    negative   abs   root   < <= == !=   and or   ("select", condition, one, other)
    sqrt: that of torch. "root" is the one of IEEE 754.
"""

import math
import struct
from dataclasses import dataclass, field

import numpy as np

Node = tuple[object, ...]


class Unsupported(Exception):
    """A term that no compiled program computes with the bits of torch."""


@dataclass
class Graph:
    """Nodes in the order of their creation, of numbers in one dtype ("float32" or "float64").

    `widths` are the numbers of columns of the matrices.
    """

    dtype: str
    widths: tuple[int, ...] = ()
    nodes: list[Node] = field(default_factory=list)
    _numbers: dict[Node, int] = field(default_factory=dict)

    def node(self, operation: str, *operands: object) -> int:
        """The number of a node, which is new unless an equal one exists."""
        key: Node = (operation, *operands)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.nodes)
            self.nodes.append(key)
        return number

    def constant(self, value: float) -> int:
        """A constant, rounded to the dtype and written by its bits: 0.0 and −0.0 are different nodes."""
        rounded = float(np.dtype(self.dtype).type(value))
        if math.isnan(rounded):
            rounded = math.nan
        return self.node("constant", struct.pack("<d", rounded).hex())

    def input(self, name: str) -> int:
        """A number that is read from memory."""
        return self.node("input", name)


def number_of(node: Node) -> float:
    """The value of a constant."""
    return float(struct.unpack("<d", bytes.fromhex(str(node[1])))[0])


def operands_of(node: Node) -> tuple[int, ...]:
    """The numbers of a node's operands."""
    return () if node[0] in ("constant", "input") else tuple(int(str(operand)) for operand in node[1:])
