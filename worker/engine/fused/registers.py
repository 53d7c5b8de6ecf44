"""Epochs without square roots between updates: the numbers of a vector stay in registers for all epochs of a call."""

from worker.engine.fused.graph import operands_of
from worker.engine.fused.memory import Load, Memory


def in_registers(memory: Memory, first: str, num: str) -> None:
    """The loops over the columns of a chunk and over epochs."""
    x, program, stages = memory.x, memory.program, memory.stages
    before = [before for before, _ in program.carried]

    def compute(values: dict[int, str], number: int) -> str:
        if number not in values:
            node = memory.nodes[number]
            values[number] = x.compute(node, [values[operand] for operand in operands_of(node)])
        return values[number]

    def vector(at: str) -> list[str]:
        column = x.let(f"add i64 {first}, {at}")
        rows = {**memory.inputs, **memory.fixed}
        kept = {node: x.load(x.at(pointer, column)) for node, pointer in rows.items()}
        kept |= {n: memory.coefficient(n, column, "0") for n in memory.tables if n not in memory.strides}
        finals = [x.name("final") for _ in before]

        def epoch(k: str, *now: str) -> list[str]:
            values = kept | dict(zip(before, now, strict=True))
            values |= {node: memory.coefficient(node, column, k) for node in memory.strides}
            for number in stages.always:
                compute(values, number)

            def loader() -> Load:
                own = dict(values)

                def load(number: int) -> str:
                    for one in stages.only_recorded:
                        compute(own, one)
                    return own[number]

                return load

            memory.record(k, column, loader)
            return [values[after] for _, after in program.carried]

        x.loop("%epochs", 1, list(zip([kept[one] for one in before], finals, strict=True)), epoch)
        for pointer, final in zip(memory.outs, finals, strict=True):
            x.store(final, x.at(pointer, column))
        return []

    x.loop(num, x.lanes, (), vector)
    if any(record.is_root for record in stages.records):
        x.loop("%epochs", 1, (), lambda k: memory.recorded_roots(k, first, num))
