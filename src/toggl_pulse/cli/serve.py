"""`toggl-pulse serve` and `toggl-pulse demo`: the service on the account, or on a simulated one."""

from __future__ import annotations

import asyncio
import os
import shlex
import socket
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import timedelta
from typing import Annotated, Any

import orjson
import structlog
import typer
import uvicorn

from toggl_pulse.api import Patience, patient
from toggl_pulse.app import create_app
from toggl_pulse.cli.parts import start_logs
from toggl_pulse.cli.process import keep_no_memory_image, room_for_connections
from toggl_pulse.errors import BadRequest, Unavailable
from toggl_pulse.service import Service
from toggl_pulse.settings import Settings, load_settings
from toggl_pulse.sync import Progress, iso

__all__ = ["demo", "serve"]

Port = Annotated[int | None, typer.Option(metavar="PORT", help="Port to listen on, instead of PORT.", min=0, max=65535)]

# Longer than Grafana's 90: the side that asks should be the one to close, or a question can meet a closed door.
KEEP_ALIVE_SECONDS = 120
SHUTDOWN_SECONDS = 5
BACKLOG = 512

TOLD_STAGES = {"recent", "history", "done"}

log = structlog.get_logger(__name__)


def serve(
    or_demo: Annotated[bool, typer.Option("--or-demo", help="Without Toggl credentials, serve the demo.")] = False,
    port: Port = None,
) -> None:
    """Serve answers from the mirror and keep it in step with Toggl."""
    settings = load_settings(port=port)
    _serve(settings, demo=or_demo and not settings.has_credentials)


def demo(port: Port = None) -> None:
    """Serve a seeded year from a simulated Toggl: the whole pipeline, no account needed."""
    _serve(load_settings(port=port), demo=True)


def _serve(settings: Settings, *, demo: bool) -> None:
    start_logs(settings)
    keep_no_memory_image()
    connections = room_for_connections(Patience.connections)
    with _listen(settings) as listener:
        service = Service(settings, demo=demo, progress=None if demo else _ProgressLog())
        app = create_app(service)
        config = uvicorn.Config(
            app,
            http=patient(Patience(connections=connections)),
            ws="none",
            lifespan="off",  # _Server lives it, so that an expected failure ends as a sentence
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=min(BACKLOG, connections),
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        address = f"http://{_shown_host(settings.host)}:{listener.getsockname()[1]}"
        _Server(config, app.router.lifespan_context(app), service, address).run(sockets=[listener])


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        # Python adds the address to the system's words
        known = error.errno is not None and error.errno > 0
        reason = (os.strerror(error.errno) if known and error.errno else error.strerror or "unknown reason").lower()
        raise Unavailable(
            f"Cannot listen on {settings.host} port {settings.port}: {reason}; set HOST or PORT.", code="port_taken"
        ) from error
    except UnicodeError as error:
        raise BadRequest("HOST is no host name or address.", code="bad_setting") from error
    # Accepted connections inherit it. asyncio sets it only where a socket names its protocol, which this one does
    # not, and then every answer on a kept connection waits 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _shown_host(host: str) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (shown, not bound)
    return f"[{shown}]" if ":" in shown else shown


class _Server(uvicorn.Server):
    """Starts the service before it listens, and says where and what to try once both are true."""

    def __init__(
        self, config: uvicorn.Config, life: AbstractAsyncContextManager[Any], service: Service, address: str
    ) -> None:
        super().__init__(config)
        self._opening = life
        self._service = service
        self._address = address
        self._life = AsyncExitStack()
        self._greeting: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._life.enter_async_context(self._opening)
        await super().startup(sockets)
        log.info("serve.started", address=self._address, demo=self._service.demo)
        self._greeting = asyncio.create_task(self._greet())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._greeting is not None:
            self._greeting.cancel()
        await super().shutdown(sockets)
        await self._life.aclose()
        log.info("serve.stopped")

    async def _greet(self) -> None:
        if self._service.demo:
            await self._service.settled()
        typer.echo(await asyncio.to_thread(greeting, self._service, self._address))


class _ProgressLog:
    """Tells in the log how far the reading of the past is, once a step of it."""

    def __init__(self) -> None:
        self._told: tuple[int, int] | None = None

    def __call__(self, progress: Progress) -> None:
        if progress.stage in TOLD_STAGES and progress.total and (progress.done, progress.total) != self._told:
            self._told = (progress.done, progress.total)
            log.info("sync.progress", done=progress.done, total=progress.total, left=progress.detail)
        if progress.waits_until is not None:
            log.info("sync.waits", left=progress.detail, goes_on_at=f"{progress.waits_until:%Y-%m-%dT%H:%M:%SZ}")


def greeting(service: Service, address: str) -> str:
    """What to say to the person who started the service: what it serves, where, and a command that works as printed."""
    lines = [""]
    if service.demo:
        lines += [
            "Toggl Pulse serves DEMO data: a seeded year from a simulated Toggl on this machine.",
            "For your own hours put TOGGL_API_TOKEN=… (it stands at the foot of Toggl's profile page)",
            "into the file .env and start again.",
        ]
    elif service.history_left() == "complete":
        lines += ["Toggl Pulse serves your Toggl account, whole history included."]
    else:
        lines += [
            "Toggl Pulse serves your Toggl account. It reads the recent weeks at once, and the whole history as",
            "Toggl's hourly quota allows; `toggl-pulse status` tells how far it is.",
        ]
    lines += [
        "",
        f"  page      {address}/ui/",
        f"  address   {address}",
        "  hours of the last 30 days by project:",
        "",
        f"  {sample(service, address)}",
        "",
    ]
    return "\n".join(lines)


def sample(service: Service, address: str) -> str:
    """A `curl` of `/query` for a POSIX shell; the API token, where there is one, is left to the environment."""
    now = service.clock().replace(microsecond=0)
    body: dict[str, Any] = {
        "range": {"from": iso(now - timedelta(days=30)), "to": iso(now)},
        "targets": [
            {"target": "tracked_hours", "refId": "A", "payload": {"group_by": "project", "interval": "range"}},
        ],
    }
    token = """ -H "Authorization: Bearer $API_TOKEN\"""" if service.api_token is not None else ""
    data = shlex.quote(orjson.dumps(body).decode())
    return f"curl -s {address}/query -H 'Content-Type: application/json'{token} -d {data}"
