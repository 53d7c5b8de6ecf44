"""Seeds of a job: a list, or a number of consecutive ones."""

from typing import Annotated, Self

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from service.spec.fields import MAX_VALUES, Several, Strict

# torch.manual_seed uses the low 32 bits of a seed, so larger seeds would repeat smaller ones.
MAX_SEED = 2**32 - 1
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]


class SeedRange(Strict):
    """``count`` seeds from ``first`` on."""

    first: Seed = Field(0, description="First seed.")
    count: int = Field(ge=1, le=MAX_VALUES, description="How many seeds.")

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.first + self.count - 1 > MAX_SEED:
            raise PydanticCustomError("seeds", "the last seed must be at most {limit}", {"limit": MAX_SEED})
        return self


Seeds = Annotated[
    Annotated[Several[Seed], Field(min_length=1, max_length=MAX_VALUES), Tag("list")]
    | Annotated[SeedRange, Tag("range")],
    Discriminator(lambda value: "range" if isinstance(value, dict | SeedRange) else "list"),
]
