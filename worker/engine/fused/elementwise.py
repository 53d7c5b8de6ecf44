"""The elementwise functions of torch as nodes: the operations that its vectors of full registers compute.

Where torch fuses a multiplication and an addition on AVX2 and AVX-512, the node is a fused one. `check.py` compares
every function with torch on this processor. Names are those of torch.
"""

from collections.abc import Callable

import numpy as np

from worker.engine.fused.graph import Graph, Unsupported

Extreme = Callable[[Graph, int, int], int]


def _add(g: Graph, a: int, b: int, alpha: float = 1) -> int:
    return g.node("+", a, b) if alpha == 1 else g.node("fma", b, g.constant(alpha), a)


def _sub(g: Graph, a: int, b: int, alpha: float = 1) -> int:
    return g.node("-", a, b) if alpha == 1 else g.node("fma", b, g.constant(-alpha), a)


def _addcmul(g: Graph, a: int, b: int, c: int, value: float = 1) -> int:
    if value not in (1, -1):
        raise Unsupported("addcmul with a value")
    return g.node("fma", b if value == 1 else g.node("negative", b), c, a)


def _addcdiv(g: Graph, a: int, b: int, c: int, value: float = 1) -> int:
    if value not in (1, -1):
        raise Unsupported("addcdiv with a value")
    return g.node("+", a, g.node("/", b if value == 1 else g.node("negative", b), c))


def _lerp(g: Graph, start: int, end: int, weight: int) -> int:
    difference = g.node("-", end, start)
    near = g.node("<", g.node("abs", weight), g.constant(0.5))
    factor = g.node("select", near, weight, g.node("-", weight, g.constant(1)))
    return g.node("fma", factor, difference, g.node("select", near, start, end))


def _smaller(g: Graph, a: int, b: int) -> int:
    """As the instruction of the processor: b if the operands are equal or one is NaN."""
    return g.node("select", g.node("<", a, b), a, b)


def _larger(g: Graph, a: int, b: int) -> int:
    return g.node("select", g.node("<", b, a), a, b)


def _or_nan(extreme: Extreme) -> Extreme:
    def function(g: Graph, a: int, b: int) -> int:
        is_nan = g.node("or", g.node("!=", a, a), g.node("!=", b, b))
        return g.node("select", is_nan, g.constant(np.nan), extreme(g, a, b))

    return function


minimum, maximum = _or_nan(_smaller), _or_nan(_larger)


def _clamp(g: Graph, a: int, min: float | None = None, max: float | None = None) -> int:  # noqa: A002
    if (min is None) == (max is None):
        raise Unsupported("clamp at both ends")
    return _larger(g, g.constant(min), a) if min is not None else _smaller(g, g.constant(float(max or 0)), a)


def _sign(g: Graph, a: int) -> int:
    zero, one = g.constant(0), g.constant(1)
    return g.node(
        "-", g.node("select", g.node("<", zero, a), one, zero), g.node("select", g.node("<", a, zero), one, zero)
    )


def _pow(g: Graph, a: int, b: int) -> int:
    if b == g.constant(2):
        return g.node("*", a, a)
    raise Unsupported("pow")


def _threshold(g: Graph, gradient: int, values: int, threshold: int) -> int:
    return g.node("select", g.node("<=", values, threshold), g.constant(0), gradient)


def _named(operation: str, *, swapped: bool = False) -> Callable[..., int]:
    if swapped:
        return lambda g, a, b: g.node(operation, b, a)
    return lambda g, *operands: g.node(operation, *operands)


# Name: the function of a graph and the nodes, its number of operands, and whether it gives a condition.
ELEMENTWISE: dict[str, tuple[Callable[..., int], int, bool]] = {
    "add": (_add, 2, False),
    "sub": (_sub, 2, False),
    "rsub": (lambda g, a, b: g.node("-", b, a), 2, False),
    "mul": (_named("*"), 2, False),
    "div": (_named("/"), 2, False),
    "truediv": (_named("/"), 2, False),
    "rdiv": (_named("/", swapped=True), 2, False),
    "neg": (_named("negative"), 1, False),
    "abs": (_named("abs"), 1, False),
    "sign": (_sign, 1, False),
    "sqrt": (_named("sqrt"), 1, False),
    "root": (_named("root"), 1, False),
    "square": (lambda g, a: g.node("*", a, a), 1, False),
    "pow": (_pow, 2, False),
    "addcmul": (_addcmul, 3, False),
    "addcdiv": (_addcdiv, 3, False),
    "lerp": (_lerp, 3, False),
    "minimum": (minimum, 2, False),
    "maximum": (maximum, 2, False),
    "clamp": (_clamp, 1, False),
    "clamp_min": (lambda g, a, b: _larger(g, b, a), 2, False),
    "relu": (lambda g, a: _larger(g, g.constant(0), a), 1, False),
    "threshold_backward": (_threshold, 3, False),
    "where": (_named("select"), 3, False),
    "lt": (_named("<"), 2, True),
    "le": (_named("<="), 2, True),
    "gt": (_named("<", swapped=True), 2, True),
    "ge": (_named("<=", swapped=True), 2, True),
    "eq": (_named("=="), 2, True),
    "ne": (_named("!="), 2, True),
}
