"""Check that the commands of a page exist with their options, without running them: make, ravine, docker compose."""

import re
import shlex
from pathlib import Path
from typing import Any

import typer
import yaml

from service.cli.main import app
from service.settings import Settings

ROOT = Path(__file__).parents[2]
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
VARIABLES = set(re.findall(r"^([A-Z_]+) \?=", (ROOT / "Makefile").read_text(), re.MULTILINE))
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES = set(yaml.safe_load(COMPOSE_TEXT)["services"])
# The used commands of docker compose with their options; those with a value end with =. exec and run take a command.
COMPOSE = {
    "up": "--build --detach -d --no-deps --wait --pull= --scale=",
    "down": "--timeout=",
    "stop": "--timeout=",
    "start": "",
    "restart": "--timeout=",
    "exec": "-T --user=",
    "run": "--rm -T --no-deps --entrypoint=",
    "logs": "--follow -f --since= --tail=",
    "ps": "--all",
    "pull": "",
    "build": "--pull",
    "config": "--quiet",
}
NAMES = re.compile(r"\bRAVINE_[A-Z_]+\b")
# RAVINE_URL is a setting of the client.
KNOWN_NAMES = {f"RAVINE_{name.upper()}" for name in Settings.model_fields} | {"RAVINE_URL"}


def commands(text: str) -> list[list[str]]:
    """Give the commands of a console block, split into words; if some lines begin with $, the others are output."""
    lines = text.replace("\\\n", " ").splitlines()
    typed = [line[2:] for line in lines if line.startswith("$ ")] or lines
    found: list[list[str]] = []
    for line in typed:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if re.fullmatch(r"[|&;]+", word):
                found.append(words)
                words = []
            else:
                words.append(word)
    return [words for words in found if words]


def complaints(text: str) -> list[str]:
    """List the errors of these commands: unknown commands, options, services and settings."""
    unknown = set(NAMES.findall(text)) - KNOWN_NAMES - set(NAMES.findall(COMPOSE_TEXT))
    return [f"no setting {name}" for name in sorted(unknown)] + [
        complaint for words in commands(text) if (complaint := _complaint(words))
    ]


def missing(text: str) -> list[str]:
    """List the unknown services and settings in a YAML file."""
    services = (yaml.safe_load(text) or {}).get("services", {})
    return sorted(set(services) - SERVICES) + sorted(set(NAMES.findall(text)) - KNOWN_NAMES)


def _complaint(words: list[str]) -> str:
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    # Redirections are not arguments.
    for sign in (">", ">>", "<"):
        if sign in words:
            words = words[: words.index(sign)]
    match words:
        case ["make", *rest]:
            wrong = [one for one in rest if one.partition("=")[0] not in (VARIABLES if "=" in one else TARGETS)]
            return f"make has no {', '.join(wrong)}" if wrong else ""
        case ["ravine", *rest]:
            return _of_ravine(rest)
        case ["docker", "compose", *rest]:
            return _of_compose(rest)
        case ["docker-compose", *_]:
            return "it is called docker compose"
    return ""


def _of_ravine(words: list[str]) -> str:
    """Parse the words with the command line of Ravine, without running a command."""
    command: Any = typer.main.get_command(app)
    names = ["ravine"]
    while words and hasattr(command, "commands"):
        names.append(words[0])
        if words[0] not in command.commands:
            return f"no command {' '.join(names)}"
        command, words = command.commands[words[0]], words[1:]
    try:
        command.make_context(" ".join(names), list(words))
    except Exception as error:
        return f"{' '.join(names)}: {getattr(error, 'message', error)}"
    return ""


def _of_compose(words: list[str]) -> str:
    if not words or words[0] not in COMPOSE:
        return f"docker compose {' '.join(words[:1])} is not known here"
    name, words = words[0], words[1:]
    options = {one.rstrip("="): one.endswith("=") for one in COMPOSE[name].split()}
    while words and words[0].startswith("-"):
        option, _, value = words[0].partition("=")
        words = words[1:]
        if option not in options:
            return f"docker compose {name} has no {option} here"
        if options[option] and not value:
            value, words = words[0], words[1:]
        if option == "--scale" and value.partition("=")[0] not in SERVICES:
            return f"no service {value}"
    if name in ("exec", "run"):
        if not words or words[0] not in SERVICES:
            return f"no service {words[:1]}"
        return _complaint(words[1:])
    wrong = [one for one in words if one not in SERVICES]
    return f"no service {', '.join(wrong)}" if wrong else ""
