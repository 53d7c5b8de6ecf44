"""Update rules of users: names, assignments, limits, and where an invalid one is refused."""

import time
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from service.findings.reports.spaces import space_of
from service.spec.entry_settings import EntrySettings
from service.spec.formulas.grammar import update_grammar
from service.spec.formulas.update_rule import MAX_NODES, RuleError, parse_rule
from service.spec.job import JobSpec
from service.spec.optimizers.formula import Formula
from service.spec.price import price
from service.spec.runs import Runs
from service.spec.torch_code import torch_code
from tests.effort import calls_of

ADAM: dict[str, Any] = {
    "kind": "formula",
    "label": "my adam",
    "lr": 0.01,
    "state": {"m": 0, "v": 0},
    "parameters": {"beta1": 0.9, "beta2": {"from": 0.9, "to": 0.999, "num": 5}, "eps": 1e-8},
    "update": [
        "m = beta1*m + (1 - beta1)*g",
        "v = beta2*v + (1 - beta2)*g**2",
        "w = w - lr * (m/(1 - beta1**t)) / (sqrt(v/(1 - beta2**t)) + eps)",
    ],
}
SGD: dict[str, Any] = {"kind": "formula", "lr": 0.1, "update": ["w = w - lr*g"]}


def spec(*entries: dict[str, Any], **changes: Any) -> JobSpec:
    return JobSpec.model_validate({"problem": {"kind": "flipnet"}, "optimizers": list(entries), "epochs": 2, **changes})


def errors(**changes: Any) -> list[tuple[tuple[Any, ...], str]]:
    with pytest.raises(ValidationError) as refused:
        spec({**SGD, "label": "own"}, {**SGD, **changes})
    return [(error["loc"], error["msg"]) for error in refused.value.errors()]


