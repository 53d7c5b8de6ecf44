"""A stand-in for tensors [..., R] that records what is computed, instead of computing it.

The engine's own functions run once on stand-ins, so the compiled program has their operations and no others. Each
element of the leading axes is a node of a graph, the same for all R columns; views share memory as those of torch do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import EllipsisType
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.fused.graph import Graph, Unsupported

Index = int | slice | EllipsisType | None
Ids = NDArray[np.int64]


class Traced:
    """Nodes `ids` [..., 1] of a graph in place of numbers [..., R]."""

    # Records a call by the name of the function; functions.py provides it.
    interpreter: ClassVar[Callable[[str, Sequence[Any], dict[str, Any]], Any]]

    def __init__(self, graph: Graph, ids: Ids, columns: int, dtype: torch.dtype) -> None:
        self.graph, self.ids, self.columns, self.dtype = graph, ids, columns, dtype

    @classmethod
    def inputs(cls, graph: Graph, name: str, lead: Sequence[int], columns: int, dtype: torch.dtype) -> "Traced":
        """Inputs `name/0`, `name/1`, … in the order of memory."""
        num = int(np.prod(lead, dtype=int))
        ids = np.array([graph.input(f"{name}/{at}") for at in range(num)], dtype=np.int64)
        return cls(graph, ids.reshape(*lead, 1), columns, dtype)

    def like(self, ids: Ids, dtype: torch.dtype | None = None) -> "Traced":
        """Other nodes of the same graph and columns."""
        return Traced(self.graph, ids, self.columns, dtype or self.dtype)

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return cls.interpreter(getattr(func, "__name__", str(func)), args, dict(kwargs or {}))

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return Traced.interpreter(name, (self, *args), kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._call(name, *args, **kwargs)

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.ids.shape[:-1], self.columns)

    @property
    def ndim(self) -> int:
        return self.ids.ndim

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator["Traced"]:
        if self.ids.ndim == 1:
            raise Unsupported("a column of its own")
        return (self.like(row) for row in self.ids)

    def __getitem__(self, index: Index | tuple[Index, ...]) -> "Traced":
        return self.like(self.ids[self._checked(index)])

    def __setitem__(self, index: Index | tuple[Index, ...], value: Any) -> None:
        self.ids[self._checked(index)] = nodes(self, value)

    def _checked(self, index: Index | tuple[Index, ...]) -> tuple[Index, ...]:
        """The index, if it chooses no columns."""
        parts = index if isinstance(index, tuple) else (index,)
        if not all(part is None or part is Ellipsis or isinstance(part, int | slice) for part in parts):
            raise Unsupported("an index that is a tensor")
        used = [part for part in parts if part is not None]
        if Ellipsis in used or (len(used) >= self.ids.ndim and used[-1] != slice(None)):
            raise Unsupported("columns of their own")
        return parts

    def __bool__(self) -> bool:
        raise Unsupported("a decision of a column")

    def copy_(self, values: Any) -> Self:
        """Writes nodes in place."""
        self.ids[...] = np.broadcast_to(nodes(self, values), self.ids.shape)
        return self


def nodes(like: Traced, value: Any) -> Ids:
    """The nodes of an operand, which broadcast as tensors do.

    Raises:
        Unsupported: The operand has numbers of its own for each column.
    """
    if isinstance(value, Traced):
        return value.ids
    found = _constants(value, like)
    if found is None:
        raise Unsupported(f"an operand of type {type(value).__name__}")
    return found


def _constants(value: Any, like: Traced) -> Ids | None:
    """The nodes of a number, or of a tensor that is the same for all columns; None of anything else."""
    if isinstance(value, bool | int | float):
        return np.array(like.graph.constant(float(value)), dtype=np.int64)
    if isinstance(value, Tensor) and value.ndim and value.stride(-1) == 0:
        value = value[..., :1]
    if isinstance(value, Tensor) and (value.ndim == 0 or value.shape[-1] == 1):
        if value.ndim and str(value.dtype) != f"torch.{like.graph.dtype}":
            return None
        flat = [like.graph.constant(float(number)) for number in value.reshape(-1).tolist()]
        return np.array(flat, dtype=np.int64).reshape(tuple(value.shape))
    return None


def _operator(name: str) -> Callable[..., Any]:
    return lambda values, *others: Traced.interpreter(name, (values, *others), {})


for _symbol, _name in {
    **{f"__{name}__": name for name in ("add", "sub", "mul", "pow", "neg", "lt", "le", "gt", "ge", "eq", "ne")},
    "__radd__": "add",
    "__rmul__": "mul",
    "__rsub__": "rsub",
    "__truediv__": "div",
    "__rtruediv__": "rdiv",
}.items():
    setattr(Traced, _symbol, _operator(_name))
