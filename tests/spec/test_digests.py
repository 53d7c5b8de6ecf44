"""Digests of specs never change: stored jobs, idempotent requests and receipts are compared by them.

A field that is added to the spec is left out of it at its default, by ``Field(..., exclude_if=...)``.
"""

from typing import Any

import pytest

from service.spec.job import JobSpec

SPECS: dict[str, dict[str, Any]] = {
    "flipnet": {
        "problem": {"kind": "flipnet"},
        "optimizers": [{"kind": "momentum", "lr": 0.05, "momentum": [0.0, 0.5, 0.9]}],
        "epochs": 4,
    },
    "ravine": {
        "problem": {"kind": "surface", "name": "ravine"},
        "optimizers": [
            {"kind": "sgd", "lr": {"from": 0.01, "to": 0.1, "num": 5, "scale": "log"}},
            {"kind": "adamw", "lr": 0.1, "schedule": {"kind": "cosine", "warmup_steps": 5}},
        ],
        "epochs": 50,
        "seeds": [3, 1],
        "name": "A ravine",
    },
    "formula": {
        "problem": {"kind": "surface", "expression": " 1/2*x**2+10 *y**-2 - sqrt(abs(x))*e", "start": [5, 2]},
        "optimizers": [{"kind": "sgd", "lr": 0.05}],
        "epochs": 20,
    },
    "quadratic": {
        "problem": {"kind": "quadratic", "eigenvalues": [1, 10], "noise": 0.1},
        "optimizers": [{"kind": "nesterov", "lr": 0.05, "momentum": 0.9, "clip_norm": 1.0}],
        "epochs": 20,
        "seeds": {"count": 4, "first": 7},
        "measure": ["sharpness"],
        "target_loss": 0.01,
    },
    "digits": {
        "problem": {"kind": "digits", "model": "mlp", "label_noise": 0.1},
        "optimizers": [{"kind": "muon", "lr": 0.02}],
        "epochs": 2,
        "batch_size": 32,
    },
    "playground": {
        "problem": {"kind": "playground", "dataset": "spiral"},
        "optimizers": [{"kind": "lion", "lr": 0.001}],
        "epochs": 3,
        "record_every": 2,
        "dtype": "float64",
    },
}
DIGESTS = {
    "flipnet": "9175e6678ae28c46eb0929c183735478d45da4f67de611364d0ce244a13bca8f",
    "ravine": "66b662689a83a3ba9708302d5468537a3e2db81539bf02f1e9e6b08702f3df29",
    "formula": "446b7e493d6bedd556fbc1e236ec756425af711872f38f99a90dbe910d218cfd",
    "quadratic": "740cfed83eed8b37579253e19539bc5d9af7ae3cc2188dd2815efe0c96dd15b5",
    "digits": "49ce8f5a67ed054b6c9d2ee276d10073687a737673c5e7e44c51b3f73163bbae",
    "playground": "cc6ccd633cd7df68eba94eb5a85c8032480a4f9045d877df6799ebcd7463ae82",
}


@pytest.mark.parametrize("name", SPECS)
def test_the_digest_of_a_spec_is_that_of_the_first_version(name: str) -> None:
    assert JobSpec.model_validate(SPECS[name]).digest() == DIGESTS[name]
