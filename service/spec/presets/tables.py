"""Presets on the built-in tables: scaling of columns, and two optimizers on four tables."""

from service.spec.presets.preset import Preset, Spec, adam, momentum, rates, sgd

# Nine rates up to beyond the limit of momentum 0.9, which depends on the scaling.
SCALED_RATES: dict[str, Spec] = {
    "none": rates(1e-9, 1e-4, 9),
    "standard": rates(1e-3, 10, 9),
    "whiten": rates(1e-3, 10, 9),
}
SCALING_EPOCHS = 400
TABLE_RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3]
TABLES = {"iris": "iris", "wine": "wine", "breast-cancer": "breast_cancer", "diabetes": "diabetes"}
_SCALINGS = {"none": ("unscaled", "as they are"), "standard": ("scaled", "scaled"), "whiten": ("whitened", "whitened")}
_FEATURES = [
    *("malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids", "nonflavanoid_phenols"),
    *("proanthocyanins", "color_intensity", "hue", "od280/od315_of_diluted_wines", "proline"),
]

PRESETS = (
    *(
        Preset(
            f"table-{name}",
            f"Alcohol of wines, columns {words}",
            f"Linear regression on 12 columns {words}: SGD and momentum, nine rates each, 12 seeds.",
            {
                "problem": {
                    "kind": "data",
                    "dataset": "wine",
                    "target": "alcohol",
                    "features": _FEATURES,
                    "scale": scale,
                    "validation_share": 0.0,
                },
                "optimizers": [sgd(SCALED_RATES[scale]), momentum(SCALED_RATES[scale])],
                "seeds": {"first": 0, "count": 12},
                "epochs": SCALING_EPOCHS,
            },
        )
        for scale, (name, words) in _SCALINGS.items()
    ),
    *(
        Preset(
            f"table-{name}",
            f"A perceptron on {dataset.replace('_', ' ')}",
            "Momentum and Adam with 16 hidden units: six rates each, 40 seeds, 20 epochs.",
            {
                "problem": {"kind": "data", "dataset": dataset, "model": {"kind": "mlp", "widths": [16]}},
                "optimizers": [momentum(TABLE_RATES), adam(TABLE_RATES)],
                "seeds": {"first": 0, "count": 40},
                "epochs": 20,
                "record_every": 20,
            },
        )
        for name, dataset in TABLES.items()
    ),
)
