"""Size of the mini-batches of a job."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError


def _size_or_full(size: object) -> object:
    if type(size) is not int and size != "full":
        raise PydanticCustomError("batch_size", "must be a whole number of examples or 'full'")
    return size


BatchSize = Annotated[
    Annotated[int, Field(ge=1, le=1_000_000), Tag("number")] | Annotated[Literal["full"], Tag("full")],
    Discriminator(lambda size: "full" if isinstance(size, str) else "number"),
    BeforeValidator(_size_or_full),
]
