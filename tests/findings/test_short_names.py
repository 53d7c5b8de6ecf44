"""Short names of optimizers: in sentences, figures and choices."""

from service.findings.comparison.words import spoken, spoken_all
from service.spec.optimizers import BUILT_IN


def test_every_kind_has_a_short_name_of_its_own_without_underscores() -> None:
    names = [kind.short_name for kind in BUILT_IN]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 20 and "_" not in name for name in names)
    assert {"SGD", "QHM", "Adam", "Schedule-free SGD", "signSGD"} <= set(names)


def test_labels_of_the_service_are_spoken_by_name_and_those_of_users_are_kept() -> None:
    said = {
        "sgd": "SGD",
        "sgd lr=0.0888623816274": "SGD lr=0.0889",
        "quasi_hyperbolic lr=1e-05 nu=0.7": "QHM lr=10⁻⁵ nu=0.7",
        "momentum, a tenth of the rate": "momentum, a tenth of the rate",
        "sgd with luck": "sgd with luck",
        "mine": "mine",
    }
    assert [spoken(label) for label in said] == list(said.values())


def test_labels_that_would_be_spoken_alike_are_kept_apart() -> None:
    assert spoken_all(["sgd", "SGD", "adam"]) == ["sgd", "SGD", "Adam"]
