"""What does a line of the log look like: a JSON object, or words for a person at a terminal?

Ravine's own code, uvicorn and Celery log through the standard library. One handler on the root logger writes all of it,
and adds what is known of the request or shard that is being worked on (structlog's context variables).
"""

import json
import logging
import re
import sys
import uuid
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from service.settings import Settings

# Longer or stranger ones could be made to look like something else in a log.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,128}")
_SERVERS = ("uvicorn", "uvicorn.error", "celery", "celery.task", "celery.redirected")

# Every line has these, whoever wrote it.
_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Let this process log to a stream, standard error by default; called again, it replaces what was before."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(is_json=_is_json(settings, stream)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("ravine").setLevel(settings.log_level)
    logging.captureWarnings(True)
    for name in _SERVERS:
        # Their own handlers would write the same line again, in another form.
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def _is_json(settings: Settings, stream: TextIO) -> bool:
    return settings.log_format == "json" or (settings.log_format == "auto" and not stream.isatty())


def _formatter(*, is_json: bool) -> logging.Formatter:
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if is_json:
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    else:
        last += [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=last)


def request_id(sent: str | None) -> str:
    """Give the id that a client sent with its request, or a new one where it sent none that fits into a log."""
    return sent if sent is not None and _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex


def line(level: str, event: str, **known: Any) -> str:
    """Give a line as JSON, for who writes a log file without the standard library's root logger."""
    return json.dumps({**known, "level": level, "timestamp": datetime.now(UTC).isoformat(), "event": event})


def readable(text: str) -> tuple[str | None, str]:
    """Read a line that a part of ours printed: its level, and the line in words. Other lines stay as they are."""
    if not text.startswith("{"):
        return None, text
    try:
        said = json.loads(text)
        event, level = str(said.pop("event")), str(said.pop("level")).upper()
    except (ValueError, KeyError, AttributeError):
        return None, text
    trace = "".join(f"\n{said.pop(name)}" for name in ("exception", "stack") if name in said)
    for name in ("timestamp", "logger"):
        said.pop(name, None)
    known = "".join(f" {name}={value}" for name, value in said.items())
    return level, f"{level}: {event}{known}{trace}"
