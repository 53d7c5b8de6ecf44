"""Random hyper-parameters of every optimizer, for comparisons with other programs."""

from hypothesis import strategies as st

from worker.engine.optimizers import OPTIMIZERS

DESCENT = ("sgd", "momentum", "nesterov", "quasi_hyperbolic", "asgd", "schedule_free_sgd", "lars")
# Factors that make the learning rate of a kind comparable with those of other kinds.
UNITS = {"adadelta": 10.0, "adafactor": 0.2, "lamb": 0.3, "lion": 0.3, "sign_sgd": 0.3}
ON_POINTS = [kind for kind in OPTIMIZERS if not OPTIMIZERS[kind].needs_matrices]
# The largest learning rates, for descent and for methods that scale each parameter. In these ranges a change of the
# last bit of a start changes the end by less than 1e-11. Outside of them (Adam with beta1 = 0, RMSprop with alpha = 0.9
# in Rosenbrock's valley) it may change the end by 1e-2, so that two programs cannot agree.
LARGEST_RATE = {"flipnet": (0.02, 0.01), "rosenbrock": (1e-4, 0.005), "quadratic": (0.05, 0.02)}


def number(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_subnormal=False)


def sometimes(strategy: st.SearchStrategy[float]) -> st.SearchStrategy[float]:
    return st.just(0.0) | strategy


HEAVY_BALL = {
    "momentum": sometimes(number(0.1, 0.95)),
    "dampening": sometimes(number(0.1, 1.0)),
    "weight_decay": sometimes(number(1e-4, 0.1)),
}
DECAY = sometimes(number(1e-4, 0.1))
ADAM = {
    "beta1": number(0.5, 0.95),
    "beta2": number(0.99, 0.9999),
    "eps": number(1e-10, 1e-3),
    "weight_decay": DECAY,
}
SCHEDULE_FREE = {"weight_decay": DECAY, "r": sometimes(number(0.1, 2.0)), "weight_lr_power": number(0.0, 2.0)}
SETTINGS = {
    "sgd": HEAVY_BALL,
    "momentum": HEAVY_BALL,
    "nesterov": {"momentum": number(0.1, 0.9), "weight_decay": DECAY},
    "quasi_hyperbolic": {"momentum": number(0.1, 0.999), "nu": number(0.0, 1.0), "weight_decay": DECAY},
    "asgd": {
        "lambd": number(0.0, 0.1),
        "alpha": number(0.3, 1.0),
        "t0": number(0.0, 150.0),
        "weight_decay": DECAY,
    },
    "adam": {**ADAM, "amsgrad": st.booleans(), "decoupled_weight_decay": st.booleans()},
    "adamw": {**ADAM, "amsgrad": st.booleans()},
    "nadam": {**ADAM, "momentum_decay": number(0.0, 0.1), "decoupled_weight_decay": st.booleans()},
    "radam": {**ADAM, "decoupled_weight_decay": st.booleans()},
    "adamax": ADAM,
    "adagrad": {
        "lr_decay": sometimes(number(1e-4, 0.1)),
        "weight_decay": DECAY,
        "initial_accumulator_value": sometimes(number(0.01, 1.0)),
        "eps": number(1e-10, 1e-3),
    },
    "adadelta": {"rho": number(0.5, 0.99), "eps": number(1e-7, 1e-4), "weight_decay": DECAY},
    "rmsprop": {
        "alpha": number(0.98, 0.999),
        "eps": number(1e-8, 1e-3),
        "weight_decay": DECAY,
        "momentum": sometimes(number(0.1, 0.9)),
        "centered": st.booleans(),
    },
    "rprop": {
        "eta_minus": number(0.3, 0.7),
        "eta_plus": number(1.05, 1.4),
        "step_min": number(1e-7, 1e-4),
        "step_max": number(0.01, 1.0),
    },
    "adafactor": {
        "beta2_decay": number(-1.0, -0.3),
        "eps2": number(1e-4, 1e-2),
        "d": number(1.0, 2.0),
        "weight_decay": DECAY,
    },
    "sign_sgd": {"momentum": sometimes(number(0.1, 0.95)), "weight_decay": DECAY},
    "lion": {"beta1": number(0.5, 0.95), "beta2": number(0.9, 0.999), "weight_decay": DECAY},
    "schedule_free_sgd": {"momentum": number(0.5, 0.98), **SCHEDULE_FREE},
    "schedule_free_adamw": {**ADAM, "beta1": number(0.5, 0.95), **SCHEDULE_FREE},
    "lars": {
        "momentum": sometimes(number(0.1, 0.95)),
        "weight_decay": DECAY,
        "trust_coefficient": number(0.001, 0.1),
        "nesterov": st.booleans(),
    },
    "lamb": ADAM,
    "muon": {
        **ADAM,
        "momentum": number(0.5, 0.98),
        "adamw_lr": number(1e-4, 1e-2),
        "adamw_weight_decay": DECAY,
        "nesterov": st.booleans(),
        "match_rms_adamw": st.booleans(),
    },
}


def drawn(kind: str) -> st.SearchStrategy[list[dict[str, float | bool]]]:
    """Settings of three runs; lr as a share of the largest rate."""
    return st.lists(st.fixed_dictionaries({"lr": number(0.05, 1.0), **SETTINGS[kind]}), min_size=3, max_size=3)


def scaled(kind: str, problem: str, runs: list[dict[str, float | bool]]) -> list[tuple[str, dict[str, float | bool]]]:
    largest = LARGEST_RATE[problem][0 if kind in DESCENT else 1] * UNITS.get(kind, 1.0)
    return [(kind, {**run, "lr": run["lr"] * largest}) for run in runs]
