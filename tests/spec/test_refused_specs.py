"""Specs that are rejected, with the place of the error."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from tests.spec.small import SGD, spec

WRONG: list[tuple[dict[str, Any], tuple[str | int, ...]]] = [
    ({"optimizers": [{"kind": "sgd", "lr": 0}]}, ("optimizers", 0, "lr")),
    ({"optimizers": [{"kind": "sgd", "lr": [0.1, -0.1]}]}, ("optimizers", 0, "lr")),
    ({"optimizers": [{"kind": "sgd", "lr": []}]}, ("optimizers", 0, "lr")),
    ({"optimizers": [{"kind": "sgd", "lr": "0.1"}]}, ("optimizers", 0, "lr")),
    ({"optimizers": [{"kind": "sgd", "lr": True}]}, ("optimizers", 0, "lr")),
    ({"optimizers": [{"kind": "sgd", "lr": float("nan")}]}, ("optimizers", 0, "lr")),
    ({"optimizers": [{"kind": "sgd", "lr": {"from": 0.1, "to": 1, "num": 0}}]}, ("optimizers", 0, "lr", "num")),
    ({"optimizers": [{"kind": "sgd", "lr": {"from": 0, "to": 1, "num": 3, "scale": "log"}}]}, ("optimizers", 0, "lr")),
    ({"optimizers": [{"kind": "momentum", "lr": 0.1, "momentum": 1}]}, ("optimizers", 0, "momentum")),
    ({"optimizers": [{"kind": "momentum", "lr": 0.1, "momentum": -0.1}]}, ("optimizers", 0, "momentum")),
    ({"optimizers": [{"kind": "adam", "lr": 0.1, "beta1": 1.0}]}, ("optimizers", 0, "beta1")),
    ({"optimizers": [{"kind": "sgd", "lr": 0.1, "clip_norm": 0}]}, ("optimizers", 0, "clip_norm")),
    ({"optimizers": [{"kind": "sgd", "lr": 0.1, "clip_value": -1}]}, ("optimizers", 0, "clip_value")),
    ({"optimizers": [{"kind": "rprop", "lr": 0.1, "eta_plus": 1}]}, ("optimizers", 0, "eta_plus")),
    ({"optimizers": [{"kind": "schedule_free_sgd", "lr": 0.1, "momentum": 0}]}, ("optimizers", 0, "momentum")),
    ({"problem": {"kind": "surface", "name": "ravine"}, "optimizers": [SGD, {"kind": "muon", "lr": 0.1}]},
     ("optimizers", 1, "kind")),
    ({"optimizers": []}, ("optimizers",)),
    ({"optimizers": [SGD] * 65}, ("optimizers",)),
    ({"seeds": []}, ("seeds",)),
    ({"seeds": [1, 1]}, ("seeds",)),
    ({"seeds": [-1]}, ("seeds", 0)),
    ({"seeds": {"count": 0}}, ("seeds", "count")),
    ({"epochs": 0}, ("epochs",)),
    ({"epochs": 2.5}, ("epochs",)),
    ({"batch_size": 17}, ("batch_size",)),
    ({"batch_size": "half"}, ("batch_size",)),
    ({"record_every": 0}, ("record_every",)),
    ({"measure": ["hope"]}, ("measure",)),
    ({"measure": ["alpha", "alpha"]}, ("measure",)),
    ({"dtype": "float16"}, ("dtype",)),
    ({"unheard": 1}, ("unheard",)),
    ({"problem": {"kind": "surface", "name": "atlantis"}}, ("problem", "name")),
    ({"problem": {"kind": "surface", "name": "ravine", "start": [1]}}, ("problem", "start")),
    ({"problem": {"kind": "surface", "name": "ravine", "starts": [[1, 2], [1]]}}, ("problem", "starts")),
    ({"problem": {"kind": "surface", "expression": "x +", "start": [1]}}, ("problem", "expression")),
    ({"problem": {"kind": "surface", "expression": "x + z", "start": [1]}}, ("problem", "expression")),
    ({"problem": {"kind": "surface", "expression": "__import__('os')", "start": [1]}}, ("problem", "expression")),
    ({"problem": {"kind": "surface", "expression": "x**2", "start": [1, 2]}}, ("problem", "start")),
    ({"problem": {"kind": "surface", "expression": "x**2"}}, ("problem",)),
    ({"problem": {"kind": "surface"}}, ("problem",)),
    ({"problem": {"kind": "quadratic", "eigenvalues": []}}, ("problem", "eigenvalues")),
    ({"problem": {"kind": "quadratic", "eigenvalues": [1.0] * 1001}}, ("problem", "eigenvalues")),
    ({"problem": {"kind": "quadratic", "eigenvalues": [1, 2, 3], "angle": 10}}, ("problem", "angle")),
    ({"problem": {"kind": "quadratic", "eigenvalues": [1, 2], "start": [1, 2, 3]}}, ("problem", "start")),
    ({"problem": {"kind": "surface", "name": "ravine"}, "shuffle": True}, ("shuffle",)),
    ({"problem": {"kind": "surface", "name": "ravine", "shift_at": 5}}, ("problem", "shift_by")),
    ({"problem": {"kind": "surface", "name": "ravine", "shift_by": [1.0, 0.0]}}, ("problem", "shift_by")),
    ({"problem": {"kind": "surface", "name": "ravine", "shift_at": 5, "shift_by": [1.0]}}, ("problem", "shift_by")),
    ({"problem": {"kind": "surface", "name": "ravine", "shift_at": 0, "shift_by": [1, 0]}}, ("problem", "shift_at")),
    ({"problem": {"kind": "digits", "hidden": 257}}, ("problem", "hidden")),
    ({"problem": {"kind": "digits", "train_size": 9}}, ("problem", "train_size")),
    ({"problem": {"kind": "digits", "model": "transformer"}}, ("problem", "model")),
    ({"problem": {"kind": "digits", "label_noise": 1.5}}, ("problem", "label_noise")),
    ({"problem": {"kind": "digits"}, "batch_size": 1438}, ("batch_size",)),
]  # fmt: skip


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(("changes", "place"), WRONG, ids=[json.dumps(changes)[:70] for changes, _ in WRONG])
def test_an_invalid_spec_is_rejected_with_the_place(changes: dict[str, Any], place: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        spec(**changes)
    assert len(refused.value.errors()) == 1
    # The location also contains names of union members, which the answer over HTTP omits (test_errors.py).
    location = [part for part in refused.value.errors()[0]["loc"] if part in place]
    assert list(dict.fromkeys(location)) == list(place)
