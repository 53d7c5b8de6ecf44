"""Presets with a small transformer on the synthetic text."""

from service.spec.presets.preset import Preset, Spec, momentum

RATES = [0.01, 0.03, 0.1, 0.3, 1.0]
ADAMW_RATES = [0.001, 0.003, 0.01, 0.03, 0.1]
WARMUP: Spec = {"kind": "constant", "warmup_steps": 20, "initial_fraction": 0.0}
PROBLEM: Spec = {
    "kind": "data",
    "dataset": "zipf",
    "model": {"kind": "transformer", "width": 16, "heads": 2, "context": 16},
    "train_size": 128,
    "test_share": 0.02,
    "validation_share": 0.02,
}
_ACCUMULATED: Spec = {
    "problem": {**PROBLEM, "validation_share": 0.0, "train_size": 64},
    "optimizers": [{"label": "adamw", "kind": "adamw", "lr": 0.01}],
    "seeds": {"first": 0, "count": 6},
    "epochs": 3,
    "dtype": "float64",
}


def _adamw(label: str = "adamw", **more: object) -> Spec:
    return {"label": label, "kind": "adamw", "lr": ADAMW_RATES, **more}


PRESETS = (
    Preset(
        "transformer",
        "AdamW and momentum on a transformer",
        "A transformer of one layer on the synthetic text: five rates each, 12 seeds, 6 epochs.",
        {
            "problem": PROBLEM,
            "optimizers": [momentum(RATES), _adamw()],
            "seeds": {"first": 0, "count": 12},
            "epochs": 6,
            "batch_size": 8,
        },
    ),
    Preset(
        "transformer-warmup",
        "Warm-up of AdamW on a transformer",
        "AdamW with and without a warm-up over 20 of 96 updates: five rates each, 12 seeds.",
        {
            "problem": PROBLEM,
            "optimizers": [_adamw("none"), _adamw("warm-up", schedule=WARMUP)],
            "seeds": {"first": 0, "count": 12},
            "epochs": 6,
            "batch_size": 8,
        },
    ),
    Preset(
        "transformer-accumulation",
        "Four micro-batches of 8 windows",
        "AdamW on a transformer in float64: the mean of four micro-batches of 8 windows; 6 seeds.",
        {**_ACCUMULATED, "batch_size": 8, "accumulate": 4},
    ),
    Preset(
        "transformer-accumulation-batch",
        "Batches of 32 windows",
        "AdamW on a transformer in float64: batches of 32 windows; 6 seeds.",
        {**_ACCUMULATED, "batch_size": 32},
    ),
)
