"""Runs with the same update formula form a group; unknown hyper-parameters are rejected."""

import numpy as np
import pytest

from tests.groups import group_runs
from tests.worker.engine.training import EIGENVALUES
from worker.engine.problems import Quadratic
from worker.engine.trainer import Plan


def test_unknown_and_missing_hyper_parameters_are_rejected():
    with pytest.raises(ValueError, match="beta1"):
        group_runs([("sgd", {"lr": 0.1, "beta1": 0.9})], [0])
    with pytest.raises(ValueError, match="lr"):
        group_runs([("adam", {})], [0])


def test_runs_are_grouped_by_their_update_formula():
    groups = group_runs(
        [("sgd", {"lr": 0.1}), ("adam", {"lr": 0.1}), ("sgd", {"lr": 0.2}), ("sgd", {"lr": 0.2, "weight_decay": 0.1})],
        [0, 1, 2, 3, 0],
    )
    assert [(group.kind, group.runs.tolist(), sorted(group.terms)) for group in groups] == [
        ("sgd", [0, 2, 4], []),
        ("adam", [1], []),
        ("sgd", [3], ["weight_decay"]),
    ]
    assert groups[0].hyper_parameters["lr"].tolist() == [0.1, 0.2, 0.1]


def test_muon_needs_a_problem_with_matrices():
    with pytest.raises(ValueError, match="muon needs a problem with matrices"):
        Plan(Quadratic(EIGENVALUES, np.ones((1, 10)), [0]), group_runs([("muon", {"lr": 0.1})], [0]), 1)
