"""Experiments in one dimension: a parabola, a straight slope, and a gradient that vanishes."""

from service.spec.presets.preset import Preset, momentum, nesterov, sgd

PARABOLA = {"kind": "surface", "name": "parabola", "start": [5]}
WINDOW_BETAS = (0.5, 0.9, 0.95, 0.99)
CANCEL_BETAS = (0.5, 0.9, 0.99)
# The curvature of x² is 2, so that the look-ahead formula is the heavy ball with β·(1 − 2·lr): see its lesson.
LOOKAHEAD_LR, LOOKAHEAD_BETA = 0.01, 0.9

PRESETS = (
    Preset(
        "parabola-sgd",
        "Eight steps of SGD on a parabola",
        "w² from 5 at rate 0.01: small enough to follow by hand.",
        {"problem": PARABOLA, "optimizers": [sgd(0.01)], "epochs": 8},
    ),
    Preset(
        "parabola-momentum",
        "Eight steps with and without momentum",
        "w² from 5 at rate 0.01: how much farther does momentum 0.9 get?",
        {"problem": PARABOLA, "optimizers": [sgd(0.01), momentum(0.01)], "epochs": 8},
    ),
    Preset(
        "parabola-velocity",
        "A velocity builds up",
        "w² from 5 at rate 0.01 with momentum 0.9, and the velocity at each of eight steps.",
        {"problem": PARABOLA, "optimizers": [momentum(0.01)], "epochs": 8, "measure": ["velocity_norm"]},
    ),
    Preset(
        "parabola-to-half",
        "How long to a tenth of the way?",
        "w² from 5 at rate 0.01 until both methods have settled within 0.5 of the minimum.",
        {"problem": PARABOLA, "optimizers": [sgd(0.01), momentum(0.01)], "epochs": 300},
    ),
    Preset(
        "overshoot-cost",
        "Past the minimum and back",
        "w² from 5 at rate 0.01: what momentum gains on the way down, and what it pays for swinging.",
        {"problem": PARABOLA, "optimizers": [sgd(0.01), momentum(0.01), nesterov(0.01)], "epochs": 500},
    ),
    Preset(
        "window",
        "How far does a velocity remember?",
        "A slope of gradient 1 everywhere: the velocity grows until what it forgets is what it gains.",
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
        "A gradient that turns at every step",
        "½w² at the rate 2(1 + β), where the heavy ball jumps from side to side for ever, and the gradient with it.",
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
        "Two ways to write Nesterov's method",
        "On w² the look-ahead formula is a heavy ball with momentum β(1 − lr·λ): its run beside PyTorch's form.",
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
        "Nesterov's method where curvature changes",
        "Rosenbrock's valley, on which the look-ahead formula is worked out beside the run.",
        {
            "problem": {"kind": "surface", "name": "rosenbrock"},
            "optimizers": [nesterov(0.0005, 0.9, "torch")],
            "epochs": 500,
        },
    ),
    Preset(
        "zero-grad",
        "When the gradient is gone",
        "|x| + x slopes for x > 0 and is flat below: what becomes of the velocity where the gradient is exactly 0?",
        {
            "problem": {"kind": "surface", "expression": "abs(x) + x", "start": [1]},
            "optimizers": [momentum(0.1)],
            "epochs": 40,
            "measure": ["velocity_norm"],
        },
    ),
)
