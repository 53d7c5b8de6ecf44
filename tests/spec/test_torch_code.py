"""The line of PyTorch for a setting: it makes an optimizer that steps as the engine does."""

import ast
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import pytorch_optimizer
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from service.spec.entry_settings import EntrySettings
from service.spec.torch_code import torch_code
from tests.groups import ENTRIES, group_runs
from tests.worker.engine.hyper_parameters import UNITS, drawn, scaled
from tests.worker.engine.training import assert_equal, final_weights, flat, flipnet_loss, torch_update
from worker.engine.networks.flipnet import SHAPES, initial_weights
from worker.engine.problems import FlipNet
from worker.engine.trainer import Plan, Trainer

WRITTEN = [kind for kind in ENTRIES if kind != "lamb"]
STEPS = 5
# Values that are 0 or 1, at the bounds of most hyper-parameters.
BOUNDS = (0.0, 1.0)


class Together:
    """The optimizers of a line, as one."""

    def __init__(self, made: Any) -> None:
        self.parts = made if isinstance(made, tuple) else (made,)

    def zero_grad(self) -> None:
        for part in self.parts:
            part.zero_grad()

    def step(self) -> None:
        for part in self.parts:
            part.step()


def code_of(kind: str, **values: Any) -> str:
    """The line of an entry with one setting, from the dictionary that the API shows."""
    entry = ENTRIES[kind].model_validate({"kind": kind, **values})
    code = torch_code(EntrySettings.of(entry).optimizer(0))
    assert code is not None
    assert "\n" not in code
    return code


def network() -> torch.nn.Module:
    """FlipNet's parameters of seed 0, in float64."""
    pieces = initial_weights(0).double().split([torch.Size(shape).numel() for shape in SHAPES])
    return torch.nn.ParameterList(
        torch.nn.Parameter(piece.clone().view(shape)) for piece, shape in zip(pieces, SHAPES, strict=True)
    )


def made(code: str, model: torch.nn.Module) -> Together:
    return Together(eval(code, {"torch": torch, "pytorch_optimizer": pytorch_optimizer, "model": model}))


def weights_of(
    code: str, loss_of: Callable[[torch.Tensor], torch.Tensor], before_step: Callable[..., Any] | None = None
) -> torch.Tensor:
    """FlipNet's weights after some steps of the optimizer that the code makes."""
    model = network()
    parameters, optimizer = list(model.parameters()), made(code, model)
    if before_step is not None:
        step = optimizer.step
        optimizer.step = lambda: (before_step(parameters), step())
    for _ in range(STEPS):
        torch_update(parameters, optimizer, loss_of)
    return flat(parameters).detach()


def assert_steps_as_the_engine(kind: str, values: Mapping[str, Any]) -> None:
    found = weights_of(code_of(kind, **values), flipnet_loss(range(16)))
    assert_equal(final_weights(FlipNet([0], batch_size="full"), [(kind, values)], STEPS)[:, 0], found)


