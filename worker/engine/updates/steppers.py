"""Optimizers of torch as objects, which update the columns of a part.

`Together` steps all runs of a setting as one parameter [D, columns], for classes that treat every number alone. `Apart`
gives each run an optimizer of its own, whose parameters have the shapes of the network. Both copy columns in and out,
because a class may replace its parameters or keep the gradient. Columns of runs are padded by repeating the last one,
as in stack/layout.py, so that a run's numbers do not depend on the number of its neighbours.

The trainer is in inference mode; optimizers of torch are made for normal tensors, so the mode is off here.
"""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from worker.engine.numerics.settings import Columns, Floats
from worker.engine.protocols import Shapes

# (parameters, hyper-parameters of one run by name) → the optimizer.
Make = Callable[[list[Parameter], Mapping[str, float]], Optimizer]


class StepError(Exception):
    """An optimizer failed at a step with finite gradients."""


class _Steppers:
    """Several optimizers, and their states as bytes."""

    def __init__(self, optimizers: Sequence[Optimizer], momentum: str | None) -> None:
        self._optimizers, self._momentum = optimizers, momentum

    def save(self) -> Tensor:
        """All states as the bytes of one file: tensors and plain values only."""
        states = [_owned(optimizer.state_dict()) for optimizer in self._optimizers]
        buffer = io.BytesIO()
        with torch.inference_mode(False):
            torch.save(states, buffer)
        return torch.frombuffer(bytearray(buffer.getvalue()), dtype=torch.uint8)

    def load(self, saved: Tensor) -> None:
        """Restore the states. Nothing in them is run as code."""
        with torch.inference_mode(False), torch.no_grad():
            states = torch.load(io.BytesIO(saved.numpy().tobytes()), weights_only=True)
            for optimizer, state in zip(self._optimizers, states, strict=True):
                optimizer.load_state_dict(state)

    def _set(self, optimizer: Optimizer, rate: float, momentum: float | None) -> None:
        """Write the values of a schedule where the optimizer reads them."""
        for group in optimizer.param_groups:
            group["lr"] = rate
            if momentum is not None and self._momentum == "momentum":
                group["momentum"] = momentum
            elif momentum is not None:
                group["betas"] = (momentum, *group["betas"][1:])


class Together(_Steppers):
    """One optimizer for each setting; its parameter is the matrix of the runs."""

    def __init__(self, make: Make, columns: Columns, shapes: Shapes, like_DR: Tensor, momentum: str | None) -> None:
        self._columns = columns.settings()
        with torch.inference_mode(False):
            self._indices = [torch.from_numpy(one).to(like_DR.device) for one in self._columns]
            self._matrices = [
                Parameter(like_DR.new_zeros(len(like_DR), len(one), dtype=like_DR.dtype)) for one in self._columns
            ]
            made = [
                make([matrix], columns.of(int(one[0])))
                for matrix, one in zip(self._matrices, self._columns, strict=True)
            ]
        super().__init__(made, momentum)

    def update(
        self,
        weights_DR: Tensor,
        gradient_DR: Tensor,
        rate_R: Floats,
        momentum_R: Floats | None,
    ) -> Tensor:
        """The weights after an update with these learning rates, and momenta where a schedule changes them."""
        with torch.inference_mode(False), torch.no_grad():
            new_DR = torch.empty_like(weights_DR)
            for optimizer, matrix, columns, index in zip(
                self._optimizers, self._matrices, self._columns, self._indices, strict=True
            ):
                first = int(columns[0])
                matrix.copy_(weights_DR.index_select(1, index))
                matrix.grad = gradient_DR.index_select(1, index).contiguous()
                self._set(optimizer, float(rate_R[first]), None if momentum_R is None else float(momentum_R[first]))
                optimizer.step()
                # The last column and its repetitions have the same numbers.
                new_DR.index_copy_(1, index, matrix)
            return _spread(new_DR, self._columns)


class Apart(_Steppers):
    """One optimizer for each run; its parameters are the tensors of the network, rows of one matrix in memory."""

    def __init__(self, make: Make, columns: Columns, shapes: Shapes, like_DR: Tensor, momentum: str | None) -> None:
        self._real = columns.real
        # The column whose run each column has.
        self._source = np.searchsorted(self._real, np.arange(len(columns.members)), side="right") - 1
        self._shapes = shapes
        ends = np.cumsum([math.prod(shape) for shape in shapes]).tolist()
        self._spans = list(zip([0, *ends[:-1]], ends, strict=True))
        with torch.inference_mode(False):
            self._rows_RD = like_DR.new_zeros(len(self._real), len(like_DR), dtype=like_DR.dtype)
            self._parameters = [[Parameter(view) for view in self._tensors(row_D)] for row_D in self._rows_RD]
            made = [
                make(parameters, columns.of(int(column)))
                for parameters, column in zip(self._parameters, self._real, strict=True)
            ]
        super().__init__(made, momentum)

    def update(
        self,
        weights_DR: Tensor,
        gradient_DR: Tensor,
        rate_R: Floats,
        momentum_R: Floats | None,
    ) -> Tensor:
        """As of `Together`."""
        with torch.inference_mode(False), torch.no_grad():
            real = torch.from_numpy(self._real).to(weights_DR.device)
            self._rows_RD.copy_(weights_DR.index_select(1, real).T)
            gradient_RD = gradient_DR.index_select(1, real).T.contiguous()
            for row, optimizer in enumerate(self._optimizers):
                column = int(self._real[row])
                self._set(optimizer, float(rate_R[column]), None if momentum_R is None else float(momentum_R[column]))
                self._step(row, optimizer, gradient_RD[row])
            source = torch.from_numpy(self._source).to(weights_DR.device)
            return torch.empty_like(weights_DR).copy_(self._rows_RD.index_select(0, source).T)

    def _step(self, row: int, optimizer: Optimizer, gradient_D: Tensor) -> None:
        views = self._tensors(self._rows_RD[row])
        parameters = self._parameters[row]
        for parameter, view, gradient in zip(parameters, views, self._tensors(gradient_D), strict=True):
            if parameter.data_ptr() != view.data_ptr():
                parameter.data = view
            parameter.grad = gradient
        try:
            optimizer.step()
        except Exception as error:
            if bool(torch.isfinite(gradient_D).all()):
                raise StepError(f"{type(error).__name__}: {error}") from error
            # A class may refuse the gradients of a run that diverges.
            self._rows_RD[row].fill_(torch.nan)
            return
        for parameter, view in zip(parameters, views, strict=True):
            if parameter.data_ptr() != view.data_ptr():
                view.copy_(parameter)

    def _tensors(self, row_D: Tensor) -> list[Tensor]:
        return [row_D[first:end].view(shape) for shape, (first, end) in zip(self._shapes, self._spans, strict=True)]


def _spread(new_DR: Tensor, settings: Sequence[NDArray[np.int64]]) -> Tensor:
    """Fill the columns that pad the part, which no setting has, with the last real column."""
    num_real = 1 + max(int(columns.max()) for columns in settings)
    if num_real < new_DR.shape[1]:
        new_DR[:, num_real:] = new_DR[:, num_real - 1 : num_real]
    return new_DR


def _owned(value: Any) -> Any:
    """A copy of a state in which no tensor is a part of a larger one, which would be saved as a whole."""
    if isinstance(value, Tensor):
        return value.detach().clone() if value.untyped_storage().nbytes() != value.nbytes else value
    if isinstance(value, dict):
        return {key: _owned(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_owned(inner) for inner in value)
    return value
