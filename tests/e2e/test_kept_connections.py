"""What we listen on hands accepted connections on so that a small answer is sent at once.

The system holds back an answer's second piece, until the first one was acknowledged or 40 ms are over, wherever
nobody says otherwise; Grafana and the Toggl client ask over kept connections, so that each answer would wait so.
"""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

from toggl_pulse.cli.serve import _listen
from toggl_pulse.demo.host import loopback_socket
from toggl_pulse.settings import load_settings


def holds_nothing_back(listener: socket.socket) -> bool:
    with closing(socket.create_connection(listener.getsockname())):
        accepted, _ = listener.accept()
        with closing(accepted):
            return bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


def test_the_service_sends_small_answers_at_once(tmp_path: Path) -> None:
    with closing(_listen(load_settings(data_dir=tmp_path, port=0))) as listener:
        assert holds_nothing_back(listener)


def test_the_simulated_toggl_sends_small_answers_at_once() -> None:
    with closing(loopback_socket()) as listener:
        assert holds_nothing_back(listener)
