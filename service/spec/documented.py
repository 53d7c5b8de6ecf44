"""Models whose fields are described by the docstrings below them.

Pydantic's ``use_attribute_docstrings`` does the same, and splits the source of each class into tokens: a quarter of the
time in which the API starts. Here each file is parsed once.
"""

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, get_origin

from pydantic import BaseModel, Field


class Documented(BaseModel):
    """A base of models; a description that a field states itself stands before its docstring."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Add the docstrings to the annotations, from which pydantic makes the fields next."""
        super().__init_subclass__(**options)
        annotations = cls.__annotations__
        if annotations:
            for name, text in _docstrings(cls.__module__).get(cls.__qualname__, {}).items():
                annotations[name] = _described(annotations[name], text)


def _described(annotation: Any, text: str) -> Any:
    """Annotate with a description, ahead of all other metadata: of two descriptions the later one holds."""
    if get_origin(annotation) is Annotated:
        return Annotated[(annotation.__origin__, Field(description=text), *annotation.__metadata__)]
    return Annotated[annotation, Field(description=text)]


@cache
def _docstrings(module: str) -> dict[str, dict[str, str]]:
    """Give the docstrings of the annotated names of each class of a module, by the class's qualified name."""
    file = getattr(sys.modules.get(module), "__file__", None)
    try:
        tree = ast.parse(Path(str(file)).read_bytes())
    except (OSError, SyntaxError):
        return {}  # The source is not there: the fields have no descriptions.
    found: dict[str, dict[str, str]] = {}
    _read(tree.body, "", found)
    return found


def _read(body: list[ast.stmt], within: str, found: dict[str, dict[str, str]]) -> None:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            _read(statement.body, f"{within}{statement.name}.<locals>.", found)
        elif isinstance(statement, ast.ClassDef):
            name = within + statement.name
            found[name] = _of_class(statement.body)
            _read(statement.body, f"{name}.", found)


def _of_class(body: list[ast.stmt]) -> dict[str, str]:
    found = {}
    for statement, after in pairwise(body):
        match statement, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = inspect.cleandoc(text)
    return found
