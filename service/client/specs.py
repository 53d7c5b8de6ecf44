"""Specs from a mapping, a JSON file, or the name of a preset."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from service.client.answers import Json
from service.client.errors import NotAccepted

Spec = Mapping[str, Any] | Path | str


def read_spec(spec: Spec) -> Json:
    """Read a spec: a mapping, a JSON file (a Path, or a text that ends with .json), or the name of a preset.

    Raises:
        NotAccepted: The file does not exist, or is not a JSON object.
    """
    if isinstance(spec, Mapping):
        return dict(spec)
    if isinstance(spec, str) and not spec.endswith(".json"):
        return {"preset": spec}
    try:
        return parse_spec(Path(spec).read_bytes(), str(spec))
    except OSError as error:
        raise NotAccepted("Not readable", f"{spec} cannot be read: {error}") from error


def parse_spec(text: str | bytes, origin: str) -> Json:
    """Parse a spec; ``origin`` names the source of the text in errors. Bytes are UTF-8, UTF-16 or UTF-32.

    Raises:
        NotAccepted: The text is not a JSON object.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise NotAccepted("Not JSON", f"{origin} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise NotAccepted("Not a spec", f"{origin} must be a JSON object, and is a {type(found).__name__}")
    return found
