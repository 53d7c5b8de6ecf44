"""The iteration of Muon: nearly orthogonal, equal to torch's, and independent of other runs."""

import pytest
import torch
from torch.optim._muon import DEFAULT_A, DEFAULT_B, DEFAULT_C, EPS, _zeropower_via_newtonschulz

from worker.engine.optimizers.muon import orthogonalized

SHAPES = [(3, 4), (4, 3), (8, 8), (10, 32), (32, 64), (64, 32), (33, 17), (1, 5), (128, 128)]


def matrices(shape: tuple[int, int], num_runs: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.randn(*shape, num_runs, dtype=dtype, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_result_is_that_of_torch_in_float64(shape, monkeypatch):
    given = matrices(shape, 5, torch.float64)
    found = orthogonalized(given)
    rounded = _zeropower_via_newtonschulz(given[..., 2], (DEFAULT_A, DEFAULT_B, DEFAULT_C), 5, EPS)
    torch.testing.assert_close(found[..., 2], rounded.double(), rtol=0.1, atol=0.02)
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    for run in range(5):
        exact = _zeropower_via_newtonschulz(given[..., run], (DEFAULT_A, DEFAULT_B, DEFAULT_C), 5, EPS)
        torch.testing.assert_close(found[..., run], exact, rtol=1e-11, atol=1e-12)


def test_singular_values_come_near_to_one_and_their_vectors_stay():
    given = matrices((6, 9), 1, torch.float64)[..., 0]
    found = orthogonalized(given[..., None])[..., 0]
    assert 0.6 < torch.linalg.svdvals(found).min() <= torch.linalg.svdvals(found).max() < 1.3
    # Both are U·diag·Vᵀ of the same U and V: their product is symmetric.
    product = given @ found.T
    torch.testing.assert_close(product, product.T)


def test_zero_matrices_stay_zero():
    assert torch.equal(orthogonalized(torch.zeros(3, 4, 32)), torch.zeros(3, 4, 32))


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_products_of_a_run_do_not_depend_on_other_runs(shape, dtype):
    # Groups have a multiple of 32 columns; the results of the kernel must not depend on this number.
    num_runs = 4096 if shape[0] * shape[1] < 100 else 256
    together = orthogonalized(matrices(shape, num_runs, dtype))
    for first, last in ((0, 32), (32, 64), (num_runs - 32, num_runs), (0, 96)):
        assert torch.equal(orthogonalized(matrices(shape, num_runs, dtype)[..., first:last]), together[..., first:last])
