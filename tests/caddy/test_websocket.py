"""Grafana's live updates: a WebSocket through the door."""

from __future__ import annotations

import base64

from caddy.door import Door
from caddy.standin import FRAME_OF_TEXT, StandIn, accept_key

KEY = base64.b64encode(b"sixteen letters.").decode()
TEXT = b'{"connect": {}}'


def test_a_websocket_is_opened_and_carries_frames_both_ways(door: Door, grafana: StandIn) -> None:
    head = (
        f"GET /grafana/api/live/ws HTTP/1.1\r\nHost: {door.host}\r\nOrigin: https://{door.host}\r\n"
        f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    )
    with door.secure_socket() as connection, connection.makefile("rb") as answer:
        connection.sendall(head.encode())
        status = answer.readline()
        headers = dict(line.decode().strip().lower().split(": ", 1) for line in iter(answer.readline, b"\r\n"))
        mask = b"\x01\x02\x03\x04"
        masked = bytes(letter ^ mask[place % 4] for place, letter in enumerate(TEXT))
        connection.sendall(bytes([FRAME_OF_TEXT, 0x80 | len(TEXT)]) + mask + masked)
        frame = answer.read(2 + len(TEXT))

    assert b"HTTP/1.1 101" == status[:12]
    assert accept_key(KEY).lower() == headers["sec-websocket-accept"]
    assert bytes([FRAME_OF_TEXT, len(TEXT)]) + TEXT == frame
    assert ["/grafana/api/live/ws"] == [asked.target for asked in grafana.asked]
    assert f"https://{door.host}" == grafana.asked[0].headers["Origin"]
