"""The service on a filled mirror, and beside it a bare route that says what it is told to: one process, two ports.

`python -m benchmarks.server FOLDER` prints both ports as JSON and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from benchmarks.whole_query import TOKEN, settings_of
from toggl_pulse.api import Patience, patient
from toggl_pulse.app import create_app
from toggl_pulse.service import Service


def bare() -> FastAPI:
    app = FastAPI()
    kept = b""

    @app.put("/query")
    async def keep(request: Request) -> Response:
        nonlocal kept
        kept = await request.body()
        return Response()

    @app.post("/query")
    async def query(request: Request) -> Response:
        await request.body()
        return Response(kept, media_type="application/json")

    return app


async def main(folder: Path) -> None:
    service = Service.reading(settings_of(folder))
    assert service.api_token == TOKEN
    servers, listeners = [], []
    for app, more in ((create_app(service), {"http": patient(Patience())}), (bare(), {})):
        config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None, access_log=False, **more)  # type: ignore[arg-type]
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        servers.append(uvicorn.Server(config))
        listeners.append(listener)
    work = [
        asyncio.create_task(server.serve(sockets=[listener]))
        for server, listener in zip(servers, listeners, strict=True)
    ]
    print(json.dumps([listener.getsockname()[1] for listener in listeners]), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*work)
    service.mirror.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
