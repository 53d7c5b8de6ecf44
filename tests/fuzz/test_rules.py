"""Every random update rule is rejected with its place in less than 0.1 s, or accepted and trained.

By default four hundred rules; `make fuzz` tries more (RAVINE_FUZZ_RULES).
"""

import os
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from pydantic import ValidationError

from service.spec.formulas.grammar import update_grammar
from service.spec.optimizers.formula import Formula
from tests.groups import group_runs
from tests.rules import RULES, settings_of
from worker.engine.problems import FlipNet
from worker.engine.trainer import Plan, Trainer

NUM = int(os.environ.get("RAVINE_FUZZ_RULES", "400"))
LONGEST_SECONDS = 0.1
# Training takes some hundred times as long as reading: one of so many accepted rules is trained.
TRAINED_EVERY = 10
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


def test_every_rule_is_refused_in_a_short_time_or_accepted_and_trained() -> None:
    chance = random.Random(21)
    accepted, refused, trained, slowest = 0, 0, 0, 0.0
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
        if found is not None:
            accepted += 1
            assert Formula.model_validate(found.model_dump(by_alias=True)).update == found.update
            if accepted % TRAINED_EVERY == 0 and all(isinstance(value, float) for value in found.parameters.values()):
                trained += train(found)
    print(f"{accepted:,} rules accepted, {refused:,} refused, {trained:,} trained, slowest in {1_000 * slowest:.1f} ms")
    assert accepted > NUM / 10
    assert refused > NUM / 10
    assert trained > NUM / 100


def measure(entry: dict[str, Any]) -> tuple[Formula | None, float]:
    """Validate an entry; only a ValidationError may be raised."""
    started = time.thread_time()
    try:
        found: Formula | None = Formula.model_validate(entry)
    except ValidationError:
        found = None
    return found, time.thread_time() - started


def train(found: Formula) -> int:
    """Train a rule beside one of its own kind: the number of rules trained."""
    optimizers = [("formula", settings_of(found.model_dump(by_alias=True))), ("formula", settings_of(plain()))]
    trainer = Trainer(Plan(FlipNet([0, 0], batch_size=8), group_runs(optimizers, np.arange(2)), 2, dtype="float32"))
    *_, last = trainer.run()
    assert last is not None
    for name, array in trainer.checkpoint().items():
        if name.startswith(("weights", "state")):
            assert array.dtype == np.float32
    return 1


def plain() -> dict[str, Any]:
    return {"kind": "formula", "lr": 0.01, **RULES["normalised"]}
