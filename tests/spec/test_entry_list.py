"""All entries of a job maximise the loss, or none."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.spec.job import JobSpec
from service.spec.optimizers import OPTIMIZERS

UP: dict[str, Any] = {"kind": "sgd", "lr": 0.1, "maximize": True}
DOWN: dict[str, Any] = {"kind": "adam", "lr": 0.1}


def body(*optimizers: dict[str, Any]) -> dict[str, Any]:
    return {"problem": {"kind": "flipnet"}, "optimizers": list(optimizers), "epochs": 3}


def test_every_entry_that_differs_from_the_first_in_maximize_is_rejected_at_its_place() -> None:
    with pytest.raises(ValidationError) as error:
        JobSpec.model_validate(body(UP, DOWN, UP, {**DOWN, "label": "other"}))
    details = error.value.errors()
    assert [detail["loc"] for detail in details] == [("optimizers", 1, "maximize"), ("optimizers", 3, "maximize")]
    assert {detail["msg"] for detail in details} == {
        "must be true as in the first entry: all entries of a job maximise, or none"
    }


def test_the_direction_of_a_job_is_that_of_its_entries() -> None:
    assert JobSpec.model_validate(body(UP, {**DOWN, "maximize": True})).maximize
    assert not JobSpec.model_validate(body(DOWN)).maximize


def test_every_kind_can_maximise() -> None:
    assert all("maximize" in kind.model_fields for kind in OPTIMIZERS)


def test_a_stored_job_with_both_directions_can_still_be_read() -> None:
    stored = {**body({**UP, "label": "sgd"}, {**DOWN, "label": "adam"}), "name": "both"}
    spec = JobSpec.model_validate(stored, context={"is_stored": True})
    assert [entry.maximize for entry in spec.optimizers] == [True, False]
