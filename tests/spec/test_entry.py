"""Hyper-parameters and flags of an entry follow from the annotations of its fields."""

from typing import Literal

import pytest

from service.spec.entry import Entry, WeightDecay
from service.spec.optimizers import OPTIMIZERS


class Cautious(Entry):
    """A kind with a hyper-parameter and a flag of its own."""

    kind: Literal["cautious"]
    weight_decay: WeightDecay = 0.0
    masked: bool = True


def test_a_new_bool_field_is_a_flag_and_no_grid() -> None:
    entry = Cautious(kind="cautious", lr=0.1, weight_decay=[0.0, 0.1])
    assert entry.flags() == {"maximize": False, "masked": True}
    assert entry.grids() == {"lr": 0.1, "weight_decay": [0.0, 0.1]}


def test_a_field_that_is_neither_grid_nor_flag_is_refused() -> None:
    with pytest.raises(TypeError, match="power"):

        class Powerful(Entry):
            kind: Literal["powerful"]
            power: float = 2.0


@pytest.mark.parametrize("member", OPTIMIZERS)
def test_every_field_of_a_kind_is_in_exactly_one_of_its_parts(member: type[Entry]) -> None:
    shared = {"kind", "label", "clip_norm", "clip_value", "schedule", "momentum_schedule"}
    assert sorted([*member.grid_names, *member.flag_names, *member.other_names, *shared]) == sorted(member.model_fields)
