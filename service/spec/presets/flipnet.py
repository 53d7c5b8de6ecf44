"""Experiments with FlipNet, the smallest network with a real data set."""

from service.spec.presets.preset import Preset, adam, momentum, nesterov, rates, sgd

FLIPNET = {"kind": "flipnet"}
BATCHES = (1, 4, 16)

PRESETS = (
    Preset(
        "flipnet-half",
        "FlipNet with and without momentum",
        "Rate 0.05 for 30 epochs, 200 seeds; seed 42, which the text shows, is one of them.",
        {
            "problem": FLIPNET,
            "optimizers": [sgd(0.05), momentum(0.05)],
            "seeds": {"first": 0, "count": 200},
            "epochs": 30,
        },
    ),
    Preset(
        "flipnet-floor",
        "How low can three hidden units get?",
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
        "Momentum 0 is SGD for a network too",
        "FlipNet at rate 0.05, 20 seeds, once with SGD and once with a velocity that forgets at once.",
        {
            "problem": FLIPNET,
            "optimizers": [sgd(0.05), momentum(0.05, 0.0)],
            "seeds": {"first": 0, "count": 20},
            "epochs": 30,
        },
    ),
    Preset(
        "speedup-3-5-flipnet",
        "How much faster is momentum on FlipNet?",
        "SGD and momentum 0.9, each at thirteen rates, 20 seeds, 100 epochs.",
        {
            "problem": FLIPNET,
            "optimizers": [sgd(rates(0.0125, 0.8, 13)), momentum(rates(0.0125, 0.8, 13))],
            "seeds": {"first": 0, "count": 20},
            "epochs": 100,
        },
    ),
    Preset(
        "nesterov-5-10-flipnet",
        "Nesterov and momentum on FlipNet",
        "Rate 0.05, momentum 0.9, 200 seeds: epochs until the loss is below 0.15.",
        {
            "problem": FLIPNET,
            "optimizers": [momentum(0.05), nesterov(0.05)],
            "seeds": {"first": 0, "count": 200},
            "epochs": 100,
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
        "Who keeps what?",
        "One epoch of FlipNet with SGD, momentum and Adam, and the velocity of those that keep one.",
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
        "FlipNet, batches of 2, an update after every 4 of them.",
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
        "One batch instead of four",
        "The same updates from batches of 8.",
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
