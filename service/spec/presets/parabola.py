"""Presets in one dimension: a parabola, a straight slope, and a vanishing gradient."""

from service.spec.presets.preset import Preset, momentum, nesterov, sgd

PARABOLA = {"kind": "surface", "name": "parabola", "start": [5]}
WINDOW_BETAS = (0.5, 0.9, 0.95, 0.99)
CANCEL_BETAS = (0.5, 0.9, 0.99)
# The curvature of x² is 2, so the look-ahead formula is the heavy ball with β·(1 − 2·lr).
LOOKAHEAD_LR, LOOKAHEAD_BETA = 0.01, 0.9
# The largest momentum that does not pass the minimum of w² at rate 0.01: (1 − √(lr·λ))² with λ = 2.
CRITICAL_BETA = (1 - (0.01 * 2) ** 0.5) ** 2

PRESETS = (
    Preset(
        "parabola-sgd",
        "Eight steps of SGD on a parabola",
        "w² from 5 at rate 0.01.",
        {"problem": PARABOLA, "optimizers": [sgd(0.01)], "epochs": 8},
    ),
    Preset(
        "parabola-momentum",
        "Eight steps with and without momentum",
        "w² from 5 at rate 0.01: SGD and momentum 0.9.",
        {"problem": PARABOLA, "optimizers": [sgd(0.01), momentum(0.01)], "epochs": 8},
    ),
    Preset(
        "parabola-velocity",
        "Growth of the velocity",
        "w² from 5 at rate 0.01 with momentum 0.9; the velocity at each of eight steps is recorded.",
        {"problem": PARABOLA, "optimizers": [momentum(0.01)], "epochs": 8, "measure": ["velocity_norm"]},
    ),
    Preset(
        "parabola-to-half",
        "Steps to a tenth of the distance",
        "w² from 5 at rate 0.01: SGD and momentum until both stay within 0.5 of the minimum.",
        {"problem": PARABOLA, "optimizers": [sgd(0.01), momentum(0.01)], "epochs": 300},
    ),
    Preset(
        "overshoot-cost",
        "Overshoot on a parabola",
        "w² from 5 at rate 0.01: SGD, momentum 0.9, Nesterov, and the largest momentum that does not overshoot.",
        {
            "problem": PARABOLA,
            "optimizers": [
                sgd(0.01),
                momentum(0.01),
                nesterov(0.01),
                momentum(0.01, CRITICAL_BETA, "without overshoot"),
            ],
            "epochs": 500,
        },
    ),
    Preset(
        "window",
        "Velocity under a constant gradient",
        "A slope of gradient 1: the velocity grows to 1/(1 − β).",
        {
            "problem": {"kind": "surface", "name": "slope"},
            "optimizers": [momentum(0.001, list(WINDOW_BETAS))],
            "epochs": 2500,
            "record_every": 100,
            "measure": ["velocity_norm"],
        },
    ),
    Preset(
        "cancel",
        "Velocity under an alternating gradient",
        "½w² at rate 2(1 + β), where the heavy ball and its gradient alternate forever.",
        {
            "problem": {"kind": "quadratic", "eigenvalues": [1.0], "start": [1]},
            "optimizers": [momentum(2 * (1 + beta), beta, f"momentum {beta:g}") for beta in CANCEL_BETAS],
            "epochs": 3000,
            "record_every": 100,
            "measure": ["velocity_norm"],
        },
    ),
    Preset(
        "lookahead-form",
        "Two forms of Nesterov's method",
        "On w² the look-ahead formula is a heavy ball with momentum β(1 − lr·λ); it is compared with PyTorch's form.",
        {
            "problem": PARABOLA,
            "optimizers": [
                nesterov(LOOKAHEAD_LR, LOOKAHEAD_BETA, "torch"),
                momentum(LOOKAHEAD_LR, LOOKAHEAD_BETA * (1 - 2 * LOOKAHEAD_LR), "look-ahead"),
            ],
            "epochs": 300,
        },
    ),
    Preset(
        "lookahead-form-rosenbrock",
        "Nesterov's method on Rosenbrock's function",
        "The run in PyTorch's form; the lesson compares it with the look-ahead formula.",
        {
            "problem": {"kind": "surface", "name": "rosenbrock"},
            "optimizers": [nesterov(0.0005, 0.9, "torch")],
            "epochs": 500,
        },
    ),
    Preset(
        "zero-grad",
        "Velocity without a gradient",
        "|x| + x has gradient 2 for x > 0 and gradient 0 below: the velocity after the gradient has vanished.",
        {
            "problem": {"kind": "surface", "expression": "abs(x) + x", "start": [1]},
            "optimizers": [momentum(0.1)],
            "epochs": 40,
            "measure": ["velocity_norm"],
        },
    ),
)
