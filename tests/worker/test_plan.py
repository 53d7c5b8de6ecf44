"""Translation of specs into plans of the engine; kinds, fields and hyper-parameters are equal on both sides."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import service
from service.histories.reading import select_fields
from service.spec.job import JobSpec
from service.spec.metric_fields import MEASURES
from service.spec.optimizers import BUILT_IN, OPTIMIZERS
from service.spec.problems import PROBLEMS
from service.spec.runs import Runs
from service.spec.schedules import SCHEDULES
from worker.engine import optimizers, problems, schedules
from worker.engine.stack import measures
from worker.engine.trainer import Trainer
from worker.plan import plan

# Kinds that the engine trains as its problem `data`, on a built-in dataset.
ON_DATA = {"digits"}
ROOT = Path(service.__file__).parents[1]


def kind_of(member: Any) -> str:
    return str(member.model_json_schema()["properties"]["kind"]["const"])


def module_of(member: Any) -> str:
    return str(member.__module__).rpartition(".")[2]


def test_the_kinds_of_a_spec_are_those_of_the_engine() -> None:
    assert {kind_of(member) for member in BUILT_IN} == set(optimizers.OPTIMIZERS)
    assert {kind_of(member) for member in PROBLEMS} == set(problems.PROBLEMS) | ON_DATA
    assert {kind_of(member) for member in SCHEDULES} == set(schedules.SCHEDULES)
    assert tuple(MEASURES) == measures.MEASURES


@pytest.mark.parametrize(
    "problem",
    [
        {"kind": "flipnet"},
        {"kind": "surface", "name": "ravine", "shift_at": 2, "shift_by": [1.0, 0.0]},
        {"kind": "quadratic", "eigenvalues": [1.0, 2.0, 3.0]},
        {"kind": "digits", "train_size": 40, "hidden": 4},
    ],
    ids=lambda problem: problem["kind"],
)
def test_the_fields_of_a_problem_are_those_of_the_engine(problem: dict[str, Any]) -> None:
    momentum = {"kind": "momentum", "lr": 0.01}
    spec = JobSpec.model_validate(
        {"problem": problem, "optimizers": [momentum], "epochs": 1, "measure": [*reversed(MEASURES)]}
    )
    trainer = Trainer(plan(spec, 0, 1))
    *_, last = trainer.run()
    assert last.values_FR is not None
    assert np.isfinite(last.values_FR).all()
    assert last.measured_FR.all()
    assert set(trainer.fields) == set(select_fields(spec, None).columns)
    assert trainer._plan.problem.num_parameters == spec.problem.num_parameters
    assert trainer._plan.problem.num_batches(1) == spec.updates_per_epoch


@pytest.mark.parametrize("member", BUILT_IN, ids=kind_of)
def test_the_catalogue_and_the_engine_name_the_same_hyper_parameters_and_flags(member: Any) -> None:
    entry = member(kind=kind_of(member), lr=0.1)
    engine = optimizers.OPTIMIZERS[entry.kind]
    assert set(entry.grids()) == set(engine.hyper_parameters)
    assert set(entry.flags()) == set(engine.flags)
    assert entry.state_per_parameter == engine.state_per_parameter()
    assert entry.scheduled_momentum == engine.momentum
    assert entry.needs_matrices == engine.needs_matrices


def test_a_kind_is_in_files_of_the_same_name_in_the_catalogue_and_in_the_engine() -> None:
    for members, of_engine in (
        (BUILT_IN, {kind: optimizer.update for kind, optimizer in optimizers.OPTIMIZERS.items()}),
        (PROBLEMS, problems.PROBLEMS),
        (SCHEDULES, schedules.SCHEDULES),
    ):
        for member in members:
            if kind_of(member) not in ON_DATA:
                assert module_of(member) == module_of(of_engine[kind_of(member)])


@pytest.mark.parametrize("name", ["optimizers", "problems"])
def test_a_folder_of_members_holds_members_only(name: str) -> None:
    of_service = {path.name for path in (ROOT / "service" / "spec" / name).glob("*.py")}
    of_engine = {path.name for path in (ROOT / "worker" / "engine" / name).glob("*.py")}
    members = OPTIMIZERS if name == "optimizers" else PROBLEMS
    assert of_service == {f"{module_of(member)}.py" for member in members} | {"__init__.py"}
    assert of_engine == of_service - {f"{kind}.py" for kind in ON_DATA}


def test_a_shard_in_the_middle_trains_the_runs_that_its_indices_name() -> None:
    spec = JobSpec.model_validate(
        {
            "problem": {"kind": "quadratic", "eigenvalues": [1.0, 3.0], "starts": [[1.0, 2.0], [-1.0, 0.5]]},
            "optimizers": [
                {"kind": "momentum", "lr": [0.1, 0.2], "momentum": [0.0, 0.9]},
                {"kind": "adam", "lr": 0.3, "amsgrad": True},
                {"kind": "sgd", "lr": [0.01, 0.02, 0.03]},
            ],
            "seeds": [3, 5],
            "epochs": 4,
        }
    )
    runs = Runs(spec)
    whole = list(Trainer(plan(spec, 0, len(runs))).run())
    for first, num in ((5, 9), (14, 6), (20, len(runs) - 20)):
        part = list(Trainer(plan(spec, first, num)).run())
        for alone, among in zip(part, whole, strict=True):
            assert alone.values_FR is not None
            assert among.values_FR is not None
            np.testing.assert_array_equal(alone.values_FR, among.values_FR[:, first : first + num])
    trainer = Trainer(plan(spec, 0, len(runs)))
    start = next(trainer.run())
    assert start.values_FR is not None
    for index in range(len(runs)):
        values = dict(zip(trainer.fields, start.values_FR[:, index].tolist(), strict=True))
        assert values["lr"] == runs[index].optimizer["lr"]
        assert [values["x"], values["y"]] == runs[index].start


def test_clipping_is_passed_to_the_engine() -> None:
    steep = {"kind": "quadratic", "eigenvalues": [100.0], "start": [1.0]}
    entries = [{"kind": "sgd", "lr": 0.1, "clip_norm": 2.0}, {"kind": "sgd", "lr": 0.1, "clip_value": 3.0}]
    trainer = Trainer(plan(JobSpec.model_validate({"problem": steep, "optimizers": entries, "epochs": 1}), 0, 2))
    *_, last = trainer.run()
    assert last.values_FR is not None
    np.testing.assert_allclose(last.values_FR[trainer.fields.index("x")], [0.8, 0.7], rtol=1e-6)


@pytest.mark.parametrize(
    "problem",
    [
        {"kind": "surface", "expression": "x**2 + 10*y**2"},
        {"kind": "quadratic", "eigenvalues": [2.0, 20.0]},
        {"kind": "quadratic", "eigenvalues": [0.5, 1.0, 3.0]},
    ],
    ids=["formula", "quadratic", "three dimensions"],
)
def test_runs_begin_at_the_random_starts_that_the_service_shows(problem: dict[str, Any]) -> None:
    spec = JobSpec.model_validate(
        {
            "problem": {**problem, "starts": {"random": 3}},
            "optimizers": [{"kind": "momentum", "lr": [0.01, 0.02], "momentum": 0.5}],
            "seeds": [4, 9],
            "epochs": 5,
        }
    )
    runs = Runs(spec)
    curvatures = np.array(problem.get("eigenvalues", [2.0, 20.0]))
    for first, num in ((0, len(runs)), (4, 6)):
        trainer = Trainer(plan(spec, first, num))
        loss_ER = np.stack([epoch.values_FR[trainer.fields.index("loss")] for epoch in trainer.run() if epoch])  # type: ignore[index]
        for at in range(num):
            run = runs[first + at]
            w, velocity, losses = np.array(run.start), np.zeros(len(curvatures)), []
            for _ in range(6):
                losses.append((curvatures * w**2).sum() / 2)
                velocity = run.optimizer["momentum"] * velocity + curvatures * w
                w = w - run.optimizer["lr"] * velocity
            np.testing.assert_allclose(loss_ER[:, at], losses, rtol=1e-12)
