"""The history of a run is bit-identical alone, among a thousand runs, in another split, and after an interruption."""

import itertools

import numpy as np
import pytest
import torch

from service.spec.formulas.expression import parse
from tests.groups import group_runs
from tests.worker.engine.training import History
from worker.engine import trainer as trainer_module
from worker.engine.device import use_device
from worker.engine.numerics.columns import COLUMNS_MULTIPLE
from worker.engine.optimizers import OPTIMIZERS
from worker.engine.problems import FlipNet, Quadratic, Surface
from worker.engine.stack.layout import Layout
from worker.engine.stack.schedule import Schedule
from worker.engine.stack.stack import Stack
from worker.engine.trainer import Plan, Trainer

RUNS = 999
FALLING = Schedule("polynomial", (("decay_steps", 6.0), ("power", 1.7), ("final_fraction", 0.1)), warmup_steps=3)
ALONE = (0, 1, 500, 997, 998)
WAVES = "sin(3*x)*exp(-y**2/4) + abs(x)**1.5 + log(1 + y**2) + 0.1*(x**2 + y**2)*tanh(x*y)**2"
# Powers with variable exponents and sigmoids differ in the last lanes of a row, unless it is padded.
CHOICES = (
    "(1+x²)^y + xsigmoid(3y) + |x|^0.7 + log10(2+xy+x²y²) + min(x,y)max(x,-y) + where(x<y,(x²)^0.3,y²)sign(x)+x²+y²"
)


def population(num_runs: int, problem: str):
    """Different settings of every kind, with and without the optional terms."""
    optimizers = []
    kinds = [kind for kind in OPTIMIZERS if "flipnet" in problem or not OPTIMIZERS[kind].needs_matrices]
    for index, kind in zip(range(num_runs), itertools.cycle(kinds), strict=False):
        settings: dict[str, float | bool] = {"lr": 0.002 + 0.00001 * index}
        if kind in ("momentum", "nesterov"):
            settings["momentum"] = 0.98 * index / num_runs
        if kind == "adam":
            settings |= {"beta1": 0.9 * index / num_runs, "amsgrad": index % 2 == 0}
        if kind == "rmsprop":
            settings |= {"centered": index % 3 == 0, "momentum": 0.5 * (index % 2)}
        if index % 5 == 0 and "weight_decay" in OPTIMIZERS[kind].hyper_parameters:
            settings["weight_decay"] = 0.01
        if index % 7 == 0:
            settings |= {"clip_norm": 0.1 + 0.001 * index, "clip_value": 0.3}
        optimizers.append((kind, settings))
    return optimizers


def schedules_of(run: int):
    """A decaying learning rate for some of the runs."""
    return (FALLING if run % 11 == 0 else Schedule(), Schedule())


def flipnet(batch_size, shuffle):
    return lambda runs: FlipNet(runs % 23, batch_size=batch_size, shuffle=shuffle)


def surface(noise, formula=WAVES):
    starts = np.random.default_rng(1).normal(size=(RUNS, 2))
    return lambda runs: Surface(parse(formula), starts[runs], runs % 23, noise=noise, minima=[(0, 0), (1, 1)])


def quadratic(dimensions, noise, angle=0.0):
    starts = np.random.default_rng(2).normal(size=(RUNS, dimensions))
    eigenvalues = np.linspace(1, 50, dimensions)
    return lambda runs: Quadratic(eigenvalues, starts[runs], runs % 23, angle=angle, noise=noise)


# Problem of the runs with these indices, epochs, accumulate.
PROBLEMS = {
    "flipnet": (flipnet(1, shuffle=False), 2, 1),
    "flipnet shuffled": (flipnet(5, shuffle=True), 5, 2),
    "flipnet full batch": (flipnet("full", shuffle=False), 6, 1),
    "surface": (surface(0.0, CHOICES), 10, 1),
    "surface with noise": (surface(0.5), 8, 3),
    "quadratic": (quadratic(2, 0.0, angle=30.0), 10, 1),
    "quadratic with noise": (quadratic(37, 0.1), 10, 1),
}


