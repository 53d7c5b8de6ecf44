"""Schedules of the catalogue, for learning rate and momentum. worker/engine/schedules.py computes them."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from service.spec.fields import Several
from service.spec.warmup import MAX_STEPS, Factor, Fraction, Misfit, Steps, WarmUp


class Constant(WarmUp):
    """The same value from the end of the warm-up to the last step."""

    title: ClassVar = "Constant"
    formula: ClassVar = "factor(t) = 1"
    reference: ClassVar = "Robbins, Monro: A Stochastic Approximation Method (1951)"

    kind: Literal["constant"] = Field("constant", description="The schedule's name.")


class Step(WarmUp):
    """Multiply the value by a factor after every decay_steps steps (torch's StepLR)."""

    title: ClassVar = "Step"
    formula: ClassVar = "factor(t) = factor^⌊t / decay_steps⌋"
    reference: ClassVar = (
        "Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks (2012)"
    )

    kind: Literal["step"]
    decay_steps: Steps = Field(description="Steps between two changes.")
    factor: Factor = Field(0.1, description="Factor of each change.")

    def _last(self, num_steps: int) -> float:
        return _power(self.factor, (self._left(num_steps) - 1) // self.decay_steps)


class Exponential(WarmUp):
    """Multiply the value by the same number at every step (torch's ExponentialLR)."""

    title: ClassVar = "Exponential"
    formula: ClassVar = "factor(t) = factor^(t / decay_steps)"
    reference: ClassVar = "Bengio: Practical Recommendations for Gradient-Based Training of Deep Architectures (2012)"

    kind: Literal["exponential"]
    decay_steps: Steps = Field(1, description="Steps in which the value changes by the factor.")
    factor: Factor = Field(description="Change of the value in decay_steps steps.")

    def _last(self, num_steps: int) -> float:
        return _power(self.factor, (self._left(num_steps) - 1) / self.decay_steps)


class _Decay(WarmUp):
    """A decay to a final fraction, over the rest of the job by default."""

    decay_steps: Steps | None = Field(
        None, description="Steps from the full value to the final fraction; by default the rest of the job."
    )
    final_fraction: Fraction = Field(0.0, description="Final value, as a fraction of the full value.")

    def parameters(self, num_steps: int) -> dict[str, Any]:
        return {**super().parameters(num_steps), "decay_steps": self.decay_steps or self._left(num_steps)}

    def misfits(self, num_steps: int) -> Iterator[Misfit]:
        yield from super().misfits(num_steps)
        if self.decay_steps is None and self.warmup_steps == num_steps:
            yield (
                "warmup_steps",
                f"must be below {num_steps:,}, the {self.per}s of the job, to leave {self.per}s for the decay",
            )


class Polynomial(_Decay):
    """Decay along a power of the remaining time; a straight line by default (torch's PolynomialLR)."""

    title: ClassVar = "Polynomial"
    formula: ClassVar = "factor(t) = f + (1 − f)·(1 − t / decay_steps)^power, with f = final_fraction"
    reference: ClassVar = "Chen, Papandreou, Kokkinos, Murphy, Yuille: DeepLab (2017)"

    kind: Literal["polynomial"]
    power: float = Field(1.0, gt=0, le=100, description="1 is a straight line, 2 a parabola.")


class Cosine(_Decay):
    """Decay along half a cosine, once or with warm restarts (torch's CosineAnnealingLR, …WarmRestarts)."""

    title: ClassVar = "Cosine"
    formula: ClassVar = "factor(t) = f + (1 − f)·(1 + cos(π·t / decay_steps)) / 2, with f = final_fraction"
    reference: ClassVar = "Loshchilov, Hutter: SGDR: Stochastic Gradient Descent with Warm Restarts (2017)"

    kind: Literal["cosine"]
    restarts: bool = Field(False, description="Restart from the full value after each period; requires decay_steps.")
    growth: int = Field(1, ge=1, le=100, description="Length of each period relative to the one before.")

    @model_validator(mode="after")
    def _has_periods(self) -> Self:
        if self.restarts and self.decay_steps is None:
            raise PydanticCustomError("restarts", "restarts need decay_steps, the length of the first period")
        if self.growth > 1 and not self.restarts:
            raise PydanticCustomError("growth", "must be 1 without restarts: there is one period only")
        return self


class OneCycle(_Decay):
    """One rise and one fall over the whole job (torch's OneCycleLR; the top is the value of the optimizer)."""

    title: ClassVar = "One cycle"
    formula: ClassVar = "rise: initial_fraction → 1 in warmup_steps;  fall: 1 → final_fraction in decay_steps"
    reference: ClassVar = (
        "Smith, Topin: Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates (2019)"
    )

    kind: Literal["one_cycle"]
    # Steps are counted from 0, so a rise of 30 % of n steps reaches its top at step 0.3 n − 1, as in torch.
    warmup_steps: int | None = Field(  # type: ignore[assignment]
        None, ge=0, le=MAX_STEPS, description="Steps of the rise; by default 30 % of the job."
    )
    initial_fraction: Fraction = Field(0.04, description="Start of the rise, as a fraction of the top.")
    final_fraction: Fraction = Field(4e-6, description="End of the fall, as a fraction of the top.")
    anneal_strategy: Literal["cos", "linear"] = Field("cos", description="Half cosines or straight lines.")

    def warmup(self, num_steps: int) -> dict[str, Any]:
        return {
            "warmup_steps": self._rise(num_steps),
            "initial_fraction": self.initial_fraction,
            "warmup_shape": "cosine" if self.anneal_strategy == "cos" else "linear",
        }

    def parameters(self, num_steps: int) -> dict[str, Any]:
        return {
            "decay_steps": self.decay_steps or max(1.0, num_steps - 1 - self._rise(num_steps)),
            "final_fraction": self.final_fraction,
            "linear": self.anneal_strategy == "linear",
        }

    def misfits(self, num_steps: int) -> Iterator[Misfit]:
        resolved = self if self.warmup_steps is not None else self.model_copy(update={"warmup_steps": 0})
        yield from super(OneCycle, resolved).misfits(num_steps)

    def _rise(self, num_steps: int) -> float:
        if self.warmup_steps is not None:
            return self.warmup_steps
        return max(0.0, min(0.3 * num_steps, num_steps - (self.decay_steps or 0)) - 1)


class WarmupStableDecay(_Decay):
    """Keep the full value for most of the job, and decay at its end."""

    title: ClassVar = "Warm-up, stable, decay"
    formula: ClassVar = "factor(t) = 1 for stable_steps, then f + (1 − f)·(1 − s / decay_steps)^power"
    reference: ClassVar = (
        "Hu et al.: MiniCPM: Unveiling the Potential of Small Language Models with Scalable Training Strategies (2024)"
    )

    kind: Literal["warmup_stable_decay"]
    stable_steps: int | None = Field(
        None, ge=0, le=MAX_STEPS, description="Steps at the full value; by default all but warm-up and decay."
    )
    decay_steps: Steps | None = Field(
        None, description="Steps of the decay; by default what is left after stable_steps, or a tenth of the job."
    )
    power: float = Field(1.0, gt=0, le=100, description="1 is a straight line, 2 a parabola.")

    def parameters(self, num_steps: int) -> dict[str, Any]:
        left = self._left(num_steps)
        if self.decay_steps is not None:
            decay = self.decay_steps
        elif self.stable_steps is not None:
            decay = max(1, left - self.stable_steps)
        else:
            decay = min(left, -(-num_steps // 10))
        stable = max(0, left - decay) if self.stable_steps is None else self.stable_steps
        return {**super().parameters(num_steps), "stable_steps": stable, "decay_steps": decay}


class Piecewise(WarmUp):
    """Constant factors between given steps (torch's MultiStepLR has the factors γ, γ², γ³, …)."""

    title: ClassVar = "Piecewise constant"
    formula: ClassVar = "factor(t) = 1 before boundaries[0], factors[i] from boundaries[i] on"
    reference: ClassVar = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (2016)"

    kind: Literal["piecewise"]
    boundaries: Several[Steps] = Field(
        min_length=1, max_length=1_000, description="Steps, in ascending order, at which the factor changes."
    )
    factors: Several[Fraction] = Field(
        min_length=1, max_length=1_000, description="The factor from each boundary on, relative to the full value."
    )

    @field_validator("boundaries")
    @classmethod
    def _grow(cls, boundaries: list[int]) -> list[int]:
        if any(later <= earlier for earlier, later in pairwise(boundaries)):
            raise PydanticCustomError("boundaries", "each boundary must be above the one before")
        return boundaries

    @model_validator(mode="after")
    def _as_many(self) -> Self:
        if len(self.factors) != len(self.boundaries):
            raise PydanticCustomError("factors", "there must be as many factors as boundaries")
        return self

    def parameters(self, num_steps: int) -> dict[str, Any]:
        return {"boundaries": tuple(map(float, self.boundaries)), "factors": tuple(self.factors)}

    def misfits(self, num_steps: int) -> Iterator[Misfit]:
        yield from super().misfits(num_steps)
        most = num_steps - 1 - self.warmup_steps
        if self.boundaries[-1] > most >= 0:
            yield "boundaries", f"must be at most {most:,}: the job has {num_steps:,} {self.per}s"

    def _last(self, num_steps: int) -> float:
        return max(self.factors)


def _power(factor: float, exponent: float) -> float:
    try:
        return float(factor**exponent)
    except OverflowError:
        return float("inf")


Schedule = Annotated[
    Constant | Step | Exponential | Polynomial | Cosine | OneCycle | WarmupStableDecay | Piecewise,
    Field(discriminator="kind"),
]
SCHEDULES: tuple[type[WarmUp], ...] = (
    Constant,
    Step,
    Exponential,
    Polynomial,
    Cosine,
    OneCycle,
    WarmupStableDecay,
    Piecewise,
)