def test_parameters_are_axes_with_their_bare_names_and_nested_in_answers() -> None:
    runs = Runs(spec(ADAM))
    assert [runs[index].label for index in (0, 4)] == ["my adam beta2=0.9", "my adam beta2=0.999"]
    shown = runs[4].optimizer
    assert shown["parameters"] == {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    assert shown["lr"] == 0.01
    assert shown["state"] == {"m": 0.0, "v": 0.0}
    assert "beta2" not in shown
    # What an answer shows is an entry again.
    again = EntrySettings.of(Formula.model_validate(shown))
    assert again.optimizer(0) == shown
    assert torch_code(shown) is None


def test_intervals_of_parameters_are_searched_like_those_of_other_kinds() -> None:
    entry = {
        **ADAM,
        "parameters": {"beta1": {"from": 0.5, "to": 0.99, "scale": "one_minus_log"}, "beta2": 0.9, "eps": 1e-8},
    }
    given = spec(entry, "adam", problem={"kind": "surface", "name": "ravine"}, search={"trials": 8})
    assert given.problem.num_starts == 1
    assert given.as_dict()["problem"]["starts"]["random"] == 1
    settings = EntrySettings.of(given.optimizers[0], given.search)
    assert settings.num == 8
    assert settings.varying == ["beta1"]
    assert ((settings.values_of("beta1") >= 0.5) & (settings.values_of("beta1") <= 0.99)).all()
    without_rate = {name: value for name, value in SGD.items() if name != "lr"}
    assert spec(without_rate).optimizers[0].is_searched


def test_the_stored_rule_is_the_normal_form_and_what_is_left_out_is_not_stored() -> None:
    written = {
        **ADAM,
        "update": ["m=beta1 m + (1-beta1)g", "v = beta2·v+(1-beta2)g²", "w=w−lr(m/(1-beta1^t))/(√(v/(1-beta2^t))+eps)"],
    }
    assert spec(written).as_dict() == spec(ADAM).as_dict()
    assert spec(ADAM).as_dict()["optimizers"][0]["update"] == [
        "m = beta1*m + (1 - beta1)*g",
        "v = beta2*v + (1 - beta2)*g**2",
        "w = w - lr*(m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + eps)",
    ]
    assert JobSpec.model_validate(spec(ADAM).as_dict()).digest() == spec(ADAM).digest()
    stored = spec(SGD).as_dict()["optimizers"][0]
    assert stored.keys().isdisjoint({"state", "parameters", "momentum"})


@pytest.mark.parametrize(
    ("update", "number", "place"),
    [
        (["w = w - lr*q"], 0, "'q' at character 12 is not a name that a formula may use. A formula is made of w, g, t"),
        (["a = 2*g", "w = w - lr*2a"], 1, "'2a' at character 12 is not a name; write 2*a or 2 a"),
        (["w = w - lr*ag", "a = 2"], 0, "'ag' at character 12"),
        (["w = w - lr*(g"], 0, "end of the formula comes where ')'"),
        (["w = w - lr*g", "w = w"], 1, "w is assigned a second time"),
        (["g = 2*g", "w = g"], 0, "'g' at character 1 is read-only"),
        (["w = g", "  lr = 1"], 1, "'lr' at character 3 is read-only"),
        (["normal = 1", "w = g"], 0, "'normal' at character 1 is read-only"),
        (["e = 1", "w = g"], 0, "'e' at character 1 is read-only"),
        (["norm = 1", "w = g"], 0, "'norm' at character 1 is a function"),
        (["p = 1", "w = g"], 0, "'p' at character 1 is a parameter"),
        (["w"], 0, "The end of the assignment comes where = is expected"),
        (["w == g"], 0, "'==' at character 3 comes where = is expected"),
        (["w -= lr*g"], 0, "'-=' at character 3 comes where = is expected"),
        (["= g"], 0, "'= ' at character 1 comes where a name is expected"),
        ([""], 0, "The end of the assignment comes where a name is expected"),
        (["2w = g"], 0, "'2w' at character 1 comes where a name is expected"),
        (["w = 'x'"], 0, '"\'" at character 5 is not allowed'),
        (["w = w.data"], 0, "'.' at character 6"),
        (["w = where(g, 1, 2)"], 0, "'where' at character 5 needs a comparison first"),
        (["w = norm(g, w)"], 0, "write norm(a)"),
        (["w = dot(g)"], 0, "write dot(a, b)"),
        (["w = g/0*1e999"], 0, "'1e999' at character 9 gives inf"),
        (["w = " + "g + " * 600 + "g"], 0, "at most 2,000 are allowed"),
    ],
)  # fmt: skip
def test_an_invalid_assignment_is_refused_with_its_number_the_character_and_what_is_allowed(
    update: list[str], number: int, place: str
) -> None:
    [(loc, message)] = errors(parameters={"p": 1.0}, update=update)
    assert loc == ("optimizers", 1, "formula", "update", number)
    assert place.replace("'= ' at", "'=' at") in message


@pytest.mark.parametrize(
    ("changes", "loc", "message"),
    [
        ({"update": ["a = g"]}, ("update",), "w must be assigned exactly once"),
        ({"update": []}, ("update",), "at least 1 item"),
        ({"update": ["w = w - lr*g"] + ["a = g"] * 32}, ("update",), "at most 32 items"),
        ({"state": {"2x": 0}}, ("state", "2x"), "is not a name"),
        ({"state": {"x y": 0}}, ("state", "x y"), "is not a name"),
        ({"state": {"g": 0}}, ("state", "g"), "'g' is a name of every rule"),
        ({"state": {"ln": 0}}, ("state", "ln"), "'ln' is a function"),
        ({"state": {"m": "g"}}, ("state", "m"), ""),
        ({"state": {f"s{number}": 0 for number in range(17)}}, ("state",), "at most 16 items"),
        ({"parameters": {"tensor_mean": 1}}, ("parameters", "tensor_mean"), "is a function"),
        ({"parameters": {"lr": 1}}, ("parameters", "lr"), "is a name of every rule"),
        ({"state": {"m": 0}, "parameters": {"m": 1}}, ("parameters", "m"), "'m' is a state too"),
        ({"parameters": {f"p{number}": 0 for number in range(17)}}, ("parameters",), "at most 16 items"),
        ({"parameters": {"a": "1"}}, ("parameters", "a"), ""),
        ({"momentum": "beta"}, ("momentum",), "must be the name of a parameter"),
        ({"momentum_schedule": {"kind": "cosine"}}, ("momentum_schedule",), "formula has no momentum"),
    ],
)  # fmt: skip
def test_an_invalid_part_is_refused_with_its_place(changes: dict[str, Any], loc: tuple[Any, ...], message: str) -> None:
    found = errors(**changes)
    assert [place for place, _ in found if tuple(part for part in place[2:] if part != "formula")[: len(loc)] == loc]
    assert message in found[0][1]


def test_assignments_run_in_order_and_equal_terms_are_one_operation() -> None:
    rule = parse_rule(("m",), ("b",), ("a = b*g", "a = a + 1", "m = m + a", "w = w - a*m", "m = m + b*g"))
    graph = rule.graph
    values: list[Any] = []
    given = {"w": 3.0, "g": 2.0, "m": 5.0, "b": 0.5}
    operations: dict[str, Any] = {"+": np.add, "-": np.subtract, "*": np.multiply}
    for operation, *operands in graph.nodes:
        if operation == "constant":
            values.append(operands[0])
        elif operation == "input":
            values.append(given[str(operands[0])])
        else:
            values.append(operations[str(operation)](*(values[int(at)] for at in operands)))
    results = {name: float(values[number]) for name, number in graph.outputs}
    assert results == {"w": 3.0 - 2.0 * 7.0, "m": 5.0 + 2.0 + 1.0}
    assert [node[0] for node in graph.nodes].count("*") == 2, "b*g is computed once"


def test_names_are_never_split_and_a_state_may_be_left_alone() -> None:
    rule = parse_rule(
        ("xy", "start"), ("beta", "beta2"), ("xy = 2 beta xy + beta2 (1)", "w = w - lr(g + xy) + 0 start")
    )
    assert rule.assignments == ("xy = 2*beta*xy + beta2*1", "w = w - lr*(g + xy) + 0*start")
    assert dict(rule.graph.outputs).keys() == {"w", "xy", "start"}


def test_long_rules_are_refused_in_a_short_time() -> None:
    for update in (
        [f"a{number} = " + "g*1*" * 490 + "1" for number in range(31)] + ["w = g"],
        [f"a{number} = " + "+".join(f"{number + at}.{at}*g" for at in range(120)) for number in range(31)] + ["w = g"],
        ["a = " + "(" * 99 + "g" + ")" * 99] * 31 + ["w = " + "-" * 1_900 + "g"],
    ):

        def refuse(update: list[str] = update) -> None:
            with pytest.raises(RuleError):
                parse_rule((), (), tuple(update))

        started = time.thread_time()
        assert calls_of(refuse) < 500_000
        assert time.thread_time() - started < 5
    with pytest.raises(RuleError, match=f"more than {MAX_NODES:,} names") as refused:
        parse_rule((), (), tuple(["a = " + "g*1*" * 400 + "1"] * 31 + ["w = g"]))
    assert refused.value.place == 1


def test_the_price_of_a_formula_grows_with_its_operations_and_its_states() -> None:
    long = {**SGD, "update": ["a = tanh(g)", "b = a*w + normal", *["b = tanh(b) + g"] * 20, "w = w - lr*b"]}
    many = {**SGD, "state": {f"s{number}": 0 for number in range(16)}}
    plain, costly, stored = (price(spec(entry)) for entry in (SGD, long, many))
    assert price(spec({"kind": "sgd", "lr": 0.1})).work < plain.work < costly.work
    assert plain.seconds < costly.seconds
    assert plain.run_bytes < stored.run_bytes
    assert price(spec(ADAM)).work < 2 * price(spec({"kind": "adam", "lr": 0.1})).work * 5


def test_the_allowed_contents_of_a_rule_name_its_functions_and_signs() -> None:
    contents = update_grammar(("w", "g")).contents
    for part in ("norm", "tensor_mean", "dot(a, b)", "where(a < b, c, d)", "sqrt", "2 g"):
        assert part in contents


def test_a_report_writes_the_parameters_states_and_assignments_of_a_rule() -> None:
    entry = spec({**ADAM, "state": {"m": 0, "v": "w"}}).optimizers[0]
    assert space_of(entry) == (
        "lr 0.01; beta1 0.9; beta2 5 values from 0.9 to 0.999 evenly spaced; eps 1e−08; m = 0 at the start; "
        "v = w at the start; " + "; ".join(entry.update)
    )
