"""Roots of recorded norms, and the memory in which epochs are recorded."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from worker.engine.fused.buffer import Buffer
from worker.engine.numerics.columns import root


@pytest.mark.parametrize(("dtype", "num_bits"), [(np.float32, 24), (np.float64, 53)])
def test_roots_are_the_nearest_numbers(dtype: type[np.floating], num_bits: int) -> None:
    values = (10.0 ** np.random.default_rng(5).uniform(-20, 20, 2_000)).astype(dtype)
    for value, found in zip(values.tolist(), root(torch.from_numpy(values)).tolist(), strict=True):
        half = Fraction(2) ** (int(np.frexp(found)[1]) - num_bits - 1)
        assert (Fraction(found) - half) ** 2 < Fraction(value) < (Fraction(found) + half) ** 2


def test_special_roots() -> None:
    found = root(torch.tensor([0.0, -0.0, torch.inf, torch.nan, -1.0, 4.0]))
    assert found.tolist()[:3] == [0.0, 0.0, torch.inf]
    assert torch.signbit(found).tolist()[:2] == [False, True]
    assert torch.isnan(found).tolist() == [False, False, False, True, True, False]


def test_memory_is_used_again_only_when_no_view_is_left() -> None:
    buffer = Buffer()
    first = buffer.array((3, 100))
    address = first.ctypes.data
    assert address % 64 == 0
    first[:] = 1.0
    row = first[2, 5:]
    del first
    second = buffer.array((2, 100))
    assert second.ctypes.data != address
    second[:] = 2.0
    assert (row == 1.0).all()
    del row
    assert buffer.array((300,)).ctypes.data == address
    assert buffer.array((0, 3)).shape == (0, 3)
