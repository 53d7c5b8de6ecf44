"""Publications that several optimizers share, and conferences."""

from service.spec.references import Reference

ICLR = "International Conference on Learning Representations"
ICML = "International Conference on Machine Learning"
NEURIPS = "Advances in Neural Information Processing Systems"

KINGMA_2015 = Reference(
    "kingma2015", ("Diederik P. Kingma", "Jimmy Ba"), "Adam: A Method for Stochastic Optimization", 2015,
    conference=ICLR,
)  # fmt: skip
