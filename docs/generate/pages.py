"""Which pages does the reference have, and what does each say today?"""

from docs.generate.members import job_spec, optimizers, problems, schedules
from docs.generate.routes import http_api
from docs.generate.words import table, values
from service.api.app import create_app
from service.settings import Settings

_NOTE = "<!-- Written by `make reference` from the product itself. What is changed here by hand is lost. -->\n\n"


def pages() -> dict[str, str]:
    """Write all pages, by the names of their files."""
    written = {
        "job-spec.md": job_spec(),
        "problems.md": problems(),
        "optimizers.md": optimizers(),
        "schedules.md": schedules(),
        "http-api.md": http_api(create_app().openapi()),
        "settings.md": settings(),
    }
    return {name: _NOTE + text.rstrip("\n") + "\n" for name, text in written.items()}


def settings() -> str:
    """Write every environment variable that is read."""
    rows = [
        (f"`RAVINE_{name.upper()}`", values(field), _as_written(field["default"]), field["description"])
        for name, field in Settings.model_json_schema()["properties"].items()
    ]
    return (
        "# Settings\n\nAll are environment variables, read once when a process starts. API and workers share them.\n\n"
        + table(("variable", "values", "default", "meaning"), rows)
    )


def _as_written(value: object) -> str:
    """Give a default as one would write it in the environment."""
    if value in (None, ""):
        return "not set"
    return f"`{value:.15g}`" if isinstance(value, float) else f"`{value}`"
