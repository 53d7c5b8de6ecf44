"""The functions of torch on stand-ins, by their names: elementwise ones, reductions, and those that change shapes."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from worker.engine.fused.elementwise import ELEMENTWISE, maximum, minimum
from worker.engine.fused.graph import Graph, Unsupported
from worker.engine.fused.sums import summed
from worker.engine.fused.traced import Ids, Traced, nodes


def call(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Record a call of torch."""
    name = name.partition(".")[0]
    in_place = name.endswith("_") and not name.endswith("__")
    name = name.strip("_")
    targets = [kwargs.pop(one) for one in ("out", "grad_input") if one in kwargs]
    if name in ELEMENTWISE:
        result = _elementwise(name, args, kwargs)
    elif name in SHAPING and not in_place:
        result = SHAPING[name](*args, **kwargs)
    else:
        raise Unsupported(name)
    target = args[0] if in_place else targets[0] if targets else None
    return result if target is None else target.copy_(result)


def _elementwise(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Traced:
    function, num, gives_bool = ELEMENTWISE[name]
    operands = list(args[:num])
    if len(args) != num or len(operands) < num:
        raise Unsupported(f"{name} of {len(args)} operands")
    like = next(value for value in operands if isinstance(value, Traced))
    floats = [value for value in operands if isinstance(value, Traced) and value.dtype != torch.bool]
    for at, value in enumerate(operands):
        is_condition = isinstance(value, Traced) and value.dtype == torch.bool
        if is_condition != (name == "where" and at == 0):
            raise Unsupported("a condition as a number, or a number as a condition")
    ids = [nodes(floats[0] if floats else like, value) for value in operands]
    arrays = np.broadcast_arrays(*ids)
    graph = like.graph
    flat = [function(graph, *(int(one) for one in at), **kwargs) for at in zip(*map(np.ravel, arrays), strict=True)]
    dtype = torch.bool if gives_bool else (floats[0].dtype if floats else like.dtype)
    return like.like(np.array(flat, dtype=np.int64).reshape(arrays[0].shape), dtype)


def _extreme(function: Callable[[Graph, int, int], int]) -> Callable[[Traced, int], Traced]:
    def reduce(values: Traced, dim: int) -> Traced:
        return values.like(_over(values, dim, lambda g, row: _folded(function, g, row)))

    return reduce


def _folded(function: Callable[[Graph, int, int], int], g: Graph, row: Sequence[int]) -> int:
    found = row[0]
    for one in row[1:]:
        found = function(g, found, one)
    return found


def _over(values: Traced, dim: int, reduce: Callable[[Graph, Sequence[int]], int]) -> Ids:
    """Reduce one leading axis."""
    if not 0 <= dim < values.ids.ndim - 1:
        raise Unsupported("a reduction over columns")
    moved = np.moveaxis(values.ids, dim, 0)
    flat = moved.reshape(len(moved), -1).T
    reduced = [reduce(values.graph, [int(one) for one in row]) for row in flat]
    return np.array(reduced, dtype=np.int64).reshape(moved.shape[1:])


def _sum(values: Traced, dim: int | tuple[int, ...], *, keepdim: bool = False) -> Traced:
    if isinstance(dim, tuple):
        if dim != tuple(range(len(dim))):
            raise Unsupported("a sum over several axes")
        values, dim = values.like(values.ids.reshape(-1, *values.ids.shape[len(dim) :])), 0
    ids = _over(values, dim, summed)
    return values.like(ids[None] if keepdim and dim == 0 else ids)


def _mean(values: Traced, dim: int) -> Traced:
    mean: Traced = call("div", (_sum(values, dim), values.shape[dim]), {})
    return mean


def _view(values: Traced, *shape: int) -> Traced:
    lead, last = shape[:-1], shape[-1]
    if last not in (-1, values.columns) or -1 in lead:
        raise Unsupported("another view")
    return values.like(values.ids.view().reshape(*lead, 1))


def _to(values: Traced, *args: Any, **kwargs: Any) -> Traced:
    dtypes = [one for one in (*args, *kwargs.values()) if isinstance(one, torch.dtype)]
    if values.dtype == torch.bool and dtypes and dtypes[0] == getattr(torch, values.graph.dtype):
        g = values.graph
        flat = [g.node("select", int(one), g.constant(1), g.constant(0)) for one in values.ids.ravel()]
        return values.like(np.array(flat, dtype=np.int64).reshape(values.ids.shape), dtypes[0])
    if not dtypes or dtypes[0] == values.dtype:
        return values
    raise Unsupported("another dtype")


def _cat(parts: Sequence[Traced], dim: int = 0) -> Traced:
    if len(parts) == 1:
        return parts[0]
    if dim != 0 or parts[0].ids.ndim == 1:
        raise Unsupported("joined columns")
    return parts[0].like(np.concatenate([part.ids for part in parts]))


def _split(values: Traced, sizes: Sequence[int], dim: int = 0) -> tuple[Traced, ...]:
    if dim == 0 and values.ids.ndim > 1:
        starts = np.cumsum([0, *sizes])
        return tuple(values.like(values.ids[a:b]) for a, b in pairwise(starts))
    if list(sizes) == [values.columns]:
        return (values,)
    raise Unsupported("split columns")


def _expand(values: Traced, *shape: int) -> Traced:
    if shape[-1] not in (-1, values.columns):
        raise Unsupported("another width")
    lead = tuple(have if want == -1 else want for have, want in zip(values.ids.shape, shape[:-1], strict=False))
    return values.like(np.broadcast_to(values.ids, (*lead, 1)))


def _filled(like: Traced, lead: Sequence[int], value: float) -> Traced:
    return like.like(np.full((*lead, 1), like.graph.constant(value), dtype=np.int64))


def _new(values: Traced, *shape: Any, fill: float = 0.0) -> Traced:
    sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], tuple) else shape
    if not sizes:
        return values.like(np.array([values.graph.constant(fill)], dtype=np.int64))
    if sizes[-1] != values.columns:
        raise Unsupported("another width")
    return _filled(values, sizes[:-1], fill)


SHAPING: dict[str, Callable[..., Any]] = {
    "sum": _sum,
    "mean": _mean,
    "amin": _extreme(minimum),
    "amax": _extreme(maximum),
    "view": _view,
    "to": _to,
    "cat": _cat,
    "stack": lambda parts, dim=0: parts[0].like(np.stack([part.ids for part in parts], dim)),
    "split_with_sizes": _split,
    "chunk": lambda values, num: tuple(values.like(part) for part in np.split(values.ids, num)),
    "unbind": lambda values, dim=0: tuple(values.like(part) for part in np.moveaxis(values.ids, dim, 0)),
    "unsqueeze": lambda values, dim: values.like(np.expand_dims(values.ids, dim)),
    "movedim": lambda values, a, b: values.like(np.moveaxis(values.ids, a, b)),
    "expand": _expand,
    "empty_like": lambda values: _filled(values, values.ids.shape[:-1], np.nan),
    "zeros_like": lambda values: _filled(values, values.ids.shape[:-1], 0),
    "full_like": lambda values, fill: _filled(values, values.ids.shape[:-1], float(fill)),
    "new_empty": lambda values, *shape: _new(values, *shape, fill=np.nan),
    "new_full": lambda values, shape, fill: _new(values, tuple(shape), fill=float(fill)),
}
Traced.interpreter = staticmethod(call)
