"""The price of a job on data counts what its rows, its orders and its wide layers take."""

from typing import Any

from service.spec.job import JobSpec
from service.spec.price import Price, price


def cost(rows: int, features: int, model: dict[str, Any], **more: Any) -> Price:
    resolved = {"digest": "0", "rows": rows, "features": features, "classes": 10, "shape": None}
    problem = {"kind": "data", "dataset": "own", "test_share": 0.0, "model": model, "resolved": resolved}
    sgd = [{"kind": "sgd", "lr": 0.1}]
    return price(JobSpec.model_validate({"problem": problem, "optimizers": sgd, "seeds": {"count": 1_000}, **more}))


def test_wide_layers_take_longer_than_their_numbers_alone() -> None:
    narrow, wide = (cost(1_000, 100, {"kind": "mlp", "widths": [width]}) for width in (64, 2_048))
    assert wide.training.run > 20 * narrow.training.run


def test_orders_of_many_rows_take_memory() -> None:
    model = {"kind": "mlp", "widths": [4]}
    assert cost(10**6, 2, model).run_bytes > cost(10**6, 2, model, shuffle=False).run_bytes + 10**7


def test_a_large_dataset_leaves_memory_for_fewer_runs_of_a_shard() -> None:
    model = {"kind": "mlp", "widths": [2_048, 2_048]}
    small, large = (cost(rows, 30, model, shuffle=False) for rows in (10**3, 10**6))
    assert small.run_bytes == large.run_bytes
    assert small.shard_runs > large.shard_runs
    assert large.shard_runs * large.run_bytes < 1024**3 - 16 * 30 * 10**6
