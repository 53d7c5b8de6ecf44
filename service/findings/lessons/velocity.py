"""Lessons on the velocity: constant, alternating and vanishing gradients."""

from collections.abc import Mapping

import numpy as np

from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Figure, Finding, curve, number, said
from service.findings.lessons.judging import as_said, together
from service.findings.lessons.lesson import Lesson
from service.spec.presets.parabola import CANCEL_BETAS

# Tolerance for exact statements; the remaining terms of the geometric series are far smaller.
EXACT = 1e-6
ROUNDING = 1e-12


def _window(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["window"]
    ratio = job.values("velocity_norm", "momentum") / job.values("grad_norm", "momentum")
    betas = job.settings("momentum", "momentum")
    expected = {0.5: 2, 0.9: 10, 0.95: 20, 0.99: 100}
    quantities = [
        said(f"velocity over gradient, β = {beta:g}", ratio[at, -1], expected[beta], EXACT * expected[beta])
        for at, beta in enumerate(betas.tolist())
    ]
    curves = [curve(f"β = {beta:g}", job.epochs[:12], ratio[at, :12]) for at, beta in enumerate(betas)]
    return as_said(quantities, [Figure("Velocity on a slope of gradient 1", "update", "velocity", curves)])


def _cancel(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["cancel"]
    quantities = []
    for beta in CANCEL_BETAS:
        label = f"momentum {beta:g}"
        found = (job.values("velocity_norm", label) / job.values("grad_norm", label))[0, -1]
        expected = 1 / (1 + beta)
        quantities.append(said(f"velocity over gradient, β = {beta:g}", found, expected, EXACT))
        if beta == 0.9:
            quantities.append(said("velocity over gradient at 0.9, rounded as in the text", found, 0.53, 0.005))
    return as_said(quantities)


def _zero_grad(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["zero-grad"]
    gradient, velocity = (job.values(name, "momentum")[0] for name in ("grad_norm", "velocity_norm"))
    flat = np.flatnonzero(gradient[:-1] == 0)
    kept = velocity[flat + 1] / velocity[flat]
    # On the slope of gradient 2; gradients that are not cleared would add up to g, 2g, 3g, …
    k = np.arange(1, flat[0] + 1)
    cleared = 2 * (1 - 0.9**k) / (1 - 0.9)
    quantities = [
        number("updates with gradient 0", len(flat)),
        number("share of the velocity kept by such an update, smallest", kept.min()),
        number("share of the velocity kept by such an update, largest", kept.max()),
        number("largest difference from the velocity with cleared gradients", np.abs(velocity[k] - cleared).max()),
    ]
    parts = {
        "each update uses its own gradient only": bool(np.allclose(velocity[k], cleared, rtol=ROUNDING, atol=0)),
        "without a gradient the velocity is multiplied by β": bool(np.allclose(kept, 0.9, rtol=ROUNDING, atol=0)),
    }
    curves = [curve("gradient", job.epochs, gradient), curve("velocity", job.epochs, velocity)]
    figures = [Figure("The gradient ends, the velocity goes on", "update", "norm", curves, log_y=False)]
    return together(parts, quantities, figures=figures)


LESSONS = (
    Lesson(
        "window",
        ("B",),
        "Under a constant gradient the velocity grows to 1/(1 − β) of it: 2, 10, 20, 100 for β 0.5, 0.9, 0.95, 0.99.",
        "The ratio after 2,500 steps on a straight slope, to a millionth.",
        ("window",),
        ("velocity_norm", "grad_norm"),
        _window,
        "The limit is a formula, so the velocity must reach it up to the rest of the geometric series, which is below "
        "1e-10 after 2,500 steps at each β.",
    ),
    Lesson(
        "cancel",
        ("B",),
        "Under a gradient of alternating sign the velocity shrinks to about 1/(1 + β) of it: 0.53 at 0.9.",
        "On ½w² at rate 2(1 + β) the gradient alternates forever; the ratio after 3,000 steps, to a millionth.",
        ("cancel",),
        ("velocity_norm", "grad_norm"),
        _cancel,
        "The statement is about a gradient that alternates with constant size, which this rate produces exactly. The "
        "limit must be met to a millionth, and the printed number to its digits.",
    ),
    Lesson(
        "zero-grad",
        ("B",),
        "Clearing the gradients between updates does not change the velocity.",
        "Where |x| + x is flat the gradient is exactly 0: each update multiplies the velocity by 0.9, to 1e-12. On the "
        "slope the velocity is the decaying sum of gradients that were cleared.",
        ("zero-grad",),
        ("velocity_norm", "grad_norm"),
        _zero_grad,
        "Only where the gradient is exactly 0 does the velocity change by momentum alone, and a gradient that was not "
        "cleared would add to it. 1e-12 is rounding in float64.",
    ),
)
