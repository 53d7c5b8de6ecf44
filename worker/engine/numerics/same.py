"""Tables whose columns are all equal, computed once instead of once for every column.

Such a table [T, R] is held as [T, COLUMNS_MULTIPLE]: powers and roots are computed in full registers, as they are in a
wide table, so every number has the bits that it has there.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from worker.engine.numerics.columns import COLUMNS_MULTIPLE

# Functions of torch, operators and operations of update rules that give the same bits at every place of a register.
EXACT = {
    *("add", "sub", "rsub", "mul", "div", "truediv", "rtruediv", "neg", "abs", "sign", "minimum", "maximum", "where"),
    *("lt", "le", "gt", "ge", "eq", "ne", "or", "negative", "+", "-", "*", "/", "min", "max", "<", "<=", "==", "!="),
}


class Same:
    """A table of equal columns in the place of a tensor [T, `width`]."""

    __hash__ = object.__hash__

    def __init__(self, narrow: Tensor, width: int) -> None:
        self.narrow, self.width = narrow, width

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return applied(func, func.__name__.strip("_"), args, kwargs or {})

    def __len__(self) -> int:
        return len(self.narrow)

    @property
    def shape(self) -> torch.Size:
        return torch.Size((len(self.narrow), self.width))

    @property
    def first(self) -> Tensor:
        """One column [T, 1]."""
        return self.narrow[:, :1]

    def full(self) -> Tensor:
        """The whole table."""
        return self.first.expand(-1, self.width).contiguous()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: applied(getattr(Tensor, name), name, (self, *args), kwargs)


def same(values_T1: Tensor, width: int) -> Tensor:
    """A column repeated."""
    num = min(width, COLUMNS_MULTIPLE)
    narrow = values_T1.expand(-1, num).contiguous()
    return narrow if num == width else _as_tensor(Same(narrow, width))


def is_same(values: object) -> bool:
    """Whether a table is one of equal columns."""
    return isinstance(values, Same)


def column(values: Tensor) -> Tensor:
    """The first column [T, 1]."""
    return values.first if isinstance(values, Same) else values[:, :1]


def table(values_1R: Tensor) -> Tensor:
    """A table, as one of equal columns if they are equal."""
    if values_1R.shape[1] > COLUMNS_MULTIPLE and bool((values_1R == values_1R[:, :1]).all()):
        return _as_tensor(Same(values_1R[:, :COLUMNS_MULTIPLE].contiguous(), values_1R.shape[1]))
    return values_1R


def _as_tensor(values: Same) -> Tensor:
    """The table where a tensor is expected, as whose stand-in it serves."""
    return cast(Tensor, values)


def applied(func: Callable[..., Any], name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """A function of tables: of equal columns only, if all are, else of all columns."""
    width = next((one.width for one in args if isinstance(one, Same)), None)
    if width is None:
        return func(*args, **kwargs)
    if all(not isinstance(one, Tensor) or one.ndim == 0 or one.shape[-1] == 1 for one in args):
        values = func(*(one.narrow if isinstance(one, Same) else one for one in args), **kwargs)
        return Same(values, width)
    is_exact = name in EXACT
    return func(*((one.first if is_exact else one.full()) if isinstance(one, Same) else one for one in args), **kwargs)


def _operator(function: Callable[..., Any], *, is_reversed: bool = False) -> Callable[..., Any]:
    return lambda *values: applied(function, function.__name__.strip("_"), values[::-1] if is_reversed else values, {})


for _name in ("add", "sub", "mul", "truediv", "pow", "neg", "lt", "le", "gt", "ge", "eq", "ne", "or_"):
    _function = getattr(operator, _name)
    setattr(Same, f"__{_name.strip('_')}__", _operator(_function))
    if _name in ("add", "sub", "mul", "truediv", "pow"):
        setattr(Same, f"__r{_name}__", _operator(_function, is_reversed=True))
