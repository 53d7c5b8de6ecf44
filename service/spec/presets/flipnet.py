"""Presets with FlipNet."""

from service.spec.presets.preset import Preset, adam, momentum, nesterov, rates, sgd

FLIPNET = {"kind": "flipnet"}
BATCHES = (1, 4, 16)

PRESETS = (
    Preset(
        "flipnet-half",
        "FlipNet with and without momentum",
        "Rate 0.05 for 30 epochs, 200 seeds, including seed 42 of the text.",
        {
            "problem": FLIPNET,
            "optimizers": [sgd(0.05), momentum(0.05)],
            "seeds": {"first": 0, "count": 200},
            "epochs": 30,
        },
    ),
    Preset(
        "flipnet-floor",
        "Smallest loss with three hidden units",
        "Adam on the full batch for 1,500 epochs, 64 seeds at two rates.",
        {
            "problem": FLIPNET,
            "optimizers": [adam([0.01, 0.03])],
            "seeds": {"first": 0, "count": 64},
            "epochs": 1500,
            "record_every": 500,
            "batch_size": "full",
            "dtype": "float64",
        },
    ),
    Preset(
        "beta-zero-flipnet",
        "Momentum 0 equals SGD for a network",
        "FlipNet at rate 0.05, 20 seeds: SGD, and momentum with β = 0.",
        {
            "problem": FLIPNET,
            "optimizers": [sgd(0.05), momentum(0.05, 0.0)],
            "seeds": {"first": 0, "count": 20},
            "epochs": 30,
        },
    ),
    Preset(
        "speedup-3-5-flipnet",
        "Speed-up of momentum on FlipNet",
        "SGD and momentum 0.9, each at seven rates, 80 seeds, 100 epochs.",
        {
            "problem": FLIPNET,
            "optimizers": [sgd(rates(0.0125, 0.8, 7)), momentum(rates(0.003125, 0.2, 7))],
            "seeds": {"first": 0, "count": 80},
            "epochs": 100,
        },
    ),
    Preset(
        "nesterov-5-10-flipnet",
        "Nesterov and momentum on FlipNet",
        "Rate 0.05, momentum 0.9, 1,000 seeds: epochs until the loss is below 0.18.",
        {
            "problem": FLIPNET,
            "optimizers": [momentum(0.05), nesterov(0.05)],
            "seeds": {"first": 0, "count": 1000},
            "epochs": 60,
        },
    ),
    *(
        Preset(
            f"three-flavours-flipnet-{size}",
            "Batch descent on FlipNet" if size == 16 else f"Mini-batches of {size} on FlipNet",
            "SGD at rate 0.05, 20 seeds, shuffled, with the variance of its gradients.",
            {
                "problem": FLIPNET,
                "optimizers": [sgd(0.05)],
                "seeds": {"first": 0, "count": 20},
                "epochs": 60,
                "batch_size": size,
                "shuffle": True,
                "measure": ["gradient_variance"],
            },
        )
        for size in BATCHES
    ),
    Preset(
        "adam-memory",
        "State of SGD, momentum and Adam",
        "One epoch of FlipNet with SGD, momentum and Adam; the norm of the velocity is recorded where there is one.",
        {
            "problem": FLIPNET,
            "optimizers": [sgd(0.05), momentum(0.05), adam(0.01)],
            "epochs": 1,
            "measure": ["velocity_norm"],
        },
    ),
    Preset(
        "accumulation",
        "Gradients of four micro-batches",
        "FlipNet with micro-batches of 2 and an update after 4 of them.",
        {
            "problem": FLIPNET,
            "optimizers": [momentum(0.05)],
            "seeds": {"first": 0, "count": 20},
            "epochs": 30,
            "batch_size": 2,
            "accumulate": 4,
            "dtype": "float64",
        },
    ),
    Preset(
        "accumulation-batch",
        "One batch instead of four micro-batches",
        "FlipNet with batches of 8: the same updates as four micro-batches of 2.",
        {
            "problem": FLIPNET,
            "optimizers": [momentum(0.05)],
            "seeds": {"first": 0, "count": 20},
            "epochs": 30,
            "batch_size": 8,
            "dtype": "float64",
        },
    ),
)
