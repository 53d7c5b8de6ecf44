"""Closed forms of theory, against iteration matrices, a table of the literature, and runs of the engine."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.analysis import stability
from service.analysis.stability import LinearMethod, best_settings, critical_momentum, linear_method
from tests.groups import group_runs
from worker.engine.problems import Quadratic
from worker.engine.trainer import Plan, Trainer

MU, L = 2.0, 20.0  # The ravine's curvatures.
KINDS = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "dampened": {"momentum": 0.9, "dampening": 0.9},
    "nesterov": {"momentum": 0.9},
    "quasi_hyperbolic": {"momentum": 0.9, "nu": 0.7},
}
betas = st.floats(0, 0.99)
steps = st.floats(1e-3, 5)


def method(kind: str, **settings: float) -> LinearMethod:
    found = linear_method("momentum" if kind == "dampened" else kind, {**KINDS[kind], **settings})
    assert found is not None
    return found


def iteration_matrix(kind: str, beta: float, step: float) -> np.ndarray:
    """One update of (w, v) on ½λw² with lr·λ = step, from the update rules (v scaled by lr)."""
    b = beta
    return np.array({
        "sgd": [[1 - step, 0], [0, 0]],
        "momentum": [[1 - step, -b], [step, b]],
        "dampened": [[1 - 0.1 * step, -b], [0.1 * step, b]],
        "nesterov": [[1 - step * (1 + b), -b * b], [step, b]],
        "quasi_hyperbolic": [[1 - step * (0.3 + 0.7 * (1 - b)), -0.7 * b], [(1 - b) * step, b]],
    }[kind], dtype=float)  # fmt: skip


def spectral_radius(kind: str, beta: float, step: float) -> float:
    return float(np.abs(np.linalg.eigvals(iteration_matrix(kind, beta, step))).max())


@given(st.sampled_from(sorted(KINDS)), st.floats(0.01, 0.99), steps)
def test_the_contraction_is_the_spectral_radius_of_the_iteration_matrix(kind: str, beta: float, step: float) -> None:
    expected = spectral_radius(kind, 0.0 if kind == "sgd" else beta, step)
    ours = method(kind, **({} if kind == "sgd" else {"momentum": beta, "dampening": 0.9 if kind == "dampened" else 0}))
    # At a double root the eigenvalues of a matrix carry the root of the rounding error.
    assert ours.contraction(step) == pytest.approx(expected, rel=1e-6, abs=1e-7)


@given(st.sampled_from(sorted(KINDS)), st.floats(0.01, 0.99), st.floats(0.01, 1.99))
def test_a_step_is_stable_exactly_inside_the_limit(kind: str, beta: float, share: float) -> None:
    assume(abs(share - 1) > 1e-3)
    beta = 0.0 if kind == "sgd" else beta
    limit = method(kind, momentum=beta, dampening=0.9 if kind == "dampened" else 0).largest_step
    assert (spectral_radius(kind, beta, share * limit) < 1) == (share < 1)


def test_the_limits_on_the_ravine_are_those_of_the_table() -> None:
    assert method("sgd").lr_limit(L) == pytest.approx(0.1)
    assert [method("momentum", momentum=b).lr_limit(L) for b in (0.9, 0.5, 0.99)] == pytest.approx([0.19, 0.15, 0.199])
    assert [method("nesterov", momentum=b).lr_limit(L) for b in (0.9, 0.5)] == pytest.approx(
        [0.0678571, 0.075], abs=5e-8
    )
    assert method("dampened").lr_limit(L) == pytest.approx(1.9)
    assert method("momentum").lr_limit(0.0) == math.inf
    assert method("momentum").lr_limit(-2.0) == 0


def test_gradient_descent_oscillates_above_half_its_limit_and_not_below() -> None:
    assert not method("sgd").oscillates(0.049, L)
    assert method("sgd").oscillates(0.051, L)
    assert method("sgd").contraction(0.05 * L) == pytest.approx(0, abs=1e-12)
    assert method("sgd").contraction(0.1 * L) == pytest.approx(1)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("sgd", (0.0909091, 0, 0.8181818)),
        ("momentum", (0.1154431, 0.2698739, 0.5194939)),
        ("nesterov", (0.0645161, 0.4714423, 0.6407894)),
    ],
)
def test_the_best_settings_on_the_ravine_are_those_of_the_table(kind: str, expected: tuple[float, ...]) -> None:
    best = best_settings(kind, MU, L)
    assert best is not None
    assert (best.lr, best.momentum, best.rate) == pytest.approx(expected, abs=5e-8)


@given(st.floats(1.5, 1e6), st.sampled_from(["sgd", "momentum", "nesterov"]), st.floats(0.8, 1.2), st.floats(-0.1, 0.1))
def test_no_setting_nearby_is_better_than_the_best(condition: float, kind: str, share: float, shift: float) -> None:
    best = best_settings(kind, 1.0, condition)
    assert best is not None
    curvatures = np.geomspace(1, condition, 60)

    def worst(lr: float, momentum: float) -> float:
        return method(kind, momentum=0.0 if kind == "sgd" else momentum).rate(lr, curvatures)

    # The best point has double roots, where a rounding error enters as its square root.
    assert worst(best.lr, best.momentum) == pytest.approx(best.rate, abs=2e-6)
    assert worst(best.lr * share, min(max(best.momentum + shift, 0), 0.9999)) >= best.rate - 2e-6


def test_the_critical_momenta_are_those_of_the_table() -> None:
    assert critical_momentum("momentum", {"lr": 0.25}, [1.0]) == pytest.approx(0.25)
    assert critical_momentum("nesterov", {"lr": 0.04}, [1.0]) == pytest.approx(2 / 3)
    assert critical_momentum("sgd", {"lr": 0.25}, [1.0]) is None


CRITICAL = {"momentum": {"dampening": 0.0}, "dampened": {"dampening": 0.9}, "nesterov": {}, "quasi_hyperbolic": {}}


@given(st.sampled_from(sorted(CRITICAL)), st.floats(1e-3, 0.9))
def test_a_run_oscillates_above_the_critical_momentum_and_not_below(kind: str, step: float) -> None:
    known = "momentum" if kind == "dampened" else kind
    critical = critical_momentum(known, {"lr": step, **CRITICAL[kind]}, [1.0])
    assert critical is not None
    assume(1e-3 < critical < 0.989)
    below, above = (method(kind, momentum=critical + shift, **CRITICAL[kind]) for shift in (-1e-3, 1e-3))
    assert above.oscillates(step, 1.0)
    assert not below.oscillates(step, 1.0)


def test_dampening_raises_the_critical_momentum() -> None:
    # p·s = 0.1·0.25.
    assert critical_momentum("momentum", {"lr": 0.25, "dampening": 0.9}, [1.0]) == pytest.approx(
        (1 - math.sqrt(0.025)) ** 2
    )
    assert critical_momentum("sgd", {"lr": 0.25, "momentum": 0.5}, [1.0]) == pytest.approx(0.25)


@given(
    st.sampled_from(sorted(CRITICAL)),
    st.lists(st.floats(1, 50), min_size=1, max_size=3),
    st.floats(0.01, 3.5),
)
def test_no_momentum_is_faster_than_the_critical_one(kind: str, curvatures: list[float], share: float) -> None:
    lr, known = share / max(curvatures), "momentum" if kind == "dampened" else kind
    critical = critical_momentum(known, {"lr": lr, **CRITICAL[kind]}, curvatures)
    assume(critical is not None and critical > 0)
    rates = [
        method(kind, momentum=beta, **CRITICAL[kind]).rate(lr, curvatures)
        for beta in [critical, *np.linspace(0.001, 0.999, 200)]
    ]
    assert rates[0] <= min(rates) + 1e-5


def test_oscillating_roots_have_the_modulus_of_the_table() -> None:
    assert method("momentum").contraction(0.5) == pytest.approx(math.sqrt(0.9)) == pytest.approx(0.9486833, abs=5e-8)
    assert method("nesterov").contraction(0.5) == pytest.approx(math.sqrt(0.9 * 0.5))


def test_the_stationary_variances_are_those_of_the_table() -> None:
    found = [method(kind).variance(0.05, 2.0, 1.0) for kind in ("sgd", "momentum", "nesterov")]
    assert found == pytest.approx([0.0131579, 0.1283784, 0.0804426], abs=5e-8)
    loss = method("momentum").stationary_loss(0.05, [2.0, 2.0], 3.0, batch_size=4)
    assert loss == pytest.approx(2 * 0.5 * 2 * 0.12837838 * 9 / 4)


def test_weight_decay_contracts_the_iteration_and_the_loss_has_the_curvature_without_it() -> None:
    # Variance lr·σ²/(Λ·(2 − lr·Λ)) with Λ = 2 + 3; the recorded loss is half of 2 times that.
    variance = 0.05 / (5 * (2 - 0.05 * 5))
    loss = method("sgd").stationary_loss(0.05, [2.0], 1.0, 2, accumulate=3, weight_decay=3.0)
    assert loss == pytest.approx(variance / 6)
    assert stability.sharpness_ceiling("sgd", {"lr": 0.1, "weight_decay": 3.0}) == pytest.approx(17)


@given(st.sampled_from(sorted(KINDS)), st.floats(0.01, 0.95), st.floats(0.05, 0.9), st.floats(0.1, 50))
def test_the_stationary_variance_solves_lyapunovs_equation(kind: str, beta: float, share: float, value: float) -> None:
    ours = method(kind, **({} if kind == "sgd" else {"momentum": beta, "dampening": 0.9 if kind == "dampened" else 0}))
    step = share * ours.largest_step
    lr = step / value
    matrix = iteration_matrix(kind, 0.0 if kind == "sgd" else beta, step)
    # The noise enters as the gradient does: as a change of λ·w, in both rows.
    entering = (matrix[:, 0] - np.array([1.0, 0.0])) / value
    stationary = np.linalg.solve(np.eye(4) - np.kron(matrix, matrix), np.outer(entering, entering).ravel())
    assert ours.variance(lr, value, 1.0) == pytest.approx(stationary[0], rel=1e-6)


def test_outside_the_limit_the_stationary_variance_is_infinite() -> None:
    assert method("sgd").variance(0.11, L, 1.0) == math.inf


def test_the_sharpness_ceilings_are_those_of_the_table() -> None:
    lr = 0.01
    assert stability.sharpness_ceiling("sgd", {"lr": lr}) == pytest.approx(2 / lr)
    assert stability.sharpness_ceiling("momentum", {"lr": lr, "momentum": 0.9}) == pytest.approx(3.8 / lr)
    assert stability.sharpness_ceiling("nesterov", {"lr": lr, "momentum": 0.9}) == pytest.approx(3.8 / 2.8 / lr)
    assert stability.sharpness_ceiling("adam", {"lr": lr, "beta1": 0.9}) == pytest.approx(38 / lr)
    assert stability.sharpness_ceiling("lion", {"lr": lr}) is None
    # With a constant preconditioner, Adam is the heavy ball with averaged gradients.
    for beta in (0.5, 0.9, 0.99):
        averaged = method("dampened", momentum=beta, dampening=beta).sharpness_ceiling(lr)
        assert stability.sharpness_ceiling("adam", {"lr": lr, "beta1": beta}) == pytest.approx(averaged)


@pytest.mark.parametrize("offset", [1e-1, 1e-3, 1e-9])
def test_a_saddle_is_left_after_the_number_of_updates_of_the_table(offset: float) -> None:
    assert stability.updates_to_escape(0.01, -2, offset, 1.0) == math.ceil(math.log(1 / offset) / math.log(1.02))
    assert stability.updates_to_escape(0.01, -2, 0.0, 1.0) == math.inf


def test_a_spectrum_without_a_minimum_has_no_best_settings() -> None:
    with pytest.raises(ValueError, match="smallest"):
        best_settings("sgd", -2.0, 2.0)


@pytest.mark.slow
def test_runs_of_the_engine_converge_at_the_rate_of_theory() -> None:
    conditions, shares, num_epochs = (3.0, 30.0, 300.0), (0.2, 0.6, 0.9), 3000
    for condition in conditions:
        optimizers, rates = [], []
        for kind, settings in KINDS.items():
            for share in shares:
                lr = share * method(kind).largest_step / condition
                optimizers.append(("momentum" if kind == "dampened" else kind, {"lr": lr, **settings}))
                rates.append(method(kind).rate(lr, [1.0, condition]))
        num = len(optimizers)
        problem = Quadratic(np.array([1.0, condition]), np.ones((num, 2)), np.zeros(num, int))
        trainer = Trainer(Plan(problem, group_runs(optimizers, range(num)), num_epochs))
        fields = trainer.fields
        distance = np.stack([e.values_FR[fields.index("distance_to_minimum")] for e in trainer.run()])
        for run, rate in enumerate(rates):
            # Long enough for the slowest root to dominate, short enough to stay above rounding errors.
            end = min(num_epochs, int(math.log(1e-100) / math.log(rate)))
            begin = end // 2
            # The envelope of an oscillation: the largest distance within a window at both ends.
            window = max(1, min(end - begin, 200) // 2)
            early, late = (distance[at : at + window, run].max() for at in (begin, end - window))
            measured = (late / early) ** (1 / (end - window - begin))
            assert measured == pytest.approx(rate, abs=5e-3), (condition, optimizers[run])
