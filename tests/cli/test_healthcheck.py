import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cli.scene import Run


class Ready(BaseHTTPRequestHandler):
    """Says the status that its server holds; notes what it was asked."""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Host"]))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Ready)
    server.status, server.asked = 200, []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])  # noqa: S104
def test_a_ready_service_is_zero(run: Run, server: HTTPServer, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("HOST", host)
    monkeypatch.setenv("API_TOKEN", "not needed for this")
    monkeypatch.setenv("PORT", str(server.server_port))

    assert (0, "ready\n", "") == run("healthcheck")
    assert [("/health/ready", "localhost")] == server.asked  # type: ignore[attr-defined]


def test_one_that_is_not_ready_is_one(run: Run, server: HTTPServer) -> None:
    server.status = 503  # type: ignore[attr-defined]

    ran = run("healthcheck", "--port", str(server.server_port))

    assert (1, "", f"toggl-pulse: The service at 127.0.0.1 port {server.server_port} is not ready.\n") == ran


def test_none_at_all_is_one(run: Run) -> None:
    assert (1, "", "toggl-pulse: Nothing answers at 127.0.0.1 port 1.\n") == run("healthcheck", "--port", "1")
