"""Learning rates to begin with, by kind of problem and of optimizer.

For networks: of nine rates from 0.001 to 0.5 the one with the smallest median loss of 5 seeds, after 60 epochs of
FlipNet, 10 of the digits and 60 of the playground's circles. On the playground at most 0.1 for methods that scale
their steps, because its spirals need less.
"""

LEARNING_RATES: dict[str, dict[str, float]] = {
    "surface": {
        "adam": 0.1,
        "adamw": 0.1,
        "nadam": 0.1,
        "radam": 0.1,
        "adamax": 0.1,
        "adagrad": 0.5,
        "adadelta": 1.0,
        "rmsprop": 0.05,
        "rprop": 0.05,
        "sign_sgd": 0.05,
        "lion": 0.05,
    },
    "flipnet": {
        "sgd": 0.05,
        "momentum": 0.01,
        "nesterov": 0.005,
        "adam": 0.01,
        "adamw": 0.01,
        "nadam": 0.01,
        "radam": 0.02,
        "adamax": 0.02,
        "adagrad": 0.05,
        "rmsprop": 0.005,
        "sign_sgd": 0.005,
        "lion": 0.002,
    },
    "digits": {
        "sgd": 0.5,
        "momentum": 0.2,
        "nesterov": 0.2,
        "adam": 0.02,
        "adamw": 0.02,
        "nadam": 0.02,
        "radam": 0.05,
        "adamax": 0.1,
        "adagrad": 0.2,
        "rmsprop": 0.02,
        "sign_sgd": 0.01,
        "lion": 0.002,
        "muon": 0.02,
    },
    "playground": {
        "sgd": 0.5,
        "momentum": 0.2,
        "nesterov": 0.2,
        "adam": 0.1,
        "adamw": 0.1,
        "nadam": 0.1,
        "radam": 0.1,
        "adamax": 0.1,
        "adagrad": 0.1,
        "rmsprop": 0.1,
        "sign_sgd": 0.05,
        "lion": 0.01,
        "muon": 0.05,
    },
}


def learning_rates(optimizer: str) -> dict[str, float]:
    """Give the known rates of a kind of optimizer, by kind of problem."""
    return {problem: rates[optimizer] for problem, rates in LEARNING_RATES.items() if optimizer in rates}
