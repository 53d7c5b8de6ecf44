"""Every random update rule is rejected with its place in less than 0.1 s, or accepted and trained within its price.

Some are trained by compiled programs too: with the same weights, and the plans that cause a compilation cost more.

By default four hundred rules; `make fuzz` tries more (RAVINE_FUZZ_RULES), and other ones with RAVINE_FUZZ_SEED.
"""

import math
import os
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError

from service.spec.formulas.grammar import update_grammar
from service.spec.job import JobSpec
from service.spec.optimizers.formula import Formula
from service.spec.price import price
from tests.rules import RULES
from worker.engine.fused.programs import service
from worker.engine.fused.requests import WORTH, worth
from worker.engine.trainer import Trainer
from worker.plan import plan

NUM = int(os.environ.get("RAVINE_FUZZ_RULES", "400"))
SEED = int(os.environ.get("RAVINE_FUZZ_SEED", "21"))
LONGEST_SECONDS = 0.1
# Training takes longer than reading: one of so many accepted rules is trained, and of these one with many seeds.
TRAINED_EVERY = 10
COMPILED_EVERY = 60
MANY_EVERY = 20
FEW_SEEDS, MANY_SEEDS = 8, 1_000
NAMES = ("w", "g", "t", "lr", "normal", "m", "v", "beta", "eps", "a", "pi", "e")
ALPHABET = "wgtmvlabeps0123456789.+-*/()^ \t\n_\"'[]{}:;,=!<>@#$%&|~`\\import lambda normal\0\ud800é∞²⁻¹−·×π√≤"
FUNCTIONS = update_grammar(NAMES[:5]).functions


def formula(chance: random.Random, depth: int = 0) -> str:
    """A formula of the grammar of rules."""
    if depth > 4 or chance.random() < 0.2 + 0.1 * depth:
        return chance.choice([*NAMES, "2", "0.5", "1e-3", "3 m", "g²", "lr v"])
    one, other = formula(chance, depth + 1), formula(chance, depth + 1)
    match chance.randrange(6):
        case 0 | 1:
            name, function = chance.choice(list(FUNCTIONS.items()))
            arguments = [one, other, one][: len(function.arguments)]
            if name == "where":
                arguments[0] += f" {chance.choice(['<', '<=', '>', '>=', '==', '!='])} {other}"
            return f"{name}({', '.join(arguments)})"
        case 2:
            return f"({one})^{chance.choice(['2', '3', '-1', '0.3', 'beta', '1000'])}"
        case _:
            return f"({one}) {chance.choice('+-*/')} ({other})"


def valid(chance: random.Random) -> list[str]:
    """Assignments of which most are valid."""
    update = [f"a = {formula(chance)}"] if chance.random() < 0.7 else []
    update += [f"{chance.choice('mv')} = {formula(chance)}" for _ in range(chance.randint(0, 3))]
    return [*update, f"w = w - lr*({formula(chance)})"]


def mutated(chance: random.Random) -> list[str]:
    """Valid assignments with random changes."""
    update = valid(chance)
    number = chance.randrange(len(update))
    text = list(update[number])
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text) + 1)
        text[at : at + chance.randint(0, 2)] = chance.choices(ALPHABET, k=chance.randint(0, 2))
    update[number] = "".join(text)
    return update


def noise(chance: random.Random) -> list[str]:
    """Random texts."""
    return ["".join(chance.choices(ALPHABET, k=chance.randint(0, 60))) for _ in range(chance.randint(1, 4))]


def heavy(chance: random.Random) -> list[str]:
    """About as many, as long, as deep or as costly assignments as allowed."""
    part = chance.choice(
        ["g*1*", "tanh(g)+", "normal**0.7*", "(", "sqrt(", "-", "norm(", "g", " ", "=", "m^2^", "2 a "]
    )
    text = part * chance.randint(1, 700) + "g"
    if part.endswith("("):
        text += ")" * part.count("(") * 700
    num = chance.randint(1, 40)
    return [
        f"a{chance.choice(['', '1', number])} = {text}"[: chance.choice([2_000, 3_000])] for number in range(num)
    ] + ["w = g"]


def names(chance: random.Random) -> dict[str, Any]:
    """Names of states and parameters, some of which are not allowed."""
    odd = ["w", "g", "norm", "", "2", "x y", "ß", "\0", "a" * 500, "_", "e", "ln", "beta"]
    given: dict[str, Any] = {"m": 0, "v": chance.choice([0, "w", "g", 1e300, None, "1"])}
    parameters: dict[str, Any] = {"beta": 0.9, "eps": chance.choice([1e-8, [1, 2], {"from": 0, "to": 1}, "x", 1e308])}
    if chance.random() < 0.3:
        given[chance.choice(odd)] = 0
    if chance.random() < 0.3:
        parameters[chance.choice(odd)] = 1
    return {"state": given, "parameters": parameters}


