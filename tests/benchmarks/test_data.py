"""The cases of the benchmark of models on data are trained as it measures them."""

import pytest

from benchmarks import data
from benchmarks.timing import processor_of
from tests.on_data import trained


@pytest.mark.slow
def test_mnist_digits_are_read_and_learnt() -> None:
    table = data._digits(1_000)
    assert table.num_rows == 1_000
    assert table.columns[0].values.shape == (1_000, 28, 28, 1)
    model = {"kind": "mlp", "widths": [32]}
    more = {"epochs": 5, "optimizers": [{**data.MOMENTUM, "lr": 0.05}]}
    _, history = trained(data._spec({"model": model, "scale": "none"}, table, 1, more), table)
    assert history["test_accuracy"][-1, 0] > 0.8


@pytest.mark.slow
def test_the_plain_loop_trains_the_same_run() -> None:
    table, problem, _, more = data.CASES["mlp 30-16-1, 569 rows"]()
    spec = data._spec(problem, table, 2, {**more, "epochs": 1})
    assert spec.problem.num_parameters == 31 * 16 + 17
    assert data._alone(spec, table) > 0
    assert data._stacked(spec, table, 2) > 0


def test_the_least_processor_time_counts() -> None:
    calls: list[int] = []
    assert processor_of(lambda: calls.append(sum(range(100_000))), 3, warm_ups=1) > 0
    assert len(calls) == 4
