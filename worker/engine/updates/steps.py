"""From a graph to steps: passes over memory joined where torch has one call for two operations, and buffers reused."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from worker.engine.updates.graph import Graph, Level, levels
from worker.engine.updates.operations import COMPARISONS


@dataclass(frozen=True)
class Step:
    """One operation: its number in the graph, operands, and where its value is written.

    `buffer` is the number of a matrix that later steps reuse, None for a new tensor.
    """

    operation: str
    node: int
    operands: tuple[int, ...]
    level: Level
    buffer: int | None = None


@dataclass(frozen=True)
class Plan:
    """The steps of an update, the nodes that they read from tables, and the level of each node."""

    steps: tuple[Step, ...]
    tables: tuple[int, ...]
    levels: tuple[Level, ...]


def plan(graph: Graph, matrices: Collection[str]) -> Plan:
    """Plan the steps of a graph whose inputs `matrices` are matrices; all other inputs are in tables."""
    found = levels(graph, matrices)
    steps = _steps(graph, found)
    used = {operand for step in steps for operand in step.operands} | {number for _, number in graph.outputs}
    return Plan(
        tuple(_with_buffers(steps, [number for _, number in graph.outputs])),
        tuple(sorted(number for number in used if found[number] is Level.TABLE)),
        tuple(found),
    )


def _steps(graph: Graph, found: Sequence[Level]) -> list[Step]:
    """The steps in order, without operations that are part of another step or of no result."""
    uses = Counter(int(operand) for node in graph.nodes if node[0] not in ("constant", "input") for operand in node[1:])
    uses.update(number for _, number in graph.outputs)
    steps: list[Step] = []
    joined: set[int] = set()
    for number in reversed(range(len(graph.nodes))):
        operation, *given = graph.nodes[number]
        if operation in ("constant", "input") or found[number] is Level.TABLE or number in joined:
            continue
        operands = tuple(int(operand) for operand in given)
        step = Step(str(operation), number, operands, found[number])
        if found[number] is Level.MATRIX and operation in ("+", "-"):
            inside = [
                operand
                if uses[operand] == 1 and found[operand] is Level.MATRIX and graph.nodes[operand][0] in ("*", "/")
                else None
                for operand in operands
            ]
            step = _mean(graph, found, step, inside, joined) or _joined(graph, step, inside, joined) or step
        steps.append(step)
    return steps[::-1]


def _joined(graph: Graph, step: Step, inside: Sequence[int | None], joined: set[int]) -> Step | None:
    """a ± b·c or a ± b/c as one step; of a difference only the second operand can be joined."""
    for at in (1, 0) if step.operation == "+" else (1,):
        part = inside[at]
        if part is not None:
            joined.add(part)
            operation, *operands = graph.nodes[part]
            first = step.operands[1 - at]
            name = f"a{step.operation}b{operation}c"
            return Step(name, step.node, (first, *(int(operand) for operand in operands)), step.level)
    return None


def _mean(
    graph: Graph, found: Sequence[Level], step: Step, inside: Sequence[int | None], joined: set[int]
) -> Step | None:
    """s·a + (1 − s)·b as one step, where s is in a table: a running mean."""
    one, other = inside
    if step.operation != "+" or one is None or other is None:
        return None
    for kept, added in ((one, other), (other, one)):
        for share, old in _factors(graph, kept):
            for weight, new in _factors(graph, added):
                is_rest = graph.nodes[weight][0] == "-" and graph.nodes[weight][2] == share
                if (
                    is_rest
                    and found[weight] is Level.TABLE
                    and graph.nodes[int(graph.nodes[weight][1])] == ("constant", 1.0)
                ):
                    joined.update((one, other))
                    return Step("a+c*(b-a)", step.node, (old, new, weight), step.level)
    return None


def _factors(graph: Graph, number: int) -> list[tuple[int, int]]:
    """Both orders of the factors of a product; none of a quotient."""
    operation, *operands = graph.nodes[number]
    if operation != "*":
        return []
    left, right = (int(operand) for operand in operands)
    return [(left, right), (right, left)]


def _with_buffers(steps: Sequence[Step], outputs: Collection[int]) -> list[Step]:
    """Give a buffer to each matrix that is no result; a buffer is free after the last step that reads it."""
    last_use = {operand: at for at, step in enumerate(steps) for operand in step.operands}
    buffer_of: dict[int, int] = {}
    free: list[int] = []
    num = 0
    planned = []
    for at, step in enumerate(steps):
        for operand in dict.fromkeys(step.operands):
            if operand in buffer_of and last_use[operand] == at:
                free.append(buffer_of[operand])
        buffer = None
        if step.level is Level.MATRIX and step.node not in outputs and step.operation not in COMPARISONS:
            if free:
                buffer = free.pop()
            else:
                buffer, num = num, num + 1
            buffer_of[step.node] = buffer
        planned.append(Step(step.operation, step.node, step.operands, step.level, buffer))
    return planned
