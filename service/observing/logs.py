"""Log lines: JSON objects, or text for a terminal.

The service, uvicorn and Celery log through the standard library. One handler on the root logger writes all lines, and
adds the context of the current request or shard (structlog's context variables).
"""

import json
import logging
import random
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

# structlog loads rich, for tracebacks that no line here has, if it is there: a tenth of the time of the API's start.
_needs_no_rich = sys.modules.setdefault("rich", None) is None  # type: ignore[arg-type]
import structlog  # noqa: E402
from structlog.typing import Processor  # noqa: E402

from service.settings import Settings  # noqa: E402

if _needs_no_rich:
    del sys.modules["rich"]

# Ids are no secrets. Random bytes of the system would let another thread run for milliseconds at each request.
_random = random.Random()  # noqa: S311
# Other ids could imitate further fields or lines of a log.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,128}")
# Libraries that describe their normal work at INFO: Alembic its plugins and the dialect.
_TALKATIVE = ("alembic",)
_SERVERS = ("uvicorn", "uvicorn.error", "celery", "celery.task", "celery.redirected")

# Processors of all lines, of the service and of libraries.
_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Log to a stream, by default standard error. A further call replaces the configuration."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(is_json=_is_json(settings, stream)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("ravine").setLevel(settings.log_level)
    logging.captureWarnings(True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _SERVERS:
        # Their own handlers would write each line a second time, in another format.
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
    """Give the request id that a client sent if it is valid, else a new one."""
    return sent if sent is not None and _REQUEST_ID.fullmatch(sent) else f"{_random.getrandbits(128):032x}"


def line(level: str, event: str, **known: Any) -> str:
    """Format a line as JSON, for log files that are written without the root logger."""
    return json.dumps({**known, "level": level, "timestamp": datetime.now(UTC).isoformat(), "event": event})


def readable(text: str) -> tuple[str | None, str]:
    """Read a line of a process of the service: its level, and the line as text. Other lines are returned unchanged."""
    if not text.startswith("{"):
        return None, text
    try:
        fields = json.loads(text)
        event, level = str(fields.pop("event")), str(fields.pop("level")).upper()
    except (ValueError, KeyError, AttributeError):
        return None, text
    trace = "".join(f"\n{fields.pop(name)}" for name in ("exception", "stack") if name in fields)
    for name in ("timestamp", "logger"):
        fields.pop(name, None)
    context = "".join(f" {name}={value}" for name, value in fields.items())
    return level, f"{level}: {event}{context}{trace}"
