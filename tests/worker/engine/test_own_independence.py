"""Runs of users' rules have the same bits alone, among other runs in any split, and after an interruption."""

from typing import Any

import numpy as np
import pytest

from tests.groups import group_runs
from tests.rules import RULES, own
from tests.worker.engine.training import History
from worker.data.digits import digits
from worker.engine import trainer as trainer_module
from worker.engine.problems import FlipNet, Quadratic
from worker.engine.stack.schedule import Schedule
from worker.engine.trainer import Plan, Trainer

RUNS = 101
FALLING = Schedule("polynomial", (("decay_steps", 15.0), ("power", 1.7), ("final_fraction", 0.1)), warmup_steps=3)
STARTS = np.random.default_rng(2).normal(size=(RUNS, 5))
# The runs of a digits network are rows in memory, those of other problems columns.
PROBLEMS = {
    "flipnet": lambda runs: FlipNet(runs % 5, batch_size=4, shuffle=True),
    "quadratic": lambda runs: Quadratic(np.linspace(1, 9, 5), STARTS[runs], runs % 5, noise=0.1),
    "digits": lambda runs: digits(runs % 3, hidden=5, train_size=60, batch_size=20),
}


def optimizer(run: int) -> tuple[str, dict[str, Any]]:
    """Different rates of all rules, some clipped, with two built-in kinds between them."""
    names = [*RULES, "momentum", "adam"]
    name, lr = names[run % len(names)], 0.001 + 0.00003 * run
    kind, settings = own(name, lr) if name in RULES else (name, {"lr": lr})
    return kind, settings | ({"clip_norm": 0.3} if run % 4 == 0 else {})


def plan(problem: str, dtype: str, runs: np.ndarray) -> Plan:
    schedules = [(FALLING if run % 3 == 0 else Schedule(), Schedule()) for run in runs]
    groups = group_runs([optimizer(run) for run in runs], range(len(runs)), schedules)
    return Plan(PROBLEMS[problem](runs), groups, 3 if problem != "quadratic" else 20, dtype=dtype, accumulate=2)


def histories(problem: str, dtype: str, runs: np.ndarray) -> list[Any]:
    trainer = Trainer(plan(problem, dtype, runs))
    history = History(trainer, [epoch for epoch in trainer.run() if epoch])
    return [history.of_runs([at]) for at in range(len(runs))]


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("problem", ["flipnet", "quadratic"])
def test_a_run_of_a_rule_is_the_same_alone_among_others_and_in_any_split(
    problem: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = np.arange(RUNS)
    together = histories(problem, dtype, everything)
    assert all(len(history) > 1 for history in together)
    for run in range(11):
        assert histories(problem, dtype, np.array([run])) == [together[run]]
    split = [*histories(problem, dtype, everything[:41]), *histories(problem, dtype, everything[41:])]
    assert split == together
    monkeypatch.setattr(trainer_module, "BLOCK_BYTES", 1)
    assert histories(problem, dtype, everything[::-1]) == together[::-1]


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", RULES)
def test_runs_that_are_rows_in_memory_have_the_same_weights_alone_and_among_others(name: str, dtype: str) -> None:
    def weights(runs: np.ndarray) -> list[bytes]:
        groups = group_runs([own(name, 0.001 + 0.0001 * run) for run in runs], range(len(runs)))
        trainer = Trainer(Plan(PROBLEMS["digits"](runs), groups, 2, dtype=dtype))
        assert all(trainer.run())
        return [weights_D.tobytes() for weights_D in trainer.checkpoint()["weights"].T]

    runs = np.arange(21)
    together = weights(runs)
    assert weights(runs[:1]) == together[:1]
    assert weights(runs[10:]) == together[10:]
    assert weights(runs[::-1]) == together[::-1]


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_rules_resumed_inside_an_epoch_end_with_the_bytes_of_an_undisturbed_training(problem: str, dtype: str) -> None:
    runs = np.arange(30)
    undisturbed = Trainer(plan(problem, dtype, runs))
    whole = History(undisturbed, [epoch for epoch in undisturbed.run() if epoch])
    epochs, checkpoint = [], None
    while not epochs or epochs[-1].number < len(whole.epochs) - 1:
        trainer = Trainer(plan(problem, dtype, runs), checkpoint, poll=lambda: True)
        found = next(trainer.run())
        epochs += [found] if found is not None else []
        checkpoint = {name: array.copy() for name, array in trainer.checkpoint().items()}
    assert History(trainer, epochs).of_runs(runs) == whole.of_runs(runs)
    final = undisturbed.checkpoint()
    assert checkpoint is not None
    assert {name: array.tobytes() for name, array in final.items()} == {
        name: array.tobytes() for name, array in checkpoint.items()
    }