def plan(problem: str, dtype: str, runs: np.ndarray, record_every: int = 1) -> Plan:
    make, epochs, accumulate = PROBLEMS[problem]
    groups = group_runs(population(RUNS, problem), runs, [schedules_of(index) for index in range(RUNS)])
    return Plan(make(runs), groups, epochs, record_every=record_every, accumulate=accumulate, dtype=dtype)


def histories(problem: str, dtype: str, runs: np.ndarray) -> list:
    """The history of each run."""
    trainer = Trainer(plan(problem, dtype, runs))
    history = History(trainer, list(trainer.run()))
    return [history.of_runs([index]) for index in range(len(runs))]


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_run_is_the_same_alone_among_a_thousand_and_in_any_split(problem, dtype, monkeypatch):
    everything = np.arange(RUNS)
    together = histories(problem, dtype, everything)
    assert all(len(history) > 1 for history in together)
    for run in ALONE:
        assert histories(problem, dtype, np.array([run])) == [together[run]]
    assert histories(problem, dtype, everything[:411]) == together[:411]
    # The other part is in the opposite order, and in the smallest blocks.
    monkeypatch.setattr(trainer_module, "BLOCK_BYTES", 1)
    assert histories(problem, dtype, everything[411:][::-1]) == together[411:][::-1]


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_resumed_run_yields_the_bits_of_an_undisturbed_one(problem, dtype):
    runs = np.arange(40)
    undisturbed = Trainer(plan(problem, dtype, runs))
    epochs = list(undisturbed.run())
    for stop in (0, 1):
        first = Trainer(plan(problem, dtype, runs))
        before = list(itertools.islice(first.run(), stop))
        checkpoint = first.checkpoint()
        assert all(isinstance(array, np.ndarray) for array in checkpoint.values())
        resumed = Trainer(plan(problem, dtype, runs), {name: array.copy() for name, array in checkpoint.items()})
        after = list(resumed.run())
        assert [epoch.number for epoch in (*before, *after)] == [epoch.number for epoch in epochs]
        whole = History(undisturbed, epochs)
        assert History(resumed, [*before, *after]).of_runs(runs) == whole.of_runs(runs)
    final, again = undisturbed.checkpoint(), resumed.checkpoint()
    assert final.keys() == again.keys()
    assert all(final[name].tobytes() == again[name].tobytes() for name in final)


def test_the_same_plan_twice_gives_the_same_bits():
    once, twice = (histories("surface with noise", "float64", np.arange(50)) for _ in range(2))
    assert once == twice


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_torch_adds_rows_in_one_order_however_many_columns_there_are(dtype):
    """A reason for the padding of groups, in addition to powers."""
    for num_rows in (1, 2, 3, 4, 5, 16, 31, 64, 1000):
        rows = torch.randn(num_rows, COLUMNS_MULTIPLE, dtype=dtype, generator=torch.Generator().manual_seed(num_rows))
        for copies in (2, 3, 5, 8, 33):
            assert torch.equal(rows.repeat(1, copies).sum(0), rows.sum(0).repeat(copies))


@pytest.mark.slow
def test_all_tensors_are_on_the_device_of_the_plan():
    # The meta device computes shapes only, and raises an error for tensors of another device.
    for problem, (make, _, accumulate) in PROBLEMS.items():
        runs = np.arange(40)
        groups = group_runs(population(RUNS, problem), runs)
        layout = Layout.of([group.runs for group in groups])
        (block,) = layout.blocks(10_000)
        stack = Stack(make(runs), groups, layout, block, accumulate, torch.float32, torch.device("meta"))
        for _ in stack.train(1):
            pass
        stack.loss()
        rows = [*stack.measure().values(), stack.weights_DR]
        rows += [row for part in stack.parts for row in part.state.values()]
        assert {row.device.type for row in rows} == {"meta"}


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="'cpu' or 'cuda'"):
        use_device("meta")
