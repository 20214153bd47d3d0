"""One place that says how logs look: structlog for ours, the same form for libraries, secrets blotted out.

Knows nothing of what is logged; the secrets to blot out are handed in.
"""

from __future__ import annotations

import base64
import logging
import sys
from collections.abc import Iterable
from typing import TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

__all__ = ["configure_logs"]

BLOT = "(hidden)"
# A secret shorter than this would blot out ordinary words; such tokens are refused nowhere, only not searched for.
_SHORTEST = 6


def configure_logs(level: str, form: str, *, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send every log line, ours and the libraries', to `stream` (standard error).

    `form` is `json`, `console` or `auto` (console on a terminal). Any of `secrets`, plain or as part of a Basic
    header, is replaced wherever it appears, whatever logged it.
    """
    target = stream or sys.stderr
    console = form == "console" or (form == "auto" and target.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_control_characters,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=target.isatty()) if console else structlog.processors.JSONRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _without_steering,
            renderer,
            _Blotter(secrets),
        ],
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx2", "httpcore2", "apscheduler", "alembic", "uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    for own_handlers in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(own_handlers)
        logger.handlers[:] = []
        logger.propagate = True
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _without_control_characters(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Escapes control characters in values: a name from outside must not forge a line or steer a terminal."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = _printable(value)
    return event


def _without_steering(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The same for a trace, which keeps its lines: an exception may quote a name."""
    for key in ("exception", "stack"):
        if isinstance(text := event.get(key), str):
            event[key] = "\n".join(map(_printable, text.split("\n")))
    return event


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class _Blotter:
    """Replaces every secret in the finished line, in the forms in which it may travel."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = set()
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                forms.add(secret)
                forms.add(base64.b64encode(f"{secret}:api_token".encode()).decode())
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, _: WrappedLogger, __: str, line: str | bytes | EventDict) -> str:
        text = str(line)
        for form in self._forms:
            text = text.replace(form, BLOT)
        return text
