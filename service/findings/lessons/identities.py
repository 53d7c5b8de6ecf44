"""Lessons on identities between methods, and on the state that each method keeps."""

from collections.abc import Mapping

import numpy as np

from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Finding, number, said
from service.findings.lessons.judging import as_said, together
from service.findings.lessons.lesson import Lesson
from service.spec.optimizers import OPTIMIZERS
from service.spec.presets.parabola import LOOKAHEAD_BETA, LOOKAHEAD_LR

RECORDED = ("loss", "train_loss", "grad_norm", "update_norm", "distance_from_start")
# Two orders of summation differ by rounding in float64, which a few hundred updates amplify.
ROUNDING = 1e-9


def _beta_zero(jobs: Mapping[str, Evidence]) -> Finding:
    quantities, parts = [], {}
    for preset, title in (("beta-zero", "the ravine"), ("beta-zero-flipnet", "FlipNet")):
        job = jobs[preset]
        pairs = [(job.values(field, "sgd"), job.values(field, "momentum")) for field in RECORDED]
        different = sum(int((~((a == b) | (np.isnan(a) & np.isnan(b)))).sum()) for a, b in pairs)
        quantities.append(number(f"numbers compared on {title}", sum(a.size for a, _ in pairs)))
        quantities.append(number(f"numbers that differ on {title}", different))
        parts[f"all numbers are equal on {title}"] = different == 0
    return together(parts, quantities)


def _lookahead(jobs: Mapping[str, Evidence]) -> Finding:
    job = jobs["lookahead-form"]
    torch, ahead = (job.positions(label)[0, :, 0] for label in ("torch", "look-ahead"))
    # PyTorch stores the point at which gradients are taken: φ = w + β·(w − w₋₁).
    changed = ahead + LOOKAHEAD_BETA * np.diff(ahead, prepend=ahead[0])
    on_parabola = float(np.abs(changed - torch).max())
    path = jobs["lookahead-form-rosenbrock"].positions("torch")[0]
    on_rosenbrock = float(np.abs(_looking_ahead(path[0], 0.0005, 0.9, len(path)) - path).max())
    quantities = [
        number("largest difference on w², both as jobs", on_parabola),
        number("largest difference on Rosenbrock's function, job against formula", on_rosenbrock),
        number("difference on w² without the change of variables", np.abs(ahead - torch).max()),
        number("rate", LOOKAHEAD_LR),
    ]
    parts = {
        "they agree on w²": on_parabola <= ROUNDING,
        "they agree on Rosenbrock's function": on_rosenbrock <= ROUNDING,
    }
    return together(parts, quantities)


def _looking_ahead(start: np.ndarray, lr: float, beta: float, num: int) -> np.ndarray:
    """Run v ← β·v − lr·∇f(w + β·v), w ← w + v on Rosenbrock's function; return w + β·v [num, 2]."""
    w, v, path = start.copy(), np.zeros(2), []
    for _ in range(num):
        x, y = w + beta * v
        path.append([x, y])
        v = beta * v - lr * np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])
        w = w + v
    return np.array(path)


def _accumulation(jobs: Mapping[str, Evidence]) -> Finding:
    parts_of, whole = jobs["accumulation"], jobs["accumulation-batch"]
    fields = ("loss", "grad_norm", "update_norm", "distance_from_start")
    gaps = {name: np.nanmax(np.abs(parts_of.values(name) - whole.values(name))) for name in fields}
    quantities = [number(f"largest difference of {name}", gap) for name, gap in gaps.items()]
    # The mean of four micro-batches and of one batch differ by rounding only.
    return together({"all recorded numbers agree to 1e-9": max(gaps.values()) <= ROUNDING}, quantities)


def _memory(jobs: Mapping[str, Evidence]) -> Finding:
    kept = {kind.model_fields["kind"].annotation.__args__[0]: kind.state_per_parameter for kind in OPTIMIZERS}  # type: ignore[union-attr]
    job = jobs["adam-memory"]
    has_velocity = {
        label: bool(np.isfinite(job.values("velocity_norm", label)[0, -1])) for label in ("sgd", "momentum")
    }
    return as_said(
        [
            said("numbers per parameter: SGD", kept["sgd"], 0, 0),
            said("numbers per parameter: momentum", kept["momentum"], 1, 0),
            said("numbers per parameter: Adam", kept["adam"], 2, 0),
            said("velocities recorded in a run: SGD", has_velocity["sgd"], 0, 0),
            said("velocities recorded in a run: momentum", has_velocity["momentum"], 1, 0),
        ]
    )


LESSONS = (
    Lesson(
        "beta-zero",
        ("B", "V"),
        "Momentum 0 is SGD exactly.",
        "All recorded numbers of both runs are bit-identical, on the ravine and for 20 seeds of FlipNet.",
        ("beta-zero", "beta-zero-flipnet"),
        RECORDED,
        _beta_zero,
        '"Exactly" leaves no tolerance, and one different bit would refute it. Runs are instances here, not a sample.',
    ),
    Lesson(
        "lookahead-form",
        ("B",),
        "PyTorch's Nesterov equals the look-ahead formula after a change of variables.",
        "Positions agree to 1e-9 over 300 updates on w² (where the look-ahead formula is a heavy ball with β(1 − "
        "2·lr)) and over 500 updates on Rosenbrock's function.",
        ("lookahead-form", "lookahead-form-rosenbrock"),
        ("position",),
        _lookahead,
        "Two formulas that are equal in exact arithmetic differ by rounding only, which grows over a few hundred "
        "updates to far less than 1e-9. The number without the change of variables shows how far another formula is.",
    ),
    Lesson(
        "accumulation",
        ("B",),
        "Accumulating gradients over micro-batches equals one larger batch.",
        "FlipNet in float64, 4 micro-batches of 2 images against one batch of 8: all recorded numbers of 20 seeds "
        "agree to 1e-9.",
        ("accumulation", "accumulation-batch"),
        ("loss", "grad_norm", "update_norm", "distance_from_start"),
        _accumulation,
        "The mean of four means of two and the mean of eight are equal in exact arithmetic and differ by rounding "
        "only. Runs are instances here, not a sample.",
    ),
    Lesson(
        "adam-memory",
        ("B", "L"),
        "SGD keeps no state, momentum one buffer, Adam two per parameter.",
        "The numbers of the catalogue, which a test compares with the tensors of the engine; and whether a run "
        "records a velocity.",
        ("adam-memory",),
        ("velocity_norm",),
        _memory,
        "The statement counts the numbers that are stored for each parameter, so they are counted. One number for the "
        "whole network, such as a step counter, is none of them.",
    ),
)
