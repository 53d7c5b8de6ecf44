"""Choices of the playground: inputs, penalties and regressions; at their default they are no part of the spec."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.spec.job import JobSpec
from service.spec.problems import Playground


def playground(**given: Any) -> Playground:
    return Playground.model_validate({"kind": "playground", **given})


def test_defaults_that_are_given_change_no_digest() -> None:
    def digest(**problem: Any) -> str:
        spec = {"problem": {"kind": "playground", **problem}, "optimizers": [{"kind": "sgd", "lr": 0.1}], "epochs": 2}
        return JobSpec.model_validate(spec).digest()

    assert digest(features=["x", "y"], l1=0.0, l2=0.0, test_size=None) == digest()
    assert digest(l1=0.1) != digest()


def test_a_regression_has_r2_and_no_targets_and_inputs_count_as_weights() -> None:
    hills = playground(dataset="hills", features=["x", "y", "xy"], widths=[4])
    assert {"r2", "test_r2"} < set(hills.fields)
    assert "test_accuracy" not in hills.fields
    assert hills.targets == ()
    assert hills.num_parameters == 4 * 4 + 5
    assert playground().targets


@pytest.mark.parametrize("features", [["x", "x"], [], ["z"]])
def test_inputs_are_known_and_not_repeated(features: list[str]) -> None:
    with pytest.raises(ValidationError, match="features"):
        playground(features=features)
