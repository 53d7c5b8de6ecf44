"""LLVM's language: lines of a function on vectors of columns, and the arithmetic of nodes in it.

No line has a flag that allows another rounding. Multiplication and addition are fused only where a node requires it.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from worker.engine.fused.graph import Node, number_of

_BINARY = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}
# Ordered comparisons are false where an operand is NaN; "une" is true there.
_COMPARISONS = {"<": "olt", "<=": "ole", "==": "oeq", "!=": "une"}
TYPES = {"float32": ("float", "f32", 4), "float64": ("double", "f64", 8)}


@dataclass
class Lines:
    """The lines of one function, on vectors of `lanes` numbers."""

    dtype: str
    lanes: int
    text: list[str] = field(default_factory=list)
    _count: int = 0

    @property
    def scalar(self) -> str:
        return TYPES[self.dtype][0]

    @property
    def vector(self) -> str:
        return f"<{self.lanes} x {self.scalar}>"

    @property
    def size(self) -> int:
        """Bytes of a number."""
        return TYPES[self.dtype][2]

    def name(self, hint: str = "v") -> str:
        """A new name."""
        self._count += 1
        return f"%{hint}{self._count}"

    def let(self, expression: str, hint: str = "v") -> str:
        """A new value."""
        name = self.name(hint)
        self.text.append(f"  {name} = {expression}")
        return name

    def do(self, line: str) -> None:
        """A line without a value."""
        self.text.append(f"  {line}")

    def label(self, name: str) -> None:
        """The beginning of a block."""
        self.text.append(f"{name[1:]}:")

    def at(self, pointer: str, index: str, kind: str | None = None) -> str:
        """The address of a number of an array."""
        return self.let(f"getelementptr {kind or self.scalar}, ptr {pointer}, i64 {index}", "p")

    def load(self, pointer: str) -> str:
        """A vector from memory."""
        return self.let(f"load {self.vector}, ptr {pointer}, align {self.size}")

    def repeated(self, pointer: str) -> str:
        """A vector of one number from memory."""
        one = self.let(
            f"insertelement {self.vector} poison, {self.scalar} {self.let(f'load {self.scalar}, ptr {pointer}')}, i64 0"
        )
        return self.let(
            f"shufflevector {self.vector} {one}, {self.vector} poison, <{self.lanes} x i32> zeroinitializer"
        )

    def store(self, value: str, pointer: str) -> None:
        """A vector to memory."""
        self.do(f"store {self.vector} {value}, ptr {pointer}, align {self.size}")

    def store_double(self, value: str, pointer: str) -> None:
        """A vector to memory that holds numbers of float64."""
        if self.dtype == "float64":
            self.store(value, pointer)
            return
        wide = f"<{self.lanes} x double>"
        self.do(f"store {wide} {self.let(f'fpext {self.vector} {value} to {wide}')}, ptr {pointer}, align 8")

    def item(self, array: str, index: int | str, kind: str = "ptr") -> str:
        """An item of an array of pointers or whole numbers."""
        return self.let(f"load {kind}, ptr {self.let(f'getelementptr {kind}, ptr {array}, i64 {index}', 'p')}", "i")

    def loop(
        self, stop: str, step: int, carried: Sequence[tuple[str, str]], body: Callable[..., Sequence[str]]
    ) -> None:
        """A loop from 0 to `stop`, which is above 0. `body` takes the index and the carried values, and gives new ones.

        `carried` are the first values, each with the name under which the last one is available afterwards.
        """
        head, end, before = self.name("head"), self.name("end"), self.name("before")
        self.do(f"br label {before}")
        self.label(before)
        self.do(f"br label {head}")
        self.label(head)
        index, following, latch = self.name("at"), self.name("next"), self.name("latch")
        at = len(self.text)
        phis = [self.name("phi") for _ in carried]
        new = body(index, *phis)
        self.do(f"br label {latch}")
        self.label(latch)
        self.do(f"{following} = add nuw nsw i64 {index}, {step}")
        done = self.let(f"icmp uge i64 {following}, {stop}", "done")
        self.do(f"br i1 {done}, label {end}, label {head}")
        self.label(end)
        lines = [f"  {index} = phi i64 [ 0, {before} ], [ {following}, {latch} ]"]
        for phi, (first, _), last in zip(phis, carried, new, strict=True):
            lines.append(f"  {phi} = phi {self.vector} [ {first}, {before} ], [ {last}, {latch} ]")
        self.text[at:at] = lines
        for (_, final), last in zip(carried, new, strict=True):
            self.do(f"{final} = phi {self.vector} [ {last}, {latch} ]")

    def when(self, condition: str, body: Callable[[], None], otherwise: Callable[[], None]) -> None:
        """One of two blocks."""
        yes, no, end = self.name("yes"), self.name("no"), self.name("end")
        self.do(f"br i1 {condition}, label {yes}, label {no}")
        for name, block in ((yes, body), (no, otherwise)):
            self.label(name)
            block()
            self.do(f"br label {end}")
        self.label(end)

    def compute(self, node: Node, operands: Sequence[str]) -> str:
        """The value of a node from those of its operands; no input and no square root."""
        operation = str(node[0])
        vector, bits = self.vector, f"<{self.lanes} x i1>"
        if operation == "constant":
            return self.constant(number_of(node))
        if operation in _BINARY:
            return self.let(f"{_BINARY[operation]} {vector} {operands[0]}, {operands[1]}")
        if operation in _COMPARISONS:
            return self.let(f"fcmp {_COMPARISONS[operation]} {vector} {operands[0]}, {operands[1]}")
        if operation == "select":
            condition, one, other = operands
            return self.let(f"select {bits} {condition}, {vector} {one}, {vector} {other}")
        if operation == "negative":
            return self.let(f"fneg {vector} {operands[0]}")
        if operation in ("and", "or"):
            return self.let(f"{operation} {bits} {operands[0]}, {operands[1]}")
        name = {"fma": "fma", "abs": "fabs", "root": "sqrt"}[operation]
        arguments = ", ".join(f"{vector} {operand}" for operand in operands)
        return self.let(f"call {vector} @llvm.{name}.v{self.lanes}{TYPES[self.dtype][1]}({arguments})")

    def constant(self, value: float) -> str:
        """A vector of equal numbers, written by their bits."""
        return f"splat ({self.scalar} 0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X})"

    def declarations(self) -> str:
        """The functions that `compute` calls."""
        kind, vector = f"v{self.lanes}{TYPES[self.dtype][1]}", self.vector
        return (
            f"declare {vector} @llvm.fma.{kind}({vector}, {vector}, {vector})\n"
            f"declare {vector} @llvm.fabs.{kind}({vector})\n"
            f"declare {vector} @llvm.sqrt.{kind}({vector})\n"
        )
