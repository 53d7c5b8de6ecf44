"""A training continues from a checkpoint after any micro-batch with the same bits, and polls are frequent."""

import numpy as np
import pytest

from tests.groups import group_runs
from tests.rules import own
from tests.worker.engine.training import History
from worker.data.digits import digits
from worker.engine import trainer as trainer_module
from worker.engine.problems import FlipNet, Playground, Quadratic
from worker.engine.trainer import Plan, Trainer

# Plain and averaging methods, state of several shapes, and terms that only some runs have.
OPTIMIZERS = [
    ("momentum", {"lr": 0.02, "momentum": 0.9}),
    ("adam", {"lr": 0.01, "amsgrad": True}),
    ("schedule_free_adamw", {"lr": 0.02}),
    ("sgd", {"lr": 0.05, "clip_norm": 0.1}),
    ("asgd", {"lr": 0.02}),
    own("noisy heavy ball", 0.01),
    own("layers", 0.01),
]
RUNS = np.arange(40)
SEEDS = RUNS % 3

# Problem and micro-batches for each update.
PROBLEMS = {
    "flipnet": (lambda: FlipNet(SEEDS, batch_size=3, shuffle=True), 1),
    "flipnet, accumulating": (lambda: FlipNet(SEEDS, batch_size=2), 3),
    "flipnet, full batch": (lambda: FlipNet(SEEDS, batch_size="full"), 1),
    "quadratic": (lambda: Quadratic([1.0, 7.0], np.ones((40, 2)), SEEDS, noise=0.1), 4),
    "digits": (lambda: digits(SEEDS, hidden=4, train_size=48, batch_size=16, augment=True), 2),
    "digits, resnet": (lambda: digits(SEEDS, model="resnet", hidden=2, train_size=20, batch_size=10), 1),
    "playground": (lambda: Playground(SEEDS, size=30, batch_size=8, widths=(3,)), 1),
}


def plan(problem: str, measure: tuple[str, ...] = ()) -> Plan:
    make, accumulate = PROBLEMS[problem]
    groups = group_runs(OPTIMIZERS, RUNS % len(OPTIMIZERS))
    return Plan(make(), groups, 2, accumulate=accumulate, measure=measure)


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_training_moved_to_another_trainer_after_each_micro_batch_yields_the_same_bits(problem, monkeypatch):
    # Several blocks: at most interruptions some have finished the epoch, and some have not started it.
    monkeypatch.setattr(trainer_module, "BLOCK_BYTES", 1)
    planned = plan(problem, ("alpha", "velocity_norm"))
    undisturbed = Trainer(planned)
    whole = History(undisturbed, list(undisturbed.run()))
    epochs, checkpoint, turns = [], None, 0
    while not epochs or epochs[-1].number < planned.epochs:
        # The first poll of a trainer comes after one micro-batch, and the trainer stops there.
        trainer = Trainer(planned, checkpoint, poll=lambda: True)
        found = next(trainer.run())
        turns += found is None
        epochs += [found] if found is not None else []
        checkpoint = {name: array.copy() for name, array in trainer.checkpoint().items()}
    blocks = len(trainer._stacks)
    accumulate = PROBLEMS[problem][1]
    assert blocks > 1
    assert turns == planned.epochs * blocks * planned.problem.num_batches(accumulate)
    assert History(trainer, epochs).of_runs(RUNS) == whole.of_runs(RUNS)
    assert {name: array.tobytes() for name, array in undisturbed.checkpoint().items()} == {
        name: array.tobytes() for name, array in checkpoint.items()
    }


@pytest.mark.parametrize("measure", [(), ("sharpness",), ("noise_scale",)])
def test_the_evaluation_of_a_network_polls_at_every_chunk_of_the_data(measure):
    polls = 0

    def poll():
        nonlocal polls
        polls += 1
        return False

    problem = digits(SEEDS, hidden=4)
    trainer = Trainer(Plan(problem, group_runs(OPTIMIZERS, RUNS % len(OPTIMIZERS)), 1, measure=measure), poll=poll)
    next(trainer.run())
    # 1,437 examples to train with and 360 to test with, in chunks of how many fit.
    objective = trainer._stacks[0]._objective
    chunks = -(-1437 // objective._examples_per_chunk) + -(-360 // objective._examples_per_chunk)
    assert polls >= len(trainer._stacks) * chunks
    if measure == ("sharpness",):
        assert polls >= 10 * chunks


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("problem", ["digits", "flipnet, accumulating", "playground"])
def test_a_training_ended_by_a_poll_anywhere_continues_with_the_same_bits(problem):
    class Enough(Exception):
        pass

    planned = plan(problem, ("sharpness", "alpha"))
    undisturbed = Trainer(planned)
    whole = History(undisturbed, list(undisturbed.run()))
    epochs, checkpoint, cuts = [], None, 0
    while not epochs or epochs[-1].number < planned.epochs:
        # Later each time, so that every phase of an epoch is interrupted, and the training ends.
        num_polls, polls = 1 + cuts, 0

        def poll(num_polls=num_polls):
            nonlocal polls
            polls += 1
            if polls == num_polls:
                raise Enough
            return False

        trainer = Trainer(planned, checkpoint, poll)
        try:
            for epoch in trainer.run():
                epochs.append(epoch)
        except Enough:
            cuts += 1
            assert polls == num_polls
        checkpoint = trainer.checkpoint()
    assert cuts >= 5
    assert History(trainer, epochs).of_runs(RUNS) == whole.of_runs(RUNS)


def test_a_checkpoint_of_other_blocks_inside_an_epoch_is_refused(monkeypatch):
    trainer = Trainer(plan("flipnet"), poll=lambda: True)
    turns = trainer.run()
    assert [next(turns) is None for _ in range(2)] == [False, True]
    checkpoint = trainer.checkpoint()
    monkeypatch.setattr(trainer_module, "BLOCK_BYTES", 1)
    with pytest.raises(ValueError, match="other blocks"):
        Trainer(plan("flipnet"), checkpoint)
