"""A small spec, and changes of it."""

from typing import Any

from service.spec.job import JobSpec

SGD = {"kind": "sgd", "lr": 0.05}


def spec(**changes: Any) -> JobSpec:
    """A small valid spec, with changes."""
    return JobSpec.model_validate({"problem": {"kind": "flipnet"}, "optimizers": [SGD], "epochs": 3} | changes)
