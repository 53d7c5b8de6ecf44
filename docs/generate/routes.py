"""The page of the HTTP API: routes, parameters and responses, from the OpenAPI document."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from docs.generate.words import Schema, default, prose, table, values

_JSON = "application/json"
# Parts of a spec have separate pages.
_ELSEWHERE = {
    "JobSpec",
    "Range",
    "SeedRange",
    "StartGrid",
    "RandomStarts",
    "StartBox",
    "Schedule",
    "TrainingProblem",
    "OptimizerEntry",
}


def http_api(document: dict[str, Any]) -> str:
    """Return the page of an OpenAPI document."""
    schemas = document["components"]["schemas"]
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    usual = _usual_errors([operation for _, operation in operations])
    text = [
        "# The HTTP API\n",
        "Requests and responses are JSON. A running service has the same reference at `/docs` and as OpenAPI at "
        "`/openapi.json`. "
        'Numbers that are not finite are written as `"NaN"`, `"Infinity"` or `"-Infinity"`. If the API requires keys, '
        "send `Authorization: Bearer …`.\n",
        "## Errors\n",
        "An error is a [Problem](#problem). The usual meaning of each status:\n",
        table(("status", "meaning"), sorted(usual.items())),
    ]
    for tag in document["tags"]:
        text += [f"## {tag['name'].capitalize()}\n", f"{tag['description']}\n"]
        for title, operation in operations:
            if tag["name"] in operation["tags"]:
                text += _operation(title, operation, usual)
    text.append("## Objects\n")
    members = set(_members_of_unions(schemas))
    for name in sorted(schemas, key=str.lower):
        if name not in _ELSEWHERE | members:
            text += _object(name, schemas[name])
    return "\n".join(text)


def _usual_errors(operations: list[Schema]) -> dict[str, str]:
    """Return the most frequent description of each error status."""
    said: dict[str, Counter[str]] = {}
    for operation in operations:
        for status, answer in operation["responses"].items():
            if status >= "400":
                said.setdefault(status, Counter())[answer["description"]] += 1
    return {status: counted.most_common(1)[0][0] for status, counted in said.items()}


def _operation(title: str, operation: Schema, usual: dict[str, str]) -> Iterator[str]:
    yield f"### {title}\n"
    yield f"{prose(operation['description'])}\n"
    parameters = operation.get("parameters", [])
    if parameters:
        taken = [
            (
                f"`{one['name']}`",
                str(one["in"]),
                values(one["schema"]),
                default(one["name"], one["schema"], [one["name"]] if one["required"] else []),
                one.get("description", ""),
            )
            for one in parameters
        ]
        yield table(("parameter", "in", "values", "default", "meaning"), taken)
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        files = " or ".join(f"`{media_type}`" for media_type in content)
        yield f"Body: {values(content[_JSON]['schema']) if _JSON in content else f'a file, {files}'}.\n"
    fine = {status: answer for status, answer in operation["responses"].items() if status < "400"}
    rows = [(status, answer["description"], _media(answer)) for status, answer in fine.items()]
    yield table(("status", "response", "media type"), rows)
    wrong = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
    own = [f"{status}: {answer['description']}" for status, answer in wrong.items() if _differs(status, answer, usual)]
    yield f"Errors: {', '.join(wrong)}.{''.join(f' {one}' for one in own)}\n"


def _differs(status: str, answer: Schema, usual: dict[str, str]) -> bool:
    return bool(answer["description"] != usual[status])


def _media(answer: Schema) -> str:
    shown = []
    for media, content in answer.get("content", {}).items():
        schema = content.get("schema", {})
        shown.append(f"`{media}` {values(schema)}" if "$ref" in schema else f"`{media}`")
    return ", ".join(shown) or "no body"


def _members_of_unions(schemas: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the schemas of problems, optimizers and schedules."""
    for schema in schemas.values():
        for reference in schema.get("discriminator", {}).get("mapping", {}).values():
            yield str(reference).rpartition("/")[2]


def _object(name: str, schema: Schema) -> Iterator[str]:
    yield f"### {name}\n"
    if "description" in schema:
        yield f"{prose(schema['description'])}\n"
    if "properties" in schema:
        rows = [
            (f"`{field}`", values(about), prose(about.get("description", "")))
            for field, about in schema["properties"].items()
        ]
        yield table(("field", "values", "meaning"), rows)
    else:
        yield f"{values(schema)}\n"
