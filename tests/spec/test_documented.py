"""Descriptions of fields from the docstrings below them."""

from typing import Annotated

from pydantic import Field

from service.api.schemas.answers import RunAnswer
from service.spec.documented import Documented


class Base(Documented):
    plain: int
    """A plain field."""
    bounded: int = Field(1, ge=0)
    """A field with
    a bound."""
    stated: int = Field(1, description="Stated.")
    """A docstring that the description hides."""
    annotated: Annotated[int, Field(description="Annotated.")] = 1
    """A docstring that the annotation hides."""
    bare: int = 1


class Child(Base):
    plain: int
    own: str = ""
    """A field of the child."""


def descriptions(model: type[Documented]) -> dict[str, str | None]:
    return {name: field.description for name, field in model.model_fields.items()}


def test_fields_are_described_by_their_docstrings_unless_they_state_a_description() -> None:
    assert descriptions(Base) == {
        "plain": "A plain field.",
        "bounded": "A field with\na bound.",
        "stated": "Stated.",
        "annotated": "Annotated.",
        "bare": None,
    }
    assert Base.model_json_schema()["properties"]["bounded"]["minimum"] == 0


def test_a_subclass_has_the_descriptions_of_what_it_inherits_and_its_own() -> None:
    assert descriptions(Child) == {**descriptions(Base), "plain": None, "own": "A field of the child."}


def test_a_class_in_a_function_is_read_too() -> None:
    class Local(Documented):
        size: int
        """The size."""

    assert descriptions(Local) == {"size": "The size."}


def test_a_class_whose_source_is_not_there_has_no_descriptions() -> None:
    made = type("Base", (Documented,), {"__module__": "nowhere", "__annotations__": {"plain": int}})
    assert descriptions(made) == {"plain": None}


def test_every_field_of_an_answer_about_a_run_is_described() -> None:
    assert all(descriptions(RunAnswer).values())
