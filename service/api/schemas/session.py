"""The answer about the caller of a request, which the page shows."""

from pydantic import Field

from service.api.schemas.answers import Answer


class SessionAnswer(Answer):
    """The key that a request was made with."""

    required: bool = Field(description="Whether the API requires a key.")
    name: str | None = Field(description="Name of the key; null for that of `RAVINE_API_KEY`, and without a key.")
    admin: bool = Field(description="Whether the caller sees the jobs of all owners.")
