"""What a compiled function loads and stores, for both orders of its loops."""

from collections.abc import Callable

from worker.engine.fused.epoch import Program
from worker.engine.fused.ir import Lines
from worker.engine.fused.stages import Stages

# Columns that go through all epochs before the next ones.
CHUNK = 256
# torch's mode of MKL's functions: high accuracy, denormal numbers kept (aten/src/ATen/cpu/vml.h).
_MODE = 2 | 0x140000 | 0x100
ROOT = {"float32": "vmsSqrt", "float64": "vmdSqrt"}
# The value of a node at the present place.
Load = Callable[[int], str]


class Memory:
    """The arrays of a function, loaded from its arguments, and the accesses to them."""

    def __init__(self, x: Lines, program: Program, stages: Stages) -> None:
        self.x, self.program, self.stages, self.nodes = x, program, stages, program.graph.nodes
        self.carried = {before: at for at, (before, _) in enumerate(program.carried)}
        self._narrow = {node for node, one in program.coefficients if one.is_narrow}
        used = {number for number in (*stages.always, *stages.only_recorded) if self.nodes[number][0] == "input"}
        num = len(program.carried)
        self.inputs = {before: x.item("%in", at) for before, at in self.carried.items()}
        self.fixed = {node: x.item("%in", num + at) for at, node in enumerate(program.fixed) if node in used}
        places = {node: at for at, (node, _) in enumerate(program.coefficients) if node in used}
        varying = {node for node, one in program.coefficients if one.update is not None}
        self.tables = {node: x.item("%tables", at) for node, at in places.items()}
        self.strides = {node: x.item("%strides", at, "i64") for node, at in places.items() if node in varying}
        self.outs = [x.item("%out", at) for at in range(num)]
        self._rows = [x.item("%rows", at, "i64") for at in range(len(stages.records))]

    def coefficient(self, node: int, column: str, k: str) -> str:
        """The value of a coefficient at an epoch: a vector from memory, or one number repeated."""
        x = self.x
        at = "0" if node in self._narrow else column
        if node in self.strides:
            at = x.let(f"add i64 {at}, {x.let(f'mul i64 {k}, {self.strides[node]}')}")
        pointer = x.at(self.tables[node], at)
        return x.repeated(pointer) if node in self._narrow else x.load(pointer)

    def record(self, k: str, column: str, loader: Callable[[], Load]) -> None:
        """Store the fields of an epoch, or only its loss. `loader` makes a function for one of the two blocks."""
        x, slot = self.x, self._slot(k)

        def fields() -> None:
            load, begin = loader(), self._fields_at(slot, column)
            for node, row in zip(self.stages.records, self._rows, strict=True):
                x.store_double(load(node), x.at(begin, row, "double"))

        def loss() -> None:
            offset = x.let(f"add i64 {column}, {x.let(f'mul i64 {k}, %loss_stride')}")
            x.store_double(loader()(self.program.loss), x.at("%loss", offset, "double"))

        x.when(x.let(f"icmp sge i64 {slot}, 0"), fields, loss)

    def roots(self, pointer: str, num: str) -> None:
        """Take square roots in place."""
        self.x.do(f"call void @{ROOT[self.x.dtype]}(i64 {num}, ptr {pointer}, ptr {pointer}, i64 {_MODE})")

    def _slot(self, k: str) -> str:
        return self.x.let(f"sext i32 {self.x.item('%slots', k, 'i32')} to i64")

    def _fields_at(self, slot: str, column: str) -> str:
        x = self.x
        return x.at("%records", x.let(f"add i64 {column}, {x.let(f'mul i64 {slot}, %record_stride')}"), "double")
