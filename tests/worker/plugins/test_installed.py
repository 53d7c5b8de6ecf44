"""Installed classes are read and tried: their hyper-parameters, which can be a kind, and which are elementwise."""

import pytest
import torch

from service.settings import InvalidSetting, Settings, get_settings
from tests.installed_classes import PATH, Normalised, Own, Replacing
from worker.plugins.installed import examine, find, installed, paths_by_kind
from worker.plugins.signature import Unfit


def test_numbers_and_flags_are_hyper_parameters_with_the_bounds_that_the_constructor_checks() -> None:
    offer = examine("own", Own, with_others=False).offer
    found = {one.name: one for one in offer.hyper_parameters}
    assert list(found) == ["beta1", "beta2", "eps", "every", "weight_decay", "centre"]
    assert [one.type for one in found.values()] == ["number", "number", "number", "integer", "number", "flag"]
    assert [one.default for one in found.values()] == [0.9, 0.5, 1e-8, 3, 0, False]
    assert (found["beta1"].ge, found["beta1"].lt) == (0, 1)
    assert (found["beta2"].ge, found["beta2"].le) == (0, 1)
    assert (found["eps"].gt, found["eps"].lt) == (0, None)
    assert found["weight_decay"].ge is None
    assert list(offer.left_out) == ["foreach", "maximize", "norm", "hook"]
    assert offer.left_out["norm"] == "its default is 'l2', no number"
    assert (offer.lr, offer.class_name, offer.state_per_parameter) == (0.02, "tests.Own", 1)


def test_a_class_is_elementwise_if_neighbours_and_shapes_change_nothing() -> None:
    own = examine("own", Own)
    assert own.offer.elementwise
    # A mean over the tensor is taken with the flag only.
    assert own.offer.run_by_run_with == ("centre",)
    assert own.plugin(["weight_decay"], run_by_run=False).run_by_run is False
    assert own.plugin(["centre"], run_by_run=False).run_by_run is True
    assert not examine("normalised", Normalised).offer.elementwise
    # Its step fails beside a run that diverges.
    assert not examine("replacing", Replacing).offer.elementwise


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Random", "its steps draw random numbers"),
        ("Forgetful", "its state_dict does not hold all of its state"),
        ("Shared", "the same steps are not the same again"),
        ("Asks", "its step fails on the tensors of a network: TypeError"),
        ("Unbounded", "its argument num_steps has no default"),
        ("Rateless", "it has no argument lr"),
        ("Fixed", "a change of its learning rate has no effect"),
        ("Averaged", "it takes gradients at another point than its result"),
        ("Callable", "it is no subclass of torch.optim.Optimizer"),
        ("Nothing", "it cannot be imported: AttributeError"),
    ],
)
def test_a_class_that_cannot_be_a_kind_is_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}"):
        examine("kind", find("kind", f"{PATH}:{name}"))


def test_a_name_of_ravine_is_taken() -> None:
    with pytest.raises(Unfit, match="the name is that of a kind of Ravine"):
        find("adam", "torch.optim:Adam")


def test_the_setting_names_kinds_and_what_cannot_be_one_leaves_the_others(caplog: pytest.LogCaptureFixture) -> None:
    setting = f"own={PATH}:Own, rateless={PATH}:Rateless,none=no_such_module:Own"
    assert Settings(optimizers=setting).optimizers == setting
    assert paths_by_kind(setting)["none"] == "no_such_module:Own"
    assert list(installed(setting)) == ["own"]
    said = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert said[0] == f"RAVINE_OPTIMIZERS: rateless={PATH}:Rateless is no kind: it has no argument lr"
    assert "No module named 'no_such_module'" in said[1]


@pytest.mark.parametrize("setting", ["own", "own=module", "Own=module:Own", "own=module:Own;foo=module:Foo", "=m:C"])
def test_a_setting_of_another_form_is_rejected_at_the_start(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAVINE_OPTIMIZERS", setting)
    get_settings.cache_clear()
    with pytest.raises(InvalidSetting, match="RAVINE_OPTIMIZERS"):
        get_settings()
    get_settings.cache_clear()


def test_the_package_of_a_class_is_named_with_its_version() -> None:
    assert examine("kind", torch.optim.Adagrad, with_others=False).offer.package == f"torch {torch.__version__}"
