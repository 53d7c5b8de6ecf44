"""Presets on the ravine w₁² + 10·w₂² from (5, 2): rates, momentum, noise, and a moving minimum."""

from service.spec.presets.preset import TEXT_RATE, Preset, at_rate, momentum, nesterov, rates, sgd

RAVINE = {"kind": "surface", "name": "ravine", "start": [5, 2]}
# The three rates of the text, and rates around the two thresholds of theory, 0.05 and 0.1.
LARGE_RATES = [0.005, 0.015, 0.04, 0.045, 0.049, 0.051, 0.055, 0.07, 0.09, 0.099, 0.101, 0.11]
BETAS = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99]
SHIFT_AT = 100

PRESETS = (
    Preset(
        "ravine-large-lr",
        "SGD from small to large rates",
        "SGD on the ravine at the three rates of the text and around the thresholds of oscillation and divergence.",
        {"problem": RAVINE, "optimizers": [sgd(LARGE_RATES)], "epochs": 200},
    ),
    Preset(
        "ravine-momentum-smooth",
        "SGD and momentum at a large rate",
        "The ravine at rate 0.04: oscillation of SGD and of momentum.",
        {"problem": RAVINE, "optimizers": [sgd(0.04), momentum(0.04)], "epochs": 300},
    ),
    Preset(
        "ravine-race",
        "The race along the ravine",
        "SGD, momentum and Nesterov at rate 0.015 for 400 updates.",
        {"problem": RAVINE, "optimizers": [sgd(0.015), momentum(0.015), nesterov(0.015)], "epochs": 400},
    ),
    Preset(
        "beta-zero",
        "Momentum 0 equals SGD",
        "The ravine at rate 0.015: SGD, and momentum with β = 0.",
        {"problem": RAVINE, "optimizers": [sgd(0.015), momentum(0.015, 0.0)], "epochs": 200},
    ),
    Preset(
        "noise-smoother",
        "Smoothness of paths with noise",
        "The ravine with gradient noise 5: SGD, momentum at the same rate, and momentum at a tenth of it.",
        {
            "problem": {**RAVINE, "noise": 5.0},
            "optimizers": [sgd(0.015), momentum(0.015), momentum(0.0015, label="momentum, a tenth of the rate")],
            "seeds": {"first": 0, "count": 50},
            "epochs": 1000,
        },
    ),
    Preset(
        "beta-099",
        "Too much momentum",
        "The ravine at rate 0.015: SGD, momentum 0.9 and momentum 0.99.",
        {"problem": RAVINE, "optimizers": [sgd(0.015), momentum(0.015, [0.9, 0.99])], "epochs": 2500},
    ),
    Preset(
        "beta-small",
        "Momentum from 0 to 0.99",
        "The ravine with twelve momenta, each at 46 rates and at 0.015.",
        {
            "problem": RAVINE,
            "optimizers": [
                momentum({"from": 0.01, "to": 0.19, "num": 46}, BETAS),
                momentum(0.015, BETAS, "fixed rate"),
            ],
            "epochs": 600,
        },
    ),
    Preset(
        "speedup-3-5",
        "Speed-up of momentum on the ravine",
        "SGD and momentum 0.9, each at 40 rates and at the text's rate.",
        {
            "problem": RAVINE,
            "optimizers": [
                sgd(rates(0.001, 0.1, 40)),
                momentum(rates(0.001, 0.1, 40)),
                *at_rate(TEXT_RATE["the ravine"]),
            ],
            "epochs": 600,
        },
    ),
    Preset(
        "speedup-3-5-parabola",
        "Speed-up of momentum on a parabola",
        "SGD and momentum 0.9, each at 40 rates and at the text's rate; a parabola has one curvature only.",
        {
            "problem": {"kind": "surface", "name": "parabola", "start": [5]},
            "optimizers": [
                sgd(rates(0.001, 0.9, 40)),
                momentum(rates(0.001, 0.9, 40)),
                *at_rate(TEXT_RATE["the parabola"]),
            ],
            "epochs": 600,
        },
    ),
    Preset(
        "stale",
        "A moving minimum",
        "The minimum jumps after 100 updates: momentum 0.99 constant, momentum lowered by a schedule, momentum 0.9.",
        {
            "problem": {**RAVINE, "shift_at": SHIFT_AT, "shift_by": [3.0, 1.0]},
            "optimizers": [
                momentum(0.015, 0.99, "constant"),
                momentum(
                    0.015,
                    0.99,
                    "scheduled",
                    momentum_schedule={"kind": "piecewise", "boundaries": [SHIFT_AT], "factors": [0.9]},
                ),
                momentum(0.015, 0.9, "0.9 throughout"),
            ],
            "epochs": 2500,
        },
    ),
    Preset(
        "stale-still",
        "The same run without a jump",
        "Momentum 0.99 with a fixed minimum, for comparison with the moving one.",
        {"problem": RAVINE, "optimizers": [momentum(0.015, 0.99, "constant")], "epochs": 2500},
    ),
)
