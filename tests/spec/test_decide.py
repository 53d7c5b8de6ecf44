"""A spec that decides: its defaults, what it refuses, and the order of its runs."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from service.spec.batches import batches_of, price_at_most
from service.spec.job import JobSpec
from service.spec.layout import BySeed, BySetting
from service.spec.price import price
from service.spec.runs import Runs

TWO = [{"label": "a", "kind": "sgd", "lr": 0.1}, {"label": "b", "kind": "adam", "lr": 0.01}]
FLIPNET: dict[str, Any] = {"problem": {"kind": "flipnet"}, "optimizers": TWO, "decide": {}}
NOISY = {"kind": "surface", "name": "ravine", "noise": 1.0, "starts": [[1, 1], [2, 2], [3, 3]]}


def spec_of(**changes: Any) -> JobSpec:
    return JobSpec.model_validate({**FLIPNET, **changes})


def test_the_first_seeds_are_a_batch_by_default() -> None:
    assert spec_of().as_dict()["seeds"] == {"first": 0, "count": 10}
    assert spec_of(decide={"batch": 4}, seeds={"first": 7}).as_dict()["seeds"] == {"first": 7, "count": 4}
    assert spec_of(seeds={"first": 7, "count": 30}).as_dict()["seeds"] == {"first": 7, "count": 30}


def test_a_spec_without_decide_is_stored_as_before_and_one_with_it_again_as_itself() -> None:
    assert "decide" not in spec_of(decide=None).as_dict()
    whole = spec_of(decide={"margin": 0.1})
    assert whole.as_dict()["decide"] == {
        "margin": 0.1,
        "margin_kind": "relative",
        "confidence": 0.95,
        "max_seeds": 500,
        "batch": 10,
        "against": "baseline",
    }
    assert JobSpec.model_validate(whole.as_dict()).digest() == whole.digest() != spec_of().digest()


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"seeds": [1, 2]}, ("seeds",), "not a list"),
        ({"optimizers": TWO[:1]}, ("optimizers",), "at least two labels"),
        ({"optimizers": [TWO[0], "adam"], "decide": {"max_seeds": 10}}, ("decide", "max_seeds"), "more than"),
        ({"criterion": "epochs_to_target"}, ("target_loss",), "must be given"),
        ({"problem": {"kind": "surface", "name": "ravine"}}, ("problem",), "nothing is drawn by the seed"),
        ({"decide": {"max_seeds": 9}}, ("decide", "max_seeds"), "at least seeds.count, 10"),
        ({"decide": {"max_seeds": 5_000, "batch": 1}}, ("decide", "batch"), "make 'batch' larger"),
        ({"seeds": {"first": 2**32 - 100}}, ("decide", "max_seeds"), "the last seed"),
        (
            {"problem": {"kind": "surface", "expression": "x**2+y**2-1", "start": [1, 1], "noise": 1.0}},
            ("decide", "margin_kind"),
            "absolute",
        ),
    ],
)
def test_a_spec_that_cannot_decide_is_refused_where_it_is_wrong(
    changes: dict[str, Any], place: tuple[str | int, ...], words: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        spec_of(**changes)
    (error,) = [one for one in caught.value.errors() if one["loc"] == place]
    assert words in error["msg"]


def test_an_absolute_margin_an_accuracy_and_random_starts_are_accepted() -> None:
    formula = {"kind": "surface", "expression": "x**2+y**2-1", "start": [1, 1], "noise": 1.0}
    spec_of(problem=formula, decide={"margin": 0.1, "margin_kind": "absolute"})
    spec_of(problem={"kind": "digits"}, criterion="test_accuracy")
    spec_of(problem={"kind": "surface", "name": "ravine", "starts": {"random": 1}})
    spec_of(criterion="epochs_to_target", target_loss=0.1)


def test_runs_nest_seeds_optimizers_and_starts_so_that_more_seeds_change_no_index() -> None:
    spec = spec_of(problem=NOISY, decide={"batch": 2}, seeds={"first": 5})
    few, many = Runs(spec), Runs(spec, 7)
    assert (len(few), len(many)) == (2 * 2 * 3, 7 * 2 * 3)
    found = [(run.seed, run.label, run.start) for run in map(few.__getitem__, range(len(few)))]
    assert found == [
        (seed, label, start) for seed in (5, 6) for label in ("a", "b") for start in ([1, 1], [2, 2], [3, 3])
    ]
    assert [many[index] for index in range(len(few))] == [few[index] for index in range(len(few))]
    assert list(few.labelled("b")) == [(3, 6), (9, 12)]


@pytest.mark.parametrize(
    "layout",
    [
        BySetting(num_settings=5, num_seeds=4, num_starts=3),
        BySeed(num_settings=5, num_seeds=4, num_starts=3, num_choosing=0, chosen=(0, 1, 2, 3, 4)),
        BySeed(num_settings=5, num_seeds=7, num_starts=2, num_choosing=3, chosen=(1, 4)),
    ],
)
def test_every_index_has_one_place_and_every_place_its_index(layout: BySetting | BySeed) -> None:
    index_R = np.arange(len(layout))
    setting_R, seed_R, start_R = layout.places(index_R)
    np.testing.assert_array_equal(layout.indices(setting_R, seed_R, start_R), index_R)
    assert len({*zip(setting_R.tolist(), seed_R.tolist(), start_R.tolist(), strict=True)}) == len(layout)
    for setting in range(5):
        of_setting = [index for first, end in layout.ranges(setting, setting + 1) for index in range(first, end)]
        assert of_setting == np.flatnonzero(setting_R == setting).tolist()


def test_later_seeds_have_the_chosen_settings_only() -> None:
    layout = BySeed(num_settings=5, num_seeds=7, num_starts=2, num_choosing=3, chosen=(1, 4))
    assert len(layout) == 2 * (3 * 5 + 4 * 2)
    assert layout.indices(np.array([0, 1]), np.array([3, 3]), np.array([1, 1])).tolist() == [-1, 31]


def test_a_batch_ends_at_a_look_and_the_last_one_at_max_seeds() -> None:
    batches = batches_of(spec_of(problem=NOISY, decide={"batch": 4, "max_seeds": 15}, seeds={"count": 6}))
    looks = [6]
    while looks[-1] < batches.max_seeds:
        looks.append(batches.next_look(looks[-1]))
    assert looks == [6, 10, 14, 15]
    assert [batches.seeds(batches.runs(num)) for num in looks] == looks
    # Continued: the batch that max_seeds has cut ends where it would have ended.
    longer = batches_of(spec_of(decide={"batch": 4, "max_seeds": 15}, seeds={"count": 6}), 30)
    assert longer.next_look(15) == 18


def test_the_price_is_that_of_the_first_seeds_and_limits_are_for_the_most() -> None:
    spec = spec_of(problem=NOISY)
    assert price(spec).runs_total == 10 * 2 * 3
    assert price_at_most(spec).runs_total == 500 * 2 * 3
    plain = spec_of(problem=NOISY, decide=None)
    assert price_at_most(plain) == price(plain)


def test_an_update_rule_that_draws_numbers_is_drawn_by_the_seed() -> None:
    problem = {"kind": "surface", "name": "ravine", "start": [1.0, 1.0]}
    rules = [{"kind": "formula", "label": label, "lr": 0.01, "update": [f"w = w - lr*(g + {scale}*normal)"]}
             for label, scale in (("quiet", 0.1), ("loud", 1))]  # fmt: skip
    written = {"problem": problem, "epochs": 5, "decide": {"margin": 0.05}}
    assert JobSpec.model_validate({**written, "optimizers": rules}).decide is not None
    with pytest.raises(ValidationError, match="nothing is drawn by the seed"):
        JobSpec.model_validate({**written, "optimizers": [{"kind": "sgd", "lr": 0.1}, {"kind": "adam", "lr": 0.1}]})
