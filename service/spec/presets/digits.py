"""Presets with small networks on handwritten digits; all of them together train for minutes on two cores."""

from service.spec.presets.preset import Preset, adam, momentum, rates, sgd

MLP = {"kind": "digits", "model": "mlp"}
FLAVOURS = (1, 4, 16, "full")
BATCHES = (8, 32, 128, "full")
# With the full batch an epoch is one update, so the loss after each of the first updates is recorded.
WARMUP_RATES = [0.1, 0.3, 1.0]
RESNET = {"kind": "digits", "model": "resnet", "hidden": 4, "train_size": 30}
CNN = {"kind": "digits", "model": "cnn", "hidden": 4, "train_size": 400}
MOMENTUM_RATES, ADAM_RATES = [0.01, 0.03, 0.1, 0.3], [0.001, 0.003, 0.01, 0.03]
# The rates at which SGD and momentum are compared as they are; both grids contain them.
EQUAL_RATES = (0.01, 0.1)
# Five decades of rates in steps of a quarter of a decade.
DECADES = rates(1e-5, 1, 21)
# Epochs and updates of the batches of 8 on 300 digits.
LARGE_BATCH_EPOCHS = 15
LARGE_BATCH_UPDATES = LARGE_BATCH_EPOCHS * 38
_LARGE = [momentum(0.03, 0.9, "equal"), momentum([0.003, 0.01], 0.97, "corrected")]

PRESETS = (
    *(
        Preset(
            "three-flavours" if size == 1 else f"three-flavours-{size}",
            f"Digits, batches of {size}" if size != "full" else "Digits, batch descent",
            "SGD at rate 0.02 on 300 digits, 12 seeds, with the variance of its gradients.",
            {
                "problem": {**MLP, "train_size": 300},
                "optimizers": [sgd(0.02)],
                "seeds": {"first": 0, "count": 12},
                "epochs": 8,
                "batch_size": size,
                "measure": ["gradient_variance"],
            },
        )
        for size in FLAVOURS
    ),
    Preset(
        "train-and-test",
        "Momentum: training loss and test accuracy",
        "SGD and momentum with an mlp on the digits: five rates, 40 seeds, 15 epochs.",
        {
            "problem": MLP,
            "optimizers": [sgd([0.01, 0.1, 0.3, 1.0, 3.0]), momentum([0.01, 0.03, 0.1, 0.3, 1.0])],
            "seeds": {"first": 0, "count": 40},
            "epochs": 15,
        },
    ),
    Preset(
        "adam-default",
        "Width of the band of good learning rates",
        "Adam and momentum with an mlp on the digits: 21 rates over five decades, 32 seeds.",
        {
            "problem": MLP,
            "optimizers": [adam(DECADES), momentum(DECADES)],
            "seeds": {"first": 0, "count": 32},
            "epochs": 20,
            "record_every": 20,
        },
    ),
    Preset(
        "adam-sharp",
        "Sharpness of the minima",
        "Momentum and Adam with a cnn on 400 digits: four rates each, 40 seeds, with the sharpness at the end.",
        {
            "problem": CNN,
            "optimizers": [momentum(MOMENTUM_RATES), adam(ADAM_RATES)],
            "seeds": {"first": 0, "count": 40},
            "epochs": 20,
            "record_every": 20,
            "measure": ["sharpness"],
        },
    ),
    *(
        Preset(
            "large-batch" if size == 8 else f"large-batch-{size}",
            f"Digits, batches of {size}" if size != "full" else "Digits, the full batch",
            "Momentum 0.9 with an mlp on 300 digits at rate 0.03, 24 seeds, 15 epochs"
            + ("; momentum 0.97 at lower rates." if size == "full" else "."),
            {
                "problem": {**MLP, "train_size": 300},
                "optimizers": _LARGE if size == "full" else _LARGE[:1],
                "seeds": {"first": 0, "count": 24},
                "epochs": LARGE_BATCH_EPOCHS,
                "record_every": LARGE_BATCH_EPOCHS,
                "batch_size": size,
            },
        )
        for size in BATCHES
    ),
    Preset(
        "large-batch-long",
        "Digits, the full batch, equal number of updates",
        "The full batch for 570 updates, as many as 15 epochs with batches of 8 have; 24 seeds.",
        {
            "problem": {**MLP, "train_size": 300},
            "optimizers": _LARGE,
            "seeds": {"first": 0, "count": 24},
            "epochs": LARGE_BATCH_UPDATES,
            "record_every": LARGE_BATCH_UPDATES,
            "batch_size": "full",
        },
    ),
    Preset(
        "cosine",
        "SGD with a cosine schedule against Adam",
        "A cnn on 400 augmented digits: four rates each, 40 seeds, the same number of epochs.",
        {
            "problem": {**CNN, "augment": True},
            "optimizers": [
                momentum(MOMENTUM_RATES, label="momentum, cosine", schedule={"kind": "cosine"}),
                adam(ADAM_RATES),
                adam(ADAM_RATES, label="adam, cosine", schedule={"kind": "cosine"}),
            ],
            "seeds": {"first": 0, "count": 40},
            "epochs": 20,
            "record_every": 20,
        },
    ),
    Preset(
        "warmup",
        "The first fifty updates",
        "A resnet on 30 digits at three rates: no warm-up, warm-up of the rate, warm-up of the momentum; 24 seeds.",
        {
            "problem": RESNET,
            "optimizers": [
                momentum(WARMUP_RATES, label="none"),
                momentum(
                    WARMUP_RATES,
                    label="rate",
                    schedule={"kind": "constant", "warmup_steps": 20, "initial_fraction": 0.0},
                ),
                momentum(
                    WARMUP_RATES,
                    label="momentum",
                    momentum_schedule={"kind": "constant", "warmup_steps": 20, "initial_fraction": 0.0},
                ),
            ],
            "seeds": {"first": 0, "count": 24},
            "epochs": 50,
            "batch_size": "full",
        },
    ),
)
