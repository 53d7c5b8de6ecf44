"""Example bodies of the OpenAPI document. A test posts each of them to a running stack."""

from typing import Any

Example = dict[str, Any]

EXAMPLES: dict[str, dict[str, Example]] = {
    "create_job": {
        "two_optimizers": {
            "summary": "Compare two optimizers over 20 seeds",
            "value": {
                "name": "SGD against momentum",
                "problem": {"kind": "flipnet"},
                "optimizers": [
                    {"label": "sgd", "kind": "sgd", "lr": 0.05},
                    {"label": "momentum", "kind": "momentum", "lr": 0.05, "momentum": 0.9},
                ],
                "seeds": {"first": 0, "count": 20},
                "epochs": 30,
                "criterion": "epochs_to_target",
                "target_loss": 0.3,
            },
        },
        "tuned": {
            "summary": "Compare two optimizers, each at the learning rate that half of the seeds choose",
            "description": "Where a label has several settings, half of the seeds choose and the others judge.",
            "value": {
                "problem": {"kind": "flipnet"},
                "optimizers": [
                    {"label": "sgd", "kind": "sgd", "lr": [0.02, 0.04, 0.08, 0.16]},
                    {"label": "momentum", "kind": "momentum", "lr": [0.0025, 0.005, 0.01, 0.02]},
                ],
                "seeds": {"count": 24},
                "epochs": 30,
            },
        },
        "grid": {
            "summary": "Run a grid of learning rates and momenta",
            "description": "A hyper-parameter may be a list or a range. Their product is a grid: 3 × 10 settings.",
            "value": {
                "problem": {"kind": "quadratic", "eigenvalues": [1, 100], "start": [1, 1]},
                "optimizers": [
                    {
                        "kind": "nesterov",
                        "lr": {"from": 0.0001, "to": 0.01, "num": 3, "scale": "log"},
                        "momentum": {"from": 0, "to": 0.9, "num": 10},
                    }
                ],
                "epochs": 100,
                "target_loss": 0.001,
            },
        },
        "formula": {
            "summary": "Start from a grid of points on a surface given by a formula, with gradient noise",
            "description": "On a surface an epoch is one update.",
            "value": {
                "problem": {
                    "kind": "surface",
                    "expression": "x**2 + 10*y**2 + sin(3*x)",
                    "noise": 0.5,
                    "starts": {"x": {"from": -5, "to": 5, "num": 4}, "y": {"from": -2, "to": 2, "num": 4}},
                },
                "optimizers": [{"kind": "adam", "lr": 0.05}],
                "epochs": 100,
                "record_every": 10,
            },
        },
        "schedule": {
            "summary": "Warm up the learning rate, decay it along a cosine, and clip gradients",
            "value": {
                "problem": {"kind": "flipnet"},
                "optimizers": [
                    {
                        "kind": "adamw",
                        "lr": [0.003, 0.01],
                        "clip_norm": 1.0,
                        "schedule": {"kind": "cosine", "warmup_steps": 48, "final_fraction": 0.1},
                    }
                ],
                "epochs": 30,
            },
        },
        "decide": {
            "summary": "Train seeds until two optimizers are better, worse or equal within 5 %",
            "value": {
                "problem": {"kind": "flipnet"},
                "optimizers": [{"kind": "adam", "lr": 0.01}, {"kind": "nadam", "lr": 0.01}],
                "decide": {"margin": 0.05, "max_seeds": 500},
            },
        },
        "preset": {
            "summary": "Run a preset with more epochs",
            "value": {"preset": "ravine-large-lr", "epochs": 500},
        },
    },
    "change_job": {
        "tags_and_note": {
            "summary": "Attach two tags and a note",
            "value": {"tags": ["lecture 3", "to check"], "note": "Momentum overshoots here."},
        },
    },
    "continue_job": {
        "more_seeds": {"summary": "Train up to 1,000 seeds", "value": {"max_seeds": 1_000}},
    },
    "create_dataset": {
        "houses": {
            "summary": "Upload a table of houses",
            "value": "area,city,price\n120.5,Aachen,420\n80,Bonn,310\n,Aachen,295\n",
        },
    },
    "ask_theory": {
        "stiff_quadratic": {
            "summary": "Compute the limit of the learning rate on an ill-conditioned quadratic",
            "value": {
                "problem": {"kind": "quadratic", "eigenvalues": [1, 100], "start": [1, 1]},
                "optimizer": "nesterov",
                "lr": 0.005,
                "momentum": 0.9,
            },
        }
    },
    "get_formula": {
        "valley": {
            "summary": "Read a formula with a letter",
            "value": {"expression": "x² + a y²"},
        }
    },
    "get_program": {
        "momentum": {
            "summary": "Get the program of momentum",
            "value": {
                "kind": "formula",
                "state": {"v": 0},
                "parameters": {"beta": 0.9},
                "update": ["v = beta*v + g", "w = w - lr*v"],
            },
        }
    },
    "draw_landscape": {
        "map_and_gradients": {
            "summary": "Compute a map of the ravine, and the gradient at two points",
            "value": {
                "problem": {"kind": "surface", "name": "ravine"},
                "x": {"from": -6, "to": 6, "num": 100},
                "y": {"from": -3, "to": 3, "num": 100},
                "points": [[5, 2], [4.85, 1.4]],
            },
        }
    },
}
