"""Epochs without square roots between updates: the numbers of a vector stay in registers from record to record.

After a recorded epoch the next vector follows, so that the fields of a chunk of columns are written in order.
"""

from worker.engine.fused.graph import operands_of
from worker.engine.fused.memory import Load, Memory


def in_registers(memory: Memory, first: str, num: str) -> None:
    """The loops over the legs between recorded epochs, over the columns of a chunk, and over the epochs of a leg."""
    x, program, stages = memory.x, memory.program, memory.stages
    before = [before for before, _ in program.carried]

    def compute(values: dict[int, str], number: int) -> str:
        if number not in values:
            node = memory.nodes[number]
            values[number] = x.compute(node, [values[operand] for operand in operands_of(node)])
        return values[number]

    def leg(number: str) -> list[str]:
        is_first = x.let(f"icmp eq i64 {number}, 0")
        begin, end = (x.item("%bounds", at, "i64") for at in (number, x.let(f"add i64 {number}, 1")))
        sources = {
            node: x.let(f"select i1 {is_first}, ptr {pointer}, ptr {out}")
            for (node, pointer), out in zip(memory.inputs.items(), memory.outs, strict=True)
        }
        x.loop(num, x.lanes, (), lambda at: vector(at, sources, begin, x.let(f"sub i64 {end}, {begin}")))
        return []

    def vector(at: str, sources: dict[int, str], begin: str, epochs: str) -> list[str]:
        column = x.let(f"add i64 {first}, {at}")
        rows = {**sources, **memory.fixed}
        kept = {node: x.load(x.at(pointer, column)) for node, pointer in rows.items()}
        kept |= {n: memory.coefficient(n, column, "0") for n in memory.tables if n not in memory.strides}
        finals = [x.name("final") for _ in before]

        def epoch(passed: str, *now: str) -> list[str]:
            k = x.let(f"add i64 {begin}, {passed}")
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

        x.loop(epochs, 1, list(zip([kept[one] for one in before], finals, strict=True)), epoch)
        for pointer, final in zip(memory.outs, finals, strict=True):
            x.store(final, x.at(pointer, column))
        return []

    x.loop("%legs", 1, (), leg)