@pytest.fixture
def exact(monkeypatch):
    """torch's Muon iterates in bfloat16; here in the dtype of the weights."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)


def test_sgd_needs_its_rate_only():
    assert code_of("sgd", lr=0.05) == "torch.optim.SGD(model.parameters(), lr=0.05)"


def test_nesterov_is_sgd_with_a_flag():
    line = "torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)"
    assert code_of("nesterov", lr=0.05) == line


def test_nesterov_without_momentum_is_sgd_because_torch_rejects_the_flag():
    assert code_of("nesterov", lr=0.05, momentum=0) == "torch.optim.SGD(model.parameters(), lr=0.05)"


def test_betas_are_a_tuple():
    line = "torch.optim.AdamW(model.parameters(), lr=0.001, betas=(0.9, 0.98), weight_decay=0.1, amsgrad=True)"
    assert code_of("adamw", lr=0.001, beta2=0.98, weight_decay=0.1, amsgrad=True) == line


def test_numbers_have_12_significant_digits_at_most():
    line = "torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.333333333333)"
    assert code_of("sgd", lr=0.1 + 0.2, momentum=1 / 3) == line


def test_each_setting_of_a_grid_has_its_line():
    entry = ENTRIES["adam"].model_validate(
        {"kind": "adam", "lr": {"from": 0.001, "to": 0.1, "num": 3, "scale": "log"}, "beta1": [0.9, 0.5]}
    )
    lines = [torch_code(EntrySettings.of(entry).optimizer(setting)) for setting in (0, 3)]
    assert lines == [
        "torch.optim.Adam(model.parameters(), lr=0.001)",
        "torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.5, 0.999))",
    ]


def test_every_kind_has_a_class_except_those_without_an_equal():
    for kind in ENTRIES:
        code = torch_code(EntrySettings.of(ENTRIES[kind].model_validate({"kind": kind, "lr": 0.1})).optimizer(0))
        assert (code is None) == (kind == "lamb"), kind


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("kind", WRITTEN)
def test_defaults_step_as_the_engine_does(kind, maximize):
    values = {"lr": 0.01 * UNITS.get(kind, 1.0), "maximize": maximize}
    if kind == "muon" and maximize:
        code, loss_of = code_of(kind, **values), flipnet_loss(range(16))
        assert "# minimise the negative loss; " in code
        found = weights_of(code, lambda weights: -loss_of(weights))
        assert_equal(final_weights(FlipNet([0], batch_size="full"), [(kind, values)], STEPS)[:, 0], found)
    else:
        assert_steps_as_the_engine(kind, values)


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("kind", WRITTEN)
@settings(max_examples=2, deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_other_settings_step_as_the_engine_does(kind, data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
        for _, values in scaled(kind, "flipnet", data.draw(drawn(kind))):
            assert_steps_as_the_engine(kind, values)


@pytest.mark.parametrize("kind", WRITTEN)
def test_values_at_the_bounds_of_the_spec_are_accepted_by_torch(kind):
    allowed = 0
    for name in ENTRIES[kind].grid_names:
        for bound in BOUNDS:
            try:
                code = code_of(kind, **{"lr": 0.1, name: bound})
            except ValidationError:
                continue
            made(code, network())
            allowed += 1
    assert allowed > 0


@pytest.mark.parametrize("kind", WRITTEN)
def test_an_argument_with_the_default_of_the_class_is_not_written(kind):
    entry = ENTRIES[kind]
    lines = [code_of(kind, lr=0.1)]
    lines += [code_of(kind, **{"lr": 0.1, flag: True}) for flag in entry.flag_names]
    for code in lines:
        tree = ast.parse(code, mode="eval").body
        for call in tree.elts if isinstance(tree, ast.Tuple) else [tree]:
            class_ = eval(ast.unparse(call.func), {"torch": torch, "pytorch_optimizer": pytorch_optimizer})
            parameters = inspect.signature(class_).parameters
            for keyword in call.keywords:
                value = ast.literal_eval(keyword.value)
                assert keyword.arg == "lr" or value != parameters[keyword.arg].default, code


def test_clipping_is_a_comment_in_the_order_of_the_engine():
    values = {"lr": 0.5, "clip_value": 0.05, "clip_norm": 0.1}
    code = code_of("sgd", **values)
    assert code == (
        "torch.optim.SGD(model.parameters(), lr=0.5)"
        "  # clip gradients to ±0.05 by value, then to norm 0.1 before each step"
    )
    assert code_of("sgd", lr=0.5, clip_norm=1.0).endswith("  # clip gradients to norm 1 before each step")

    def clip(parameters):
        torch.nn.utils.clip_grad_value_(parameters, 0.05)
        torch.nn.utils.clip_grad_norm_(parameters, 0.1)

    clipped = weights_of(code, flipnet_loss(range(16)), clip)
    trainer = Trainer(Plan(FlipNet([0], batch_size="full"), group_runs([("sgd", values)], [0]), STEPS))
    list(trainer.run())
    assert_equal(trainer.checkpoint()["weights"][:, 0], clipped)
    assert not torch.allclose(clipped, weights_of(code, flipnet_loss(range(16))))


def test_schedules_are_comments_with_their_parameters():
    code = code_of(
        "adam",
        lr=0.1,
        clip_norm=1,
        schedule={"kind": "cosine", "warmup_steps": 10, "final_fraction": 0.1},
        momentum_schedule={"kind": "one_cycle", "anneal_strategy": "linear"},
    )
    assert code == (
        "torch.optim.Adam(model.parameters(), lr=0.1)  # clip gradients to norm 1 before each step; "
        "cosine schedule (warmup_steps=10, final_fraction=0.1); "
        "one cycle schedule of beta1 (anneal_strategy='linear')"
    )
    assert code_of("sgd", lr=0.1, schedule={"kind": "cosine"}).endswith(")  # cosine schedule")
    piecewise = {"kind": "piecewise", "boundaries": [10, 20], "factors": [0.1 + 0.2, 0.1]}
    assert code_of("sgd", lr=0.1, schedule=piecewise).endswith("(boundaries=[10, 20], factors=[0.3, 0.1])")


def test_a_constant_schedule_is_a_comment_only_with_a_warm_up():
    assert "#" not in code_of("sgd", lr=0.1, schedule={"kind": "constant", "per": "epoch"})
    warm_up = {"kind": "constant", "warmup_steps": 5}
    assert code_of("sgd", lr=0.1, schedule=warm_up).endswith(")  # constant schedule (warmup_steps=5)")


def test_muon_is_a_pair_of_optimizers_for_matrices_and_for_other_parameters():
    code = code_of("muon", lr=0.02, match_rms_adamw=True, adamw_lr=0.002)
    assert code == (
        "(torch.optim.Muon([p for p in model.parameters() if p.ndim == 2], lr=0.02, adjust_lr_fn='match_rms_adamw'), "
        "torch.optim.AdamW([p for p in model.parameters() if p.ndim != 2], lr=0.002))"
        "  # step both optimizers; torch orthogonalizes in bfloat16"
    )


@pytest.mark.parametrize("kind", ["asgd", "schedule_free_sgd", "schedule_free_adamw"])
def test_the_point_to_evaluate_is_a_comment_where_it_is_not_the_parameters(kind):
    expected = "the mean 'ax'" if kind == "asgd" else "eval() before an evaluation"
    assert expected in code_of(kind, lr=0.1).partition("  # ")[2]