MAKERS: list[Callable[[random.Random], list[str]]] = [valid] * 16 + [mutated] * 12 + [noise] * 8 + [heavy] * 2


def test_every_rule_is_refused_in_a_short_time_or_accepted_and_trained_within_its_price() -> None:
    chance = random.Random(SEED)
    accepted, refused, slowest = 0, 0, 0.0
    shares: list[tuple[float, str]] = []
    compiled: list[tuple[float, str]] = []
    for number in range(NUM):
        usual = {"state": {"m": 0, "v": 0.1}, "parameters": {"beta": 0.9, "eps": 1e-8}}
        named = names(chance) if number % 5 == 0 else usual
        entry = {"kind": "formula", "lr": 0.01, **named, "update": MAKERS[number % len(MAKERS)](chance)}
        found, seconds = measure(entry)
        if seconds > LONGEST_SECONDS:
            # Repeated, and the shorter time counts, because other programs share the processor.
            seconds = min(seconds, *(measure(entry)[1] for _ in range(2)))
        assert seconds < LONGEST_SECONDS, str(entry)[:300]
        slowest = max(slowest, seconds)
        refused += found is None
        if found is None:
            continue
        accepted += 1
        if accepted % TRAINED_EVERY == 0:
            assert Formula.model_validate(found.model_dump(by_alias=True)).update == found.update
            has_many = accepted % (TRAINED_EVERY * MANY_EVERY) == 0
            shares.append((train(found, MANY_SEEDS if has_many else FEW_SEEDS), str(entry)[:300]))
        if accepted % COMPILED_EVERY == 0:
            compiled += [(share, str(entry)[:300]) for share in compile_and_train(found)]
    print(f"{accepted:,} rules accepted, {refused:,} refused, slowest in {1_000 * slowest:.1f} ms; ", end="")
    print(f"{len(shares):,} trained, at most {100 * max(shares)[0]:.0f} % of the price")
    assert max(shares)[0] <= 1, max(shares)[1]
    if compiled:
        print(f"{len(compiled):,} compiled, at most {100 * max(compiled)[0]:.0f} % of the price")
        assert max(compiled)[0] <= 1, max(compiled)[1]
    assert accepted > NUM / 10
    assert refused > NUM / 10
    assert len(shares) > NUM / 100


def measure(entry: dict[str, Any]) -> tuple[Formula | None, float]:
    """Validate an entry; only a ValidationError may be raised."""
    started = time.thread_time()
    try:
        found: Formula | None = Formula.model_validate(entry)
    except ValidationError:
        found = None
    return found, time.thread_time() - started


def train(found: Formula, num_seeds: int) -> float:
    """Train a rule beside one of its own kind: the share of its price that it takes, the least of three times."""
    spec = JobSpec.model_validate({
        "problem": {"kind": "flipnet"},
        "optimizers": [{**found.model_dump(by_alias=True), "label": "found"}, PLAIN],
        "seeds": {"count": num_seeds},
        "epochs": 2,
        "batch_size": 8,
    })  # fmt: skip
    cost, least = price(spec), math.inf
    # As workers are: idle threads of torch wait actively.
    torch.set_num_threads(1)
    for _ in range(3):
        began = time.process_time()
        for first, num in cost.shards():
            trainer = Trainer(plan(spec, first, num))
            *_, last = trainer.run()
            assert last is not None
        least = min(least, (time.process_time() - began) / cost.seconds)
        if least <= 1:
            break
    for name, array in trainer.checkpoint().items():
        if name.startswith(("weights", "state")):
            assert array.dtype == np.float32
    return least


def compile_and_train(found: Formula) -> list[float]:
    """Train a rule by compiled programs: the compilation's share of the price of the plans that cause it."""
    if not service().is_available():
        return []
    torch.set_num_threads(1)
    shares = []
    for problem in ({"kind": "flipnet"}, {"kind": "surface", "name": "rosenbrock"}):
        body = {"problem": problem, "optimizers": [found.model_dump(by_alias=True)], "seeds": {"count": 2}, "epochs": 3}
        if problem["kind"] == "surface":
            body["seeds"] = [0]
        spec = JobSpec.model_validate(body)
        given = plan(spec, 0, price(spec).runs_total)
        num_runs, num_parameters = given.problem.num_runs, given.problem.num_parameters
        began = time.process_time()
        by_program = Trainer(given, engine="compiled")
        seconds = time.process_time() - began
        by_torch = Trainer(given, engine="torch")
        for trainer in (by_program, by_torch):
            *_, last = trainer.run()
            assert last is not None
        for name, array in by_torch.checkpoint().items():
            np.testing.assert_array_equal(by_program.checkpoint()[name], array, name)
        epochs = -(-WORTH // worth(1, num_runs, num_parameters))
        shares.append(seconds / (price(spec.model_copy(update={"epochs": epochs})).seconds))
    return shares


PLAIN = {"kind": "formula", "lr": 0.01, "label": "plain", **RULES["normalised"]}
