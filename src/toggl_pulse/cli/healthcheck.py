"""`toggl-pulse healthcheck`: is the service on this machine ready? For containers, which then need no curl."""

from __future__ import annotations

import http.client
from typing import Annotated

import typer

from toggl_pulse.errors import Unavailable
from toggl_pulse.settings import load_settings

__all__ = ["healthcheck"]

_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (asked, not bound)


def healthcheck(
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="Port to ask, instead of PORT.", min=1, max=65535)
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait for the answer.", min=0.1)] = 5.0,
) -> None:
    """Ask the running service whether it is ready; exit code 0 if it is, 1 if not."""
    settings = load_settings(port=port)
    # http.client and not the Toggl client: this asks our own service on this machine, nothing else
    connection = http.client.HTTPConnection(_WILDCARDS.get(settings.host, settings.host), settings.port, timeout)
    try:
        connection.request("GET", "/health/ready", headers={"Host": "localhost"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"Nothing answers at {settings.host} port {settings.port}.") from error
    finally:
        connection.close()
    if status != http.HTTPStatus.OK:
        raise Unavailable(f"The service at {settings.host} port {settings.port} is not ready.")
    typer.echo("ready")
