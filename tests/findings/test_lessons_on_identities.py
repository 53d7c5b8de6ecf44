"""Verdicts of the lessons on the velocity and on identities between methods: one wrong number refutes them."""

import numpy as np
import pytest

from service.findings.lessons import LESSONS
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.identities import RECORDED
from service.spec.presets.parabola import CANCEL_BETAS, LOOKAHEAD_BETA, LOOKAHEAD_LR, WINDOW_BETAS
from tests.findings.made import Floats, heavy_ball, job, run


def verdict(name: str, *jobs: Evidence) -> str:
    return LESSONS[name].judge(dict(zip(LESSONS[name].presets, jobs, strict=True))).verdict


@pytest.mark.parametrize(("factor", "expected"), [(1, "holds"), (1.01, "fails")])
def test_the_window_and_the_cancelled_velocity_follow_their_formulas(factor: float, expected: str) -> None:
    window = [
        run("momentum", optimizer={"momentum": beta}, grad_norm=[1, 1], velocity_norm=[1, factor / (1 - beta)])
        for beta in WINDOW_BETAS
    ]
    assert verdict("window", job(window)).startswith(expected)
    cancel = [
        run(f"momentum {beta:g}", grad_norm=[1, 2], velocity_norm=[1, 2 * factor / (1 + beta)]) for beta in CANCEL_BETAS
    ]
    assert verdict("cancel", job(cancel)).startswith(expected)


def test_gradients_that_are_not_cleared_add_up_in_the_velocity() -> None:
    def found(*gradients: float) -> str:
        velocity = [0.0]
        for gradient in gradients:
            velocity.append(0.9 * velocity[-1] + gradient)
        flat = [0.9**k * velocity[-1] for k in range(1, 5)]
        norms = [*[2.0] * len(gradients), 0, 0, 0, 0, 0]
        return verdict("zero-grad", job([run("momentum", grad_norm=norms, velocity_norm=[*velocity, *flat])]))

    assert found(2, 2, 2) == "holds"
    assert found(2, 4, 6) == "fails: it is not true that each update uses its own gradient only"


def test_one_bit_refutes_that_momentum_zero_is_sgd() -> None:
    def runs(extra: float) -> Evidence:
        fields = {name: [0.5, 0.25] for name in RECORDED}
        return job([run("sgd", **fields), run("momentum", **{**fields, "loss": [0.5, 0.25 + extra]})])

    assert verdict("beta-zero", runs(0.0), runs(0.0)) == "holds"
    refuted = "fails: it is not true that all numbers are equal on "
    assert verdict("beta-zero", runs(1e-16), runs(0.0)) == f"{refuted}the ravine"
    assert verdict("beta-zero", runs(0.0), runs(1e-16)) == f"{refuted}FlipNet"


def in_the_form_of_torch(beta: float, num: int) -> Floats:
    """Nesterov's method of PyTorch on Rosenbrock's function at rate 0.0005."""
    w, velocity, path = np.array([-1.2, 1.0]), np.zeros(2), []
    for _ in range(num):
        path.append(w)
        x, y = w
        gradient = np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])
        velocity = beta * velocity + gradient
        w = w - 0.0005 * (gradient + beta * velocity)
    return np.array(path)


@pytest.mark.parametrize(("beta", "expected"), [(0.9, "holds"), (0.89, "fails: it is not true that they agree on Ros")])
def test_the_two_forms_of_nesterov_agree_only_with_the_same_momentum(beta: float, expected: str) -> None:
    torch = heavy_ball([5], [2], LOOKAHEAD_LR, LOOKAHEAD_BETA, 300, nesterov=True)
    ahead = heavy_ball([5], [2], LOOKAHEAD_LR, LOOKAHEAD_BETA * (1 - 2 * LOOKAHEAD_LR), 300)
    parabola = job([run("torch", position=torch), run("look-ahead", position=ahead)])
    rosenbrock = job([run("torch", position=in_the_form_of_torch(beta, 501))])
    assert verdict("lookahead-form", parabola, rosenbrock).startswith(expected)


@pytest.mark.parametrize(("gap", "expected"), [(1e-12, "holds"), (1e-6, "fails")])
def test_accumulation_equals_a_larger_batch_up_to_rounding(gap: float, expected: str) -> None:
    fields = {name: [0.5, 0.25] for name in LESSONS["accumulation"].fields}
    other = {**fields, "grad_norm": [0.5, 0.25 + gap]}
    assert verdict("accumulation", job([run(**fields)]), job([run(**other)])).startswith(expected)


@pytest.mark.parametrize(("of_sgd", "expected"), [(np.nan, "holds"), (1.0, "fails: velocities recorded in a run: SGD")])
def test_a_velocity_of_sgd_refutes_that_it_keeps_no_state(of_sgd: float, expected: str) -> None:
    runs = [run("sgd", velocity_norm=[of_sgd]), run("momentum", velocity_norm=[1.0])]
    assert verdict("adam-memory", job(runs)).startswith(expected)
