"""Compares what compiled programs compute with torch on this processor, function by function."""

from collections.abc import Callable
from itertools import product

import numpy as np
import torch
from torch import Tensor

from worker.engine.fused.compiler import Compiler, Unavailable
from worker.engine.fused.epoch import Program
from worker.engine.fused.graph import Graph
from worker.engine.fused.kernel import Coefficients, Kernel, Target
from worker.engine.fused.traced import Traced
from worker.engine.numerics.columns import root

_COLUMNS = 4_096
_SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, np.inf, -np.inf, np.nan, 1e-310, -1e-310, 1e-40, -1e-40, 3e38, 1.7e308)
# Each is computed by torch on tensors, and recorded on stand-ins.
FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "add": lambda a, b, c: a + b,
    "add with alpha": lambda a, b, c: torch.add(a, b, alpha=0.3),
    "sub": lambda a, b, c: a - b,
    "mul": lambda a, b, c: a * b,
    "mul by a number": lambda a, b, c: 0.1 * a,
    "mul and add": lambda a, b, c: a * b + c,
    "div": lambda a, b, c: a / b,
    "div by a number": lambda a, b, c: a / 3,
    "neg": lambda a, b, c: -a,
    "abs": lambda a, b, c: torch.abs(a),
    "sign": lambda a, b, c: torch.sign(a),
    "square": lambda a, b, c: torch.pow(a, 2),
    "addcmul": lambda a, b, c: torch.addcmul(a, b, c),
    "addcmul, minus": lambda a, b, c: torch.addcmul(a, b, c, value=-1),
    "addcdiv": lambda a, b, c: torch.addcdiv(a, b, c),
    "addcdiv, minus": lambda a, b, c: torch.addcdiv(a, b, c, value=-1),
    "lerp": lambda a, b, c: torch.lerp(a, b, c),
    "minimum": lambda a, b, c: torch.minimum(a, b),
    "maximum": lambda a, b, c: torch.maximum(a, b),
    "clamp max": lambda a, b, c: a.clamp(max=1),
    "clamp min": lambda a, b, c: torch.clamp_min(a, 0),
    "relu": lambda a, b, c: torch.relu(a),
    "relu backward": lambda a, b, c: torch.ops.aten.threshold_backward.default(a, b, 0),
    "where <": lambda a, b, c: torch.where(a < b, a, c),
    "where <=": lambda a, b, c: torch.where(a <= b, a, c),
    "where ==": lambda a, b, c: torch.where(a == b, a, c),
    "where !=": lambda a, b, c: torch.where(a != b, a, c),
    "condition": lambda a, b, c: (a <= 0.5).to(a.dtype),
    "sqrt": lambda a, b, c: torch.sqrt(a),
    "root": lambda a, b, c: root(a),
    "sum": lambda a, b, c: torch.stack([a, b, c]).sum(0),
    "long sum": lambda a, b, c: torch.stack([a, b, c] * 12).sum(0),
    "amin": lambda a, b, c: torch.stack([a, b, c]).amin(0),
    "amax": lambda a, b, c: torch.stack([a, b, c]).amax(0),
}


def check(compiler: Compiler) -> None:
    """Compare all functions in both dtypes.

    Raises:
        Unavailable: A function gives other bits than torch.
    """
    with torch.inference_mode():
        for dtype in (torch.float32, torch.float64):
            differing = differences(compiler, dtype)
            if differing:
                raise Unavailable(f"{', '.join(differing)} in {dtype} differ from torch on this processor")


def differences(compiler: Compiler, dtype: torch.dtype) -> list[str]:
    """The functions that give other bits than torch; all NaNs are equal."""
    operands = _operands(dtype)
    graph = Graph(str(dtype).removeprefix("torch."), (_COLUMNS,))
    names = ["a", "b", "c", *(f"unused {at}" for at in range(len(FUNCTIONS) - 3))]
    inputs = [Traced.inputs(graph, name, (), _COLUMNS, dtype) for name in names]
    results = [function(*inputs[:3]) for function in FUNCTIONS.values()]
    carried = tuple((int(one.ids[0]), int(after.ids[0])) for one, after in zip(inputs, results, strict=True))  # type: ignore[attr-defined]
    loss = int(inputs[0].ids[0])
    recorded = int(graph.node("root", graph.node("*", loss, loss)))
    program = Program(graph, carried, tuple((name, 0) for name in names), (), (), loss, (("recorded", recorded),))
    values = dict(zip(names, (*operands, *[operands[0]] * (len(names) - 3)), strict=True))
    record_SFC = np.empty((1, 1, _COLUMNS))
    target = Target(np.empty((1, _COLUMNS)), record_SFC, np.zeros(1, np.int32), {"recorded": 0}, 0)
    start_DR = operands[0].new_empty(0, _COLUMNS)
    found = Kernel(program, *compiler.function(program)).run(values, start_DR, Coefficients({}, {}, 1), target)
    differing = [
        name
        for (name, function), own in zip(FUNCTIONS.items(), found.values(), strict=True)
        if not _equal(own, function(*operands))
    ]
    if not _equal(torch.from_numpy(record_SFC[0, 0]), root(operands[0] * operands[0]).double()):
        differing.append("recorded root")
    return differing


def _operands(dtype: torch.dtype) -> list[Tensor]:
    """Three rows of numbers: special ones in all combinations, then random ones of all magnitudes."""
    random = np.random.default_rng(7)
    special = np.array(list(product(_SPECIAL, repeat=3)))
    num = _COLUMNS - len(special)
    sizes = np.where(np.arange(num) % 2, 1.0, 10.0 ** random.uniform(-12, 12, num))
    rows = np.concatenate([special, (random.standard_normal((3, num)) * sizes).T])
    with np.errstate(over="ignore"):
        return [torch.from_numpy(np.ascontiguousarray(row)).to(dtype) for row in rows.T]


def _equal(own: Tensor, of_torch: Tensor) -> bool:
    whole = torch.int32 if own.dtype == torch.float32 else torch.int64
    same = own.contiguous().view(whole) == of_torch.contiguous().view(whole)
    return bool((same | (torch.isnan(own) & torch.isnan(of_torch))).all())
