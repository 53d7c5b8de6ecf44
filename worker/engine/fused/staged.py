"""Epochs with square roots between updates: chunks of columns go through the stages of each epoch in scratch memory.

A chunk's numbers stay in the first-level cache. Carried values are in two places in turn, before and after an epoch.
"""

from collections.abc import Callable

from worker.engine.fused.graph import operands_of
from worker.engine.fused.memory import CHUNK, Load, Memory
from worker.engine.fused.stages import uses


class Staged:
    """The loops of a function in scratch memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.x, self.program, self.stages, self.nodes = memory.x, memory.program, memory.stages, memory.nodes
        self.num_stages = memory.stages.num(memory.program)

    def loops(self, first: str, num: str) -> int:
        """The loops over epochs, stages and the columns of a chunk; gives the numbers of scratch memory."""
        x = self.x
        num_carried = len(self.program.carried)
        spilled = self._spilled()
        roots = {
            stage: [n for n in spilled if self.nodes[n][0] == "sqrt" and self.stages.stage[n] == stage]
            for stage in range(self.num_stages)
        }
        # Roots of a stage lie side by side: one call takes all of them.
        order = [n for stage in roots.values() for n in stage] + [n for n in spilled if self.nodes[n][0] != "sqrt"]
        slot_of = {node: 2 * num_carried + at for at, node in enumerate(order)}
        pointer = {node: x.at("%scratch", str(at * CHUNK)) for node, at in slot_of.items()}
        sides = [
            [x.at("%scratch", str((side * num_carried + at) * CHUNK)) for at in range(num_carried)] for side in (0, 1)
        ]

        def copied(sources: list[str], source_at: str, targets: list[str], target_at: str) -> None:
            def body(at: str) -> list[str]:
                for source, target in zip(sources, targets, strict=True):
                    a, b = (x.let(f"add i64 {at}, {start}") for start in (source_at, target_at))
                    x.store(x.load(x.at(source, a)), x.at(target, b))
                return []

            x.loop(num, x.lanes, (), body)

        copied([self._memory.inputs[before] for before, _ in self.program.carried], first, sides[0], "0")

        def epoch(k: str) -> list[str]:
            odd = x.let(f"trunc i64 {k} to i1")
            now, following = (
                [x.let(f"select i1 {odd}, ptr {a}, ptr {b}") for a, b in zip(sides[one], sides[other], strict=True)]
                for one, other in ((1, 0), (0, 1))
            )
            for stage in range(self.num_stages):
                x.loop(num, x.lanes, (), self._stage(k, first, stage, now, following, pointer))
                if roots[stage]:
                    count = x.let(f"add i64 {num}, {(len(roots[stage]) - 1) * CHUNK}")
                    self._memory.roots(pointer[roots[stage][0]], count)

            def record(at: str) -> list[str]:
                column = x.let(f"add i64 {first}, {at}")
                self._memory.record(
                    k, column, lambda: self._loader(k, column, at, now, following, pointer, self.num_stages)
                )
                return []

            x.loop(num, x.lanes, (), record)
            return []

        x.loop("%epochs", 1, (), epoch)
        odd = x.let("trunc i64 %epochs to i1")
        last = [x.let(f"select i1 {odd}, ptr {b}, ptr {a}") for a, b in zip(*sides, strict=True)]
        copied(last, "0", self._memory.outs, first)
        return CHUNK * (2 * num_carried + len(order))

    def _spilled(self) -> list[int]:
        """Nodes that a later stage or a record reads from scratch; conditions are computed again from these."""
        stage, always = self.stages.stage, self.stages.always
        carried = {after for _, after in self.program.carried}
        roots = {n for n in always if self.nodes[n][0] == "sqrt"}
        waiting = [
            operand
            for number in always
            for operand in operands_of(self.nodes[number])
            if stage[operand] < stage[number] or self._is_condition(operand)
        ]
        waiting += uses(self.program, self.stages.only_recorded) | {*self.stages.records}
        later = {*roots}
        while waiting:
            number = waiting.pop()
            if number not in stage or self.nodes[number][0] in ("input", "constant"):
                continue
            if self._is_condition(number):
                waiting += operands_of(self.nodes[number])
            elif number not in carried:
                later.add(number)
        if self.program.loss not in carried and self.nodes[self.program.loss][0] != "input":
            later.add(self.program.loss)
        return sorted(later)

    def _is_condition(self, number: int) -> bool:
        return self.nodes[number][0] in ("<", "<=", "==", "!=", "and", "or")

    def _loader(
        self, k: str, column: str, at: str, now: list[str], following: list[str], pointer: dict[int, str], stage: int
    ) -> Load:
        """A function that gives the value of a node in a stage: loaded, or computed there, once."""
        x, memory = self.x, self._memory
        values: dict[int, str] = {}
        after = {node: place for place, (_, node) in enumerate(self.program.carried)}

        def load(number: int) -> str:
            if number in values:
                return values[number]
            node = self.nodes[number]
            is_earlier = number in self.stages.stage and (node[0] == "sqrt" or self.stages.stage[number] < stage)
            if number in memory.carried:
                value = x.load(x.at(now[memory.carried[number]], at))
            elif number in memory.fixed:
                value = x.load(x.at(memory.fixed[number], column))
            elif number in memory.tables:
                value = memory.coefficient(number, column, k)
            elif is_earlier and number in pointer:
                value = x.load(x.at(pointer[number], at))
            elif is_earlier and number in after:
                value = x.load(x.at(following[after[number]], at))
            else:
                value = x.compute(node, [load(operand) for operand in operands_of(node)])
            values[number] = value
            return value

        return load

    def _stage(
        self, k: str, first: str, stage: int, now: list[str], following: list[str], pointer: dict[int, str]
    ) -> Callable[[str], list[str]]:
        x = self.x

        def body(at: str) -> list[str]:
            column = x.let(f"add i64 {first}, {at}")
            load = self._loader(k, column, at, now, following, pointer, stage)
            for number in self.stages.always:
                if self.stages.stage[number] == stage and number in pointer:
                    root = self.nodes[number][0] == "sqrt"
                    value = load(operands_of(self.nodes[number])[0]) if root else load(number)
                    x.store(value, x.at(pointer[number], at))
            for place, (_, node) in enumerate(self.program.carried):
                available = self.stages.stage[node] + (self.nodes[node][0] == "sqrt")
                if available == stage:
                    x.store(load(node), x.at(following[place], at))
            return []

        return body
