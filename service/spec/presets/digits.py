"""Presets with small networks on handwritten digits; all of them together train for minutes on two cores."""

from service.spec.presets.preset import Preset, adam, momentum, rates, sgd

MLP = {"kind": "digits", "model": "mlp"}
FLAVOURS = (1, 4, 16, "full")
BATCHES = (8, 32, 128, "full")
# With the full batch an epoch is one update, so the loss after each of the first updates is recorded.
WARMUP_RATES = [0.1, 0.3, 1.0]
RESNET = {"kind": "digits", "model": "resnet", "hidden": 4, "train_size": 50}

PRESETS = (
    *(
        Preset(
            "three-flavours" if size == 1 else f"three-flavours-{size}",
            f"Digits, batches of {size}" if size != "full" else "Digits, batch descent",
            "SGD at rate 0.02 on 400 digits, 5 seeds, with the variance of its gradients.",
            {
                "problem": {**MLP, "train_size": 400},
                "optimizers": [sgd(0.02)],
                "seeds": {"first": 0, "count": 5},
                "epochs": 10,
                "batch_size": size,
                "measure": ["gradient_variance"],
            },
        )
        for size in FLAVOURS
    ),
    Preset(
        "train-and-test",
        "Momentum: training loss and test accuracy",
        "SGD and momentum with an mlp on the digits: five rates, 20 seeds, 15 epochs.",
        {
            "problem": MLP,
            "optimizers": [sgd([0.01, 0.03, 0.1, 0.3, 1.0]), momentum([0.003, 0.01, 0.03, 0.1, 0.3])],
            "seeds": {"first": 0, "count": 20},
            "epochs": 15,
        },
    ),
    Preset(
        "adam-default",
        "Width of the band of good learning rates",
        "Adam and momentum with an mlp on the digits: 21 rates over five decades, 5 seeds.",
        {
            "problem": MLP,
            "optimizers": [adam(rates(1e-5, 1, 21)), momentum(rates(1e-5, 1, 21))],
            "seeds": {"first": 0, "count": 5},
            "epochs": 15,
            "record_every": 15,
        },
    ),
    Preset(
        "adam-sharp",
        "Sharpness of the minima",
        "Momentum and Adam with a cnn on 400 digits: three rates each, 20 seeds, with the sharpness at the end.",
        {
            "problem": {"kind": "digits", "model": "cnn", "hidden": 4, "train_size": 400},
            "optimizers": [momentum([0.01, 0.03, 0.1]), adam([0.003, 0.01, 0.03])],
            "seeds": {"first": 0, "count": 20},
            "epochs": 20,
            "record_every": 20,
            "measure": ["sharpness"],
        },
    ),
    *(
        Preset(
            "large-batch" if size == 8 else f"large-batch-{size}",
            f"Digits, batches of {size}" if size != "full" else "Digits, the full batch",
            "Momentum 0.9 and 0.97 with an mlp: four rates, 10 seeds, 20 epochs.",
            {
                "problem": {**MLP, "train_size": 700},
                "optimizers": [momentum([0.003, 0.01, 0.03, 0.1], [0.9, 0.97])],
                "seeds": {"first": 0, "count": 10},
                "epochs": 20,
                "record_every": 20,
                "batch_size": size,
            },
        )
        for size in BATCHES
    ),
    Preset(
        "large-batch-long",
        "Digits, the full batch, equal number of updates",
        "The full batch for 1,760 updates, as many as 20 epochs with batches of 8 have; 10 seeds.",
        {
            "problem": {**MLP, "train_size": 700},
            "optimizers": [momentum(0.03, 0.9, "as small batches"), momentum(0.01, 0.97, "mended")],
            "seeds": {"first": 0, "count": 10},
            "epochs": 1760,
            "record_every": 1760,
            "batch_size": "full",
        },
    ),
    Preset(
        "cosine",
        "SGD with a cosine schedule against Adam",
        "A cnn on 400 augmented digits: three rates each, 20 seeds, the same number of epochs.",
        {
            "problem": {"kind": "digits", "model": "cnn", "hidden": 4, "train_size": 400, "augment": True},
            "optimizers": [
                momentum([0.01, 0.03, 0.1], label="momentum, cosine", schedule={"kind": "cosine"}),
                adam([0.003, 0.01, 0.03]),
                adam([0.003, 0.01, 0.03], label="adam, cosine", schedule={"kind": "cosine"}),
            ],
            "seeds": {"first": 0, "count": 20},
            "epochs": 20,
            "record_every": 20,
        },
    ),
    Preset(
        "warmup",
        "The first fifty updates",
        "A resnet on 50 digits at three rates: no warm-up, warm-up of the rate, warm-up of the momentum; 8 seeds.",
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
            "seeds": {"first": 0, "count": 8},
            "epochs": 50,
            "batch_size": "full",
        },
    ),
)
