"""Settings of installed classes: their labels name what varies, and their code makes the same optimizer."""

from typing import Any

import numpy as np
import pytest
import pytorch_optimizer
import torch
from pydantic import ValidationError

import tests.installed_classes
from service.spec.entry_settings import EntrySettings
from service.spec.fields import shape_of
from service.spec.job import JobSpec
from service.spec.runs import Runs
from service.spec.torch_code import torch_code
from tests.installed_classes import PATH
from tests.worker.plugins.test_training import looped, planned, spec_of
from worker.engine.networks.flipnet import initial_weights
from worker.engine.trainer import Trainer
from worker.plugins.installed import Kinds, examine, find

VALUES: list[Any] = [
    [0, 0.01],
    [0.0, 1],
    {"from": 0, "to": 0.5, "num": 3, "scale": "linear"},
    {"from": 1e-4, "to": 0.5, "scale": "log"},
]


@pytest.fixture(scope="module")
def kinds() -> Kinds:
    return {
        kind: examine(kind, find(kind, path), path=path, with_others=False)
        for kind, path in (("own", f"{PATH}:Own"), ("lion2", "pytorch_optimizer:Lion"))
    }


def line_of(kinds: Kinds, **entry: Any) -> str:
    settings = EntrySettings.of(spec_of(kinds, [{"lr": 0.01, **entry}]).optimizers[0])
    code = torch_code(settings.optimizer(0), {kind: one.offer.constructor() for kind, one in kinds.items()})
    assert code is not None
    return code


@pytest.mark.parametrize("grid", VALUES)
@pytest.mark.parametrize("kind", ["own", "lion2"])
def test_every_hyper_parameter_that_varies_is_in_the_labels_of_settings(kinds: Kinds, kind: str, grid: Any) -> None:
    for one in kinds[kind].offer.hyper_parameters:
        if one.type == "flag":
            continue
        try:
            posted = spec_of(kinds, [{"kind": kind, "lr": 0.01, one.name: grid}])
        except ValidationError:  # The class does not allow these values.
            continue
        # As it is read back from the database.
        spec = JobSpec.model_validate(posted.as_dict(), context={"is_stored": True})
        runs = Runs(spec)
        labels = [runs.entries[0].label(setting) for setting in range(runs.entries[0].num)]
        assert len(set(labels)) == len(labels) > 1
        assert all(f" {one.name}=" in label for label in labels)
        assert [next(runs.labelled_settings(label)) for label in labels] == [(at, at + 1) for at in range(len(labels))]


def test_entries_of_one_class_are_told_apart_by_what_they_give(kinds: Kinds) -> None:
    given = [{"centre": True}, {"centre": False}, {"weight_decay": 0.1, "centre": True}, {}]
    entries = spec_of(kinds, [{"kind": "own", "lr": 0.01, **one} for one in given]).optimizers
    assert [entry.label for entry in entries] == [
        "own lr=0.01 centre=true",
        "own lr=0.01 centre=false",
        "own lr=0.01 weight_decay=0.1 centre=true",
        "own lr=0.01",
    ]
    assert all(shape_of(grid) == "number" for entry in entries for grid in entry.grids().values())


def test_the_code_of_a_setting_has_the_arguments_that_differ_from_the_defaults(kinds: Kinds) -> None:
    own = "tests.installed_classes.Own(model.parameters(), "
    assert line_of(kinds, kind="own") == f"{own}lr=0.01)"
    given = {"beta1": 0.7, "every": 2, "weight_decay": 1 / 3, "centre": True}
    assert line_of(kinds, kind="own", **given) == (
        f"{own}lr=0.01, betas=(0.7, 0.5), every=2, weight_decay=0.333333333333, centre=True)"
    )
    assert (
        line_of(kinds, kind="lion2", beta2=0.9)
        == "pytorch_optimizer.Lion(model.parameters(), lr=0.01, betas=(0.9, 0.9))"
    )
    line = line_of(kinds, kind="lion2", maximize=True, clip_norm=1, schedule={"kind": "cosine"})
    assert line == (
        "pytorch_optimizer.Lion(model.parameters(), lr=0.01)"
        "  # minimise the negative loss; clip gradients to norm 1 before each step; cosine schedule"
    )


def test_a_setting_of_a_class_that_the_job_does_not_describe_has_no_code(kinds: Kinds) -> None:
    settings = EntrySettings.of(spec_of(kinds, [{"kind": "own", "lr": 0.01}]).optimizers[0])
    assert torch_code(settings.optimizer(0)) is None


@pytest.mark.parametrize(
    "entry", [{"kind": "own", "beta2": 0.3, "every": 2}, {"kind": "lion2", "beta1": 0.8, "weight_decay": 0.1}]
)
def test_the_code_makes_an_optimizer_that_steps_as_the_engine_does(kinds: Kinds, entry: dict[str, Any]) -> None:
    line = line_of(kinds, **entry)
    names = {"tests": tests, "pytorch_optimizer": pytorch_optimizer, "torch": torch}

    def make(parameters: list[Any]) -> torch.optim.Optimizer:
        found = eval(line.replace("model.parameters()", "parameters"), {**names, "parameters": parameters})
        assert isinstance(found, torch.optim.Optimizer)
        return found

    spec = spec_of(kinds, [{"lr": 0.01, **entry}], seeds=[3], dtype="float64", epochs=2)
    trainer = Trainer(planned(kinds, spec))
    assert all(trainer.run())
    expected = looped(make, initial_weights(3), 32)
    np.testing.assert_allclose(trainer.checkpoint()["weights"][:, 0], expected, rtol=1e-9, atol=1e-9)
