"""From a program to a function of LLVM.

    kernel(columns, epochs, in, out, tables, strides, loss, loss_stride, records, record_stride, rows, slots, scratch,
           legs, bounds)

`in` and `out` are pointers to rows [columns]: the carried ones, then (of `in`) the fixed ones. `tables` are pointers to
the coefficients at the first epoch, `strides` their distances in numbers to the next epoch. Epoch k stores its fields
at records + slots[k] · record_stride + rows[field], or only its loss, at loss + k · loss_stride, if slots[k] is
negative. Losses and fields are stored in float64. Leg l has the epochs bounds[l] to bounds[l + 1] − 1.
"""

from worker.engine.fused.epoch import Program
from worker.engine.fused.ir import Lines
from worker.engine.fused.memory import CHUNK, ROOT, Memory
from worker.engine.fused.registers import in_registers
from worker.engine.fused.staged import Staged
from worker.engine.fused.stages import stages_of

_HEAD = (
    "define void @kernel(i64 %columns, i64 %epochs, ptr %in, ptr %out, ptr %tables, ptr %strides, ptr %loss, "
    "i64 %loss_stride, ptr %records, i64 %record_stride, ptr %rows, ptr %slots, ptr %scratch, "
    "i64 %legs, ptr %bounds) {\nentry:\n"
)


def lowered(program: Program, lanes: int) -> tuple[str, int]:
    """The function as text, and the numbers of `scratch` that it needs.

    Raises:
        Unsupported: A record is computed from a square root.
    """
    x, stages = Lines(program.graph.dtype, lanes), stages_of(program)
    memory = Memory(x, program, stages)
    scratch = 0

    def chunk(first: str) -> list[str]:
        nonlocal scratch
        left = x.let(f"sub i64 %columns, {first}")
        num = x.let(f"select i1 {x.let(f'icmp ult i64 {left}, {CHUNK}')}, i64 {left}, i64 {CHUNK}")
        if stages.num(program) == 1:
            in_registers(memory, first, num)
        else:
            scratch = Staged(memory).loops(first, num)
        return []

    x.loop("%columns", CHUNK, (), chunk)
    x.do("ret void")
    declared = x.declarations() + f"declare void @{ROOT[x.dtype]}(i64, ptr, ptr, i64)\n"
    return declared + _HEAD + "\n".join(x.text) + "\n}\n", scratch
