"""Calls of compiled programs on tensors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.fused.epoch import GRADIENT, LOSS, START, WEIGHTS, Program

Values = dict[str, Tensor]


@dataclass(frozen=True)
class Coefficients:
    """What the optimizer needs from an epoch on: rows [R], and tables [T, R] at the epoch's first update."""

    constant: Mapping[str, Tensor]
    varying: Mapping[str, Tensor]
    updates_per_epoch: int


@dataclass(frozen=True)
class Target:
    """Where a call stores: the loss of epoch k at loss[k], its fields at records[slots[k]] where that is not negative.

    Column 0 of the call is column `column` of the arrays. `rows` are the places of the fields by name.
    """

    loss_KC: NDArray[np.float64]
    records_SFC: NDArray[np.float64]
    slots_K: NDArray[np.int32]
    rows: Mapping[str, int]
    column: int


class Kernel:
    """The machine code of a program, with the number of operations of an epoch for each column."""

    def __init__(self, program: Program, function: Callable[..., None], scratch: int) -> None:
        self._program, self._function = program, function
        self._num_scratch = scratch
        self.operations = program.operations

    def run(self, values: Values, start_DR: Tensor, coefficients: Coefficients, target: Target) -> Values:
        """Train len(slots) epochs from `values` (epoch.py's names), and give those after them."""
        new = {name: torch.empty(value.shape, dtype=value.dtype) for name, value in values.items()}
        rows = {name: _rows(value) for name, value in (*values.items(), (START, start_DR))}
        ins = [rows[name][at] for name, at in self._program.names] + rows[START]
        out = {name: _rows(value) for name, value in new.items()}
        outs = [out[name][at] for name, at in self._program.names]
        tables, strides = [], []
        for _, one in self._program.coefficients:
            value = coefficients.constant[one.name] if one.update is None else coefficients.varying[one.name]
            stride = 0 if one.update is None else value.stride(0) * value.element_size()
            tables.append(value.data_ptr() + stride * (one.update or 0))
            strides.append(stride * coefficients.updates_per_epoch // value.element_size())
        scratch = np.zeros(self._num_scratch, dtype=self._program.graph.dtype)
        loss, records = target.loss_KC, target.records_SFC
        size = records.itemsize
        pointers = [np.array(one, dtype=np.int64) for one in (ins, outs, tables, strides)]
        places = np.array([target.rows[name] * (records.strides[1] // size) for name, _ in self._program.records])
        bounds = _bounds(target.slots_K)
        self._function(
            *(int(start_DR.shape[1]), len(target.slots_K)),
            *(one.ctypes.data for one in pointers),
            *(loss.ctypes.data + target.column * size, loss.strides[0] // size),
            *(records.ctypes.data + target.column * size, records.strides[0] // size),
            *(places.ctypes.data, target.slots_K.ctypes.data, scratch.ctypes.data),
            *(len(bounds) - 1, bounds.ctypes.data),
        )
        return new


def _bounds(slots_K: NDArray[np.int32]) -> NDArray[np.int64]:
    """The epochs with which legs begin, and the end of the last: a leg ends with an epoch that is recorded."""
    after = np.flatnonzero(slots_K >= 0) + 1
    return np.unique(np.concatenate([[0], after, [len(slots_K)]])).astype(np.int64)


def _rows(value: Tensor) -> list[int]:
    """Addresses of the rows of a matrix, or of a row."""
    assert value.stride(-1) == 1
    if value.ndim == 1:
        return [value.data_ptr()]
    step = value.stride(0) * value.element_size()
    return [value.data_ptr() + at * step for at in range(len(value))]


def by_rows(value: Tensor) -> Tensor:
    """A tensor whose rows are in memory one after another."""
    return value if value.stride(-1) == 1 else value.contiguous()


def values_of(weights_DR: Tensor, known: Sequence[Tensor], state: Mapping[str, Tensor]) -> Values:
    """The values of a part at the beginning of an epoch, by the names of a program."""
    values = {WEIGHTS: weights_DR} | {f"state {name}": matrix for name, matrix in state.items()}
    values |= dict(zip((LOSS, GRADIENT), known, strict=False))
    return {name: by_rows(value) for name, value in values.items()}
