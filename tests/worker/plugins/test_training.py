"""Runs of installed classes train like those of other kinds: exact, independent of neighbours, and resumable."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import Parameter

from service.spec.job import JobSpec
from service.spec.runs import Runs
from tests.installed_classes import PATH, Normalised, Own, Replacing
from tests.worker.engine.training import History, flipnet_loss
from worker.engine import trainer as trainer_module
from worker.engine.networks.flipnet import SHAPES, initial_weights
from worker.engine.trainer import Plan, Trainer
from worker.plan import plan
from worker.plugins.installed import Kinds, installed
from worker.plugins.runs import MissingKind

SETTING = f"own={PATH}:Own,normalised={PATH}:Normalised,replacing={PATH}:Replacing,lion2=pytorch_optimizer:Lion"
CLASSES = {"own": Own, "normalised": Normalised, "replacing": Replacing}
FLIPNET: dict[str, Any] = {"problem": {"kind": "flipnet"}, "epochs": 2}
PROBLEMS: dict[str, dict[str, Any]] = {
    "flipnet": {**FLIPNET, "batch_size": 4, "shuffle": True},
    "surface": {"problem": {"kind": "surface", "name": "rosenbrock", "noise": 0.1}, "epochs": 12},
    "digits": {
        "problem": {"kind": "digits", "model": "mlp", "hidden": 8, "train_size": 40}, "batch_size": 20, "epochs": 2,
    },
}  # fmt: skip
DECAY = {"kind": "exponential", "factor": 0.9}
ENTRIES: list[dict[str, Any]] = [
    {"kind": "own", "lr": [0.001, 0.002], "weight_decay": [0, 0.01], "schedule": {"kind": "cosine"}},
    {"label": "centred", "kind": "own", "lr": 0.001, "centre": True, "momentum_schedule": DECAY},
    {"kind": "normalised", "lr": 0.001},
    {"kind": "replacing", "lr": 0.0005, "clip_norm": 1.0},
]  # fmt: skip
BUILT_IN = [
    {"kind": "adam", "lr": [0.01, 0.02]},
    {"label": "rule", "kind": "formula", "lr": 0.001, "update": ["w = w - lr*g"]},
]


@pytest.fixture(scope="module")
def kinds() -> Kinds:
    return installed(SETTING)


def spec_of(kinds: Kinds, optimizers: list[Any], **changes: Any) -> JobSpec:
    offers = {kind: one.offer for kind, one in kinds.items()}
    given = {**FLIPNET, "optimizers": optimizers, **changes}
    return JobSpec.model_validate(given, context={"offers": offers})


def planned(kinds: Kinds, spec: JobSpec, first: int = 0, num: int | None = None) -> Plan:
    return plan(spec, first, len(Runs(spec)) - first if num is None else num, None, kinds)


def histories(given: Plan) -> list[Any]:
    trainer = Trainer(given)
    history = History(trainer, [epoch for epoch in trainer.run() if epoch])
    return [history.of_runs([run]) for run in range(given.problem.num_runs)]


def looped(make: Any, start: torch.Tensor, num: int, **values: Any) -> np.ndarray:
    """The weights of FlipNet after some updates of one image each, as a training script computes them."""
    parameters = [Parameter(part.reshape(shape)) for part, shape in zip(parts(start.double()), SHAPES, strict=True)]
    optimizer = make(parameters, **values)
    for step in range(num):
        optimizer.zero_grad()
        flipnet_loss([step % 16])(torch.cat([one.reshape(-1) for one in parameters])).backward()
        optimizer.step()
    return torch.cat([one.detach().reshape(-1) for one in parameters]).numpy()


def parts(start: torch.Tensor) -> list[torch.Tensor]:
    return [part.clone() for part in start.split([int(np.prod(shape)) for shape in SHAPES])]


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    ("kind", "given", "values"),
    [
        ("own", {"beta1": 0.7, "every": 2}, {"betas": (0.7, 0.5), "every": 2}),
        ("own", {"centre": True, "weight_decay": 0.1}, {"centre": True, "weight_decay": 0.1}),
        ("normalised", {}, {}),
        ("replacing", {}, {}),
    ],
)
def test_a_class_trains_as_in_a_training_script(
    kinds: Kinds, kind: str, given: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    entry = {"kind": kind, "lr": [0.002, 0.004], **given}
    spec = spec_of(kinds, [entry], seeds=[3, 4], dtype="float64", epochs=4)
    trainer = Trainer(planned(kinds, spec))
    assert all(trainer.run())
    weights_DR = trainer.checkpoint()["weights"]
    for run, (lr, seed) in enumerate([(0.002, 3), (0.002, 4), (0.004, 3), (0.004, 4)]):
        expected = looped(CLASSES[kind], initial_weights(seed), 64, lr=lr, **values)
        np.testing.assert_allclose(weights_DR[:, run], expected, rtol=1e-9, atol=1e-9)


def test_an_elementwise_class_has_the_bits_of_the_built_in_kind_that_computes_the_same(kinds: Kinds) -> None:
    given = {"lr": [0.001, 0.01], "beta1": 0.8, "schedule": {"kind": "cosine", "warmup_steps": 4}}
    entries = [{"kind": "lion2", **given, "weight_decay": 0.0}, {"kind": "lion", **given}]
    found = histories(planned(kinds, spec_of(kinds, entries, seeds={"count": 5}, dtype="float64")))
    assert found[:10] == found[10:]


def weights(given: Plan) -> list[bytes]:
    trainer = Trainer(given)
    assert all(trainer.run())
    return [weights_D.tobytes() for weights_D in trainer.checkpoint()["weights"].T]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_runs_that_are_rows_in_memory_have_the_same_weights_in_any_shard(kinds: Kinds, dtype: str) -> None:
    changes = {**PROBLEMS["digits"], "dtype": dtype, "seeds": {"count": 3}}
    spec = spec_of(kinds, [*BUILT_IN, *ENTRIES], **changes)
    whole = weights(planned(kinds, spec))
    assert weights(planned(kinds, spec_of(kinds, BUILT_IN, **changes))) == whole[:9]
    assert [*weights(planned(kinds, spec, 0, 14)), *weights(planned(kinds, spec, 14))] == whole


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("problem", ["flipnet", "surface"])
def test_a_run_is_the_same_in_any_shard_and_leaves_the_other_kinds_as_they_are(
    kinds: Kinds, problem: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {**PROBLEMS[problem], "dtype": dtype, "seeds": {"count": 3}}
    spec = spec_of(kinds, [*BUILT_IN, *ENTRIES], **changes)
    whole = histories(planned(kinds, spec))
    assert all(len(history) > 1 for history in whole)
    assert histories(planned(kinds, spec_of(kinds, BUILT_IN, **changes))) == whole[:9]
    split = [*histories(planned(kinds, spec, 0, 14)), *histories(planned(kinds, spec, 14, 13))]
    assert [*split, *histories(planned(kinds, spec, 27))] == whole
    monkeypatch.setattr(trainer_module, "BLOCK_BYTES", 1)
    assert histories(planned(kinds, spec)) == whole


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_training_killed_after_each_batch_and_resumed_has_identical_bytes(kinds: Kinds, problem: str) -> None:
    spec = spec_of(kinds, [*BUILT_IN, *ENTRIES], **PROBLEMS[problem], seeds={"count": 2})
    undisturbed = Trainer(planned(kinds, spec))
    whole = History(undisturbed, [epoch for epoch in undisturbed.run() if epoch])
    epochs: list[Any] = []
    checkpoint = None
    while not epochs or epochs[-1].number < spec.epochs:
        trainer = Trainer(planned(kinds, spec), checkpoint, poll=lambda: True)
        found = next(trainer.run())
        epochs += [found] if found is not None else []
        checkpoint = {name: array.copy() for name, array in trainer.checkpoint().items()}
    runs = np.arange(len(Runs(spec)))
    assert History(trainer, epochs).of_runs(runs) == whole.of_runs(runs)
    final = undisturbed.checkpoint()
    assert checkpoint is not None
    assert {name: array.tobytes() for name, array in final.items()} == {
        name: array.tobytes() for name, array in checkpoint.items()
    }
    assert any(name.startswith("objects/") for name in final)


def test_a_run_that_diverges_ends_as_such_beside_the_others(kinds: Kinds) -> None:
    entries = [{"kind": "replacing", "lr": [0.002, 1e6]}, {"kind": "own", "lr": [0.002, 1e6]}]
    trainer = Trainer(planned(kinds, spec_of(kinds, entries, epochs=8)))
    diverged = sum(epoch.diverged_R for epoch in trainer.run() if epoch)
    assert list(diverged) == [0, 1, 0, 1]


def test_a_job_whose_class_is_another_one_here_fails_with_the_reason(kinds: Kinds) -> None:
    spec = spec_of(kinds, [{"kind": "own", "lr": 0.1}])
    with pytest.raises(MissingKind, match="the kind own is not installed here"):
        plan(spec, 0, 1)
    with pytest.raises(MissingKind, match=r"other hyper-parameters than the job: .*every"):
        plan(spec, 0, 1, None, {"own": kinds["lion2"]})
