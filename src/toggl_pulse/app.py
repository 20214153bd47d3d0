"""Every address of the service on one screen, and the guards in front of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from toggl_pulse.api import (
    BodyLimit,
    Context,
    CountRequests,
    ExportRoutes,
    GrafanaRoutes,
    Headers,
    HealthRoutes,
    HostCheck,
    LastResort,
    Leaving,
    Prefix,
    Pulse,
    SameOrigin,
    StatusRoutes,
    TokenCheck,
    Traffic,
    document,
    install_error_handlers,
)
from toggl_pulse.web import PageRoutes, SignInCheck, below

__all__ = ["create_app"]

PUBLIC = frozenset({"/", "/health/live", "/health/ready"})
"""Addresses that need no token; they say ok or not, nothing more."""


def create_app(pulse: Pulse) -> FastAPI:
    """The application; its lifespan starts and stops the service.

    Serve it without a `Server` header (`uvicorn.run(…, server_header=False)`).
    """
    context, traffic = Context(pulse), Traffic()
    health, grafana = HealthRoutes(context), GrafanaRoutes(context)
    status, export = StatusRoutes(context, traffic), ExportRoutes(context)
    routes: list[tuple[str, str, Callable[..., Any]]] = [
        ("GET", "/", health.root),
        ("GET", "/health/live", health.live),
        ("GET", "/health/ready", health.ready),
        ("POST", "/search", grafana.search),
        ("POST", "/metrics", grafana.metrics),
        ("POST", "/metric-payload-options", grafana.metric_payload_options),
        ("POST", "/query", grafana.query),
        ("POST", "/variable", grafana.variable),
        ("POST", "/tag-keys", grafana.tag_keys),
        ("POST", "/tag-values", grafana.tag_values),
        ("POST", "/annotations", grafana.annotations),
        ("GET", "/status", status.status),
        ("POST", "/sync", status.sync),
        ("GET", "/metrics", status.prometheus),
        ("GET", "/entries.csv", export.csv),
        ("GET", "/entries.json", export.json),
    ]
    changing = {"/sync"}
    page = PageRoutes(context)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        lag = asyncio.create_task(traffic.lag.run())
        try:
            await pulse.start()
            yield
        finally:
            lag.cancel()
            await pulse.stop()
            context.close()

    paths = {path for _, path, _ in routes}
    pages = {path for _, path, _ in page.routes}
    guards = [  # the first is the outermost
        Middleware(Prefix),
        Middleware(CountRequests, traffic=traffic, routes=paths | pages),
        Middleware(Headers),
        Middleware(LastResort),
        Middleware(HostCheck, allowed=pulse.allowed_hosts),
        Middleware(TokenCheck, token=pulse.api_token, public=PUBLIC, apart=below),
        Middleware(SameOrigin, reading=paths - changing),
        Middleware(SignInCheck, sessions=page.sessions, form=page.form),
        Middleware(BodyLimit),
        Middleware(Leaving),
        Middleware(GZipMiddleware, minimum_size=1024, compresslevel=4),
    ]
    app = FastAPI(
        title="Toggl Pulse",
        version=pulse.version,
        description="Answers from an exact mirror of a Toggl Track account.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=guards,
        # nothing is told to a collector elsewhere unless someone builds that in on purpose
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    install_error_handlers(app, pulse.clock)
    for method, path, answer in routes:
        accepted = HTTPStatus.ACCEPTED if answer == status.sync else HTTPStatus.OK
        app.add_api_route(path, answer, methods=[method], status_code=accepted)
        if path in PUBLIC:  # monitors like to ask so
            app.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False)

    for method, path, answer in page.routes:
        app.add_api_route(path, answer, methods=[method], include_in_schema=False, response_model=None)

    described = cache(lambda: document(app, public=PUBLIC, parameters=export.parameters))

    async def openapi() -> dict[str, Any]:
        return described()

    app.add_api_route("/openapi.json", openapi, include_in_schema=False)
    return app
