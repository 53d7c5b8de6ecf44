"""What an epoch computes always, and what only for its records; and where square roots cut it into stages.

torch's square root is a function of MKL on many numbers, which a stage ends with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from worker.engine.fused.epoch import Program
from worker.engine.fused.graph import Unsupported, operands_of


@dataclass(frozen=True)
class Stages:
    """The parts of an epoch.

    Attributes:
        always: Nodes that lead to the next epoch or the loss, in order.
        stage: Stage of each of them; a square root belongs to the stage that computes its argument.
        only_recorded: Other nodes that records need, in order.
        records: The nodes of the fields.
    """

    always: tuple[int, ...]
    stage: dict[int, int]
    only_recorded: tuple[int, ...]
    records: tuple[int, ...]

    def num(self, program: Program) -> int:
        """The number of stages, where a root is available from the stage after its own."""
        nodes = program.graph.nodes
        return 1 + max(stage + (nodes[number][0] == "sqrt") for number, stage in self.stage.items())


def stages_of(program: Program) -> Stages:
    """Divide a program.

    Raises:
        Unsupported: A record computes with a square root that no update computes.
    """
    nodes = program.graph.nodes
    always = _needed(program, [after for _, after in program.carried] + [program.loss])
    records = [number for _, number in program.records]
    stage: dict[int, int] = {}
    for number in sorted(always):
        operands = operands_of(nodes[number])
        stage[number] = max((stage[one] + (nodes[one][0] == "sqrt") for one in operands), default=0)
    only = sorted(_needed(program, records) - always)
    if any(nodes[number][0] == "sqrt" for number in only):
        raise Unsupported("a record computed from a square root")
    return Stages(tuple(sorted(always)), stage, tuple(only), tuple(records))


def _needed(program: Program, wanted: Iterable[int]) -> set[int]:
    found: set[int] = set()
    waiting = list(wanted)
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += operands_of(program.graph.nodes[number])
    return found


def uses(program: Program, numbers: Sequence[int]) -> set[int]:
    """The operands of some nodes."""
    return {operand for number in numbers for operand in operands_of(program.graph.nodes[number])}
