"""Specs for fault injection: every kind of problem, each about a second of training with several chunks."""

from typing import Any

SPECS: list[dict[str, Any]] = [
    {
        "problem": {"kind": "flipnet"},
        "optimizers": [{"kind": "momentum", "lr": 0.05, "momentum": [0.0, 0.5, 0.9]}, {"kind": "adam", "lr": 0.01},
                       {"kind": "formula", "lr": 0.01, "state": {"v": 0}, "parameters": {"beta": [0.5, 0.9]},
                        "update": ["v = beta*v + g + 0.01*normal", "w = w - lr*v/(1 + tensor_norm(v))"]}],
        "seeds": {"first": 0, "count": 10},
        "epochs": 300,
        "record_every": 10,
        "shuffle": True,
    },
    {
        # Several batches of seeds, one after the other.
        "problem": {"kind": "flipnet"},
        "optimizers": [{"kind": "momentum", "lr": 0.02}, {"kind": "adam", "lr": 0.02}],
        "epochs": 200,
        "record_every": 50,
        "shuffle": True,
        "decide": {"batch": 6, "max_seeds": 30, "margin": 1e-6},
    },
    {
        # One of these runs diverges.
        "problem": {"kind": "flipnet"},
        "optimizers": [{"kind": "sgd", "lr": [0.01, 0.1, 3.0]}, {"kind": "rprop", "lr": 0.01}],
        "batch_size": "full",
        "epochs": 1_500,
        "record_every": 50,
        "measure": ["alpha"],
    },
    {
        "problem": {"kind": "surface", "name": "ravine", "noise": 0.5, "starts": [[5, 2], [-3, 1], [1, -2]]},
        "optimizers": [{"kind": "nesterov", "lr": 0.01}, {"kind": "schedule_free_adamw", "lr": 0.05}],
        "accumulate": 2,
        "epochs": 3_000,
        "record_every": 10,
    },
    {
        # Two shards.
        "problem": {"kind": "surface", "expression": "x**2 + sin(3*x)*exp(y/4) + abs(y)**1.5",
                    "starts": {"x": {"from": -2, "to": 2, "num": 96}, "y": {"from": -1, "to": 1, "num": 96}}},
        "optimizers": [{"kind": "adamw", "lr": 0.05}],
        "epochs": 200,
        "record_every": 100,
    },
    {
        "problem": {"kind": "quadratic", "eigenvalues": [1, 3, 10, 30, 100], "start": [1, 1, 1, 1, 1], "noise": 0.1},
        "optimizers": [{"kind": "rmsprop", "lr": [0.001, 0.01]}, {"kind": "lion", "lr": 0.001}],
        "epochs": 3_000,
        "record_every": 10,
    },
    {
        "problem": {"kind": "digits", "model": "mlp", "hidden": 8, "train_size": 320},
        "optimizers": [{"kind": "momentum", "lr": 0.05}, {"kind": "muon", "lr": 0.02}],
        "seeds": [0, 1],
        "epochs": 15,
    },
    {
        "problem": {"kind": "digits", "model": "cnn", "hidden": 2, "train_size": 160},
        "optimizers": [{"kind": "adam", "lr": 0.01}],
        "seeds": [0, 1],
        "epochs": 20,
    },
    {
        "problem": {"kind": "digits", "model": "resnet", "hidden": 2, "train_size": 160},
        "optimizers": [{"kind": "momentum", "lr": 0.05}],
        "seeds": [0, 1],
        "epochs": 16,
    },
    {
        "problem": {"kind": "playground", "dataset": "spiral", "size": 200, "widths": [8, 4]},
        "optimizers": [{"kind": "momentum", "lr": 0.05}, {"kind": "adam", "lr": 0.01}],
        "seeds": {"first": 0, "count": 5},
        "epochs": 120,
    },
]  # fmt: skip

# One epoch takes seconds; for tests that do not wait for the end of the job.
SLOW: dict[str, Any] = {
    "problem": {"kind": "digits", "model": "resnet", "hidden": 8},
    "optimizers": [{"kind": "momentum", "lr": 0.05}],
    "seeds": {"first": 0, "count": 16},
    "epochs": 100,
}
# Some seconds of work in epochs of milliseconds: jobs with `shuffle` are never compiled, which would end them at once.
LONG: dict[str, Any] = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "momentum", "lr": 0.02, "momentum": [0.5, 0.9]}],
    "epochs": 2_200,
    "record_every": 100,
    "shuffle": True,
}
SMALL = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 2}
# Random numbers in an update rule and the state of an installed class, which the workers of the stack offer.
OWN: dict[str, Any] = {
    **LONG,
    "optimizers": [{"kind": "lion2", "lr": [0.001, 0.002]},
                   {"kind": "formula", "lr": 0.05, "state": {"v": 0},
                    "update": ["v = 0.9*v + g + 0.01*normal", "w = w - lr*v"]}],
    "seeds": {"count": 4},
    "epochs": 500,
}  # fmt: skip
