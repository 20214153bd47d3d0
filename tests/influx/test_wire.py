"""What the client makes of refusals, delays, broken connections and strangers, by a server that answers as told."""

from __future__ import annotations

import gzip
import shutil
import ssl
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

import pytest

from influx.scripted import Asked, Reply, Scripted, inside, scripted
from toggl_pulse.errors import NeedsUser, PulseError, Unavailable
from toggl_pulse.influx import Influx, Refused, Unanswered, read_back

DONE = Reply()
BUCKET = Reply(200, b'{"buckets": [{"id": "b1", "retentionRules": []}]}', {"Content-Type": "application/json"})
LINE = b"toggl_time_entry duration=1i 1"
OPENSSL = shutil.which("openssl")
TOKEN = "a-token-of-the-service"


class Scene:
    """A client whose pauses are written down instead of waited for."""

    def __init__(self, url: str) -> None:
        self.pauses: list[float] = []
        self.influx = Influx(url, TOKEN, "org", "bucket", sleep=self.pauses.append, jitter=lambda: 0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.influx.close()


def write(influx: Influx) -> None:
    influx.write(LINE)


def delete(influx: Influx) -> None:
    influx.delete(1, 2, {"_measurement": "toggl_time_entry", "project_id": "7"})


def read(influx: Influx) -> bytes:
    with influx.query("from(bucket: bucket)", first=1) as pieces:
        return b"".join(pieces)


Call = Callable[[Influx], object]
CHANGES: tuple[Call, ...] = (write, delete)
CALLS: tuple[Call, ...] = (*CHANGES, read, Influx.bucket)


def failing(call: Call, *replies: Reply) -> tuple[PulseError, list[float], Scripted]:
    """The error, the pauses, and what was asked."""
    with scripted(replies) as server, Scene(server.url) as scene, pytest.raises(PulseError) as error:
        call(scene.influx)
    return error.value, scene.pauses, server


def test_a_write_is_gzip_with_the_token_and_nanoseconds() -> None:
    with scripted([DONE]) as server, Scene(server.url) as scene:
        write(scene.influx)

    (asked,) = server.asked
    assert ("POST", "/api/v2/write") == (asked.method, urlsplit(asked.path).path)
    assert {"org": ["org"], "bucket": ["bucket"], "precision": ["ns"]} == parse_qs(urlsplit(asked.path).query)
    assert LINE == gzip.decompress(asked.body)
    assert ("gzip", f"Token {TOKEN}") == (asked.headers["Content-Encoding"], asked.headers["Authorization"])
    assert asked.headers["User-Agent"].startswith("toggl-pulse/")


def test_connections_are_kept() -> None:
    replies = [DONE, DONE, BUCKET, DONE, Reply(200, b"a,b\r\n"), inside(400), DONE]
    with scripted(replies) as server, Scene(server.url) as scene:
        for call in (write, delete, Influx.bucket, write, read):
            call(scene.influx)
        with pytest.raises(Refused):
            write(scene.influx)
        write(scene.influx)

    assert (7, 1) == (len(server.asked), server.connections)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("call", CHANGES)
def test_who_is_told_to_wait_waits_and_asks_again(status: int, call: Call) -> None:
    with scripted([inside(status, Retry_After="7"), inside(status), DONE]) as server, Scene(server.url) as scene:
        call(scene.influx)

    assert 3 == len(server.asked)
    assert [7.0, 1.0] == scene.pauses


@pytest.mark.parametrize("call", CALLS)
def test_after_a_few_refusals_it_is_left_for_later(call: Call) -> None:
    error, pauses, server = failing(call, inside(503, Retry_After="2"))

    assert isinstance(error, Unavailable)
    assert ("influxdb_busy", 2, 3) == (error.code, error.retry_after, len(server.asked))
    assert [2.0, 2.0] == pauses
    assert not isinstance(error, Unanswered)


def test_nobody_waits_for_an_hour() -> None:
    error, pauses, server = failing(write, inside(429, Retry_After="3600"))

    assert isinstance(error, Unavailable)
    assert (3600, 1, []) == (error.retry_after, len(server.asked), pauses)


@pytest.mark.parametrize("wait", ["", "soon", "-5", "Fri, 31 Dec 1999 23:59:59 GMT", "1e9", "٣"])
def test_a_strange_wait_counts_as_none(wait: str) -> None:
    reply = inside(429)
    reply.headers["Retry-After"] = wait.encode().decode("latin-1")
    with scripted([reply, DONE]) as server, Scene(server.url) as scene:
        write(scene.influx)

    assert [0.5] == scene.pauses


@pytest.mark.parametrize("call", CHANGES)
@pytest.mark.parametrize("reply", [Reply(nothing=True), inside(500), inside(504)], ids=["nothing", "500", "504"])
def test_of_a_change_that_failed_midway_nobody_knows_whether_it_was_done(call: Call, reply: Reply) -> None:
    error, _, server = failing(call, reply)

    assert isinstance(error, Unanswered)
    assert 3 == len(server.asked)


def test_a_change_that_failed_midway_once_may_have_been_done_whatever_is_said_afterwards() -> None:
    error, _, _ = failing(write, Reply(nothing=True), inside(503))

    assert isinstance(error, Unanswered)


def test_a_connection_that_broke_is_made_again() -> None:
    with scripted([Reply(nothing=True), DONE]) as server, Scene(server.url) as scene:
        write(scene.influx)

    assert 2 == len(server.asked)


@pytest.mark.parametrize("call", CALLS)
def test_changes_that_broke_off_are_counted_though_they_were_repeated(call: Call) -> None:
    with scripted([Reply(nothing=True), inside(503)]) as server, Scene(server.url) as scene:
        with suppress(Unavailable):
            call(scene.influx)
        counted = scene.influx.left_open

    assert (3, int(call in CHANGES)) == (len(server.asked), counted)


PAGE = b"<html>Maintenance</html>"


@pytest.mark.parametrize(
    "reply",
    [Reply(200, PAGE), Reply(200), Reply(202), Reply(200, PAGE, cut=5), Reply(200, PAGE, {"Content-Encoding": "gzip"})],
    ids=["a page", "nothing", "later", "broken off", "not packed"],
)
@pytest.mark.parametrize("call", CHANGES)
def test_a_change_is_done_when_influxdb_says_so_and_by_no_other_yes(call: Call, reply: Reply) -> None:
    error, _, server = failing(call, reply)

    assert isinstance(error, Unanswered)
    assert ("not_influxdb", 1) == (error.code, len(server.asked))


@pytest.mark.parametrize("status", [400, 404, 503])
@pytest.mark.parametrize("cut", [None, 5])
def test_a_no_without_a_word_or_that_breaks_off_is_one_of_ours(status: int, cut: int | None) -> None:
    error, _, _ = failing(write, Reply(status) if cut is None else Reply(status, PAGE, cut=cut))

    assert isinstance(error, Unavailable)


@pytest.mark.parametrize("body", [PAGE, b"a,b\r\n1\r\n", b"a,b\r\n1,2\r\n", b"a,_time\r\n1,soon\r\n", b"\xff\r\n"])
def test_points_that_are_read_back_from_a_stranger_are_no_points(body: bytes) -> None:
    error, _, _ = failing(lambda influx: list(read_back(influx, 1, 2)), Reply(200, body))

    assert "not_influxdb" == error.code


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("call", CALLS)
def test_the_token_follows_nobody_elsewhere(status: int, call: Call) -> None:
    with scripted([DONE]) as elsewhere:
        error, _, server = failing(call, Reply(status, b"moved", {"Location": f"{elsewhere.url}/api/v2/write"}))

    assert "not_influxdb" == error.code
    assert ([], 1) == (elsewhere.asked, len(server.asked))


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 405, 413, 418, 422])
def test_a_stranger_at_the_address_is_told_from_influxdb(status: int) -> None:
    page = Reply(status, b"<html>Log in, please</html>", {"Content-Type": "text/html"})
    with scripted([page]) as server, Scene(server.url) as scene, pytest.raises(Unavailable) as error:
        scene.influx.bucket()

    assert "not_influxdb" == error.value.code


@pytest.mark.parametrize("body", [b"null", b"[]", b"{}", b'{"buckets": 1}', b'{"buckets": [1]}', b'{"buckets": [{}]}'])
def test_json_of_another_kind_is_a_stranger_s(body: bytes) -> None:
    error, _, _ = failing(Influx.bucket, Reply(200, body, {"Content-Type": "application/json"}))

    assert "not_influxdb" == error.code


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted([DONE]) as proxy, scripted([DONE]) as server, Scene(server.url) as scene:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        write(scene.influx)

    assert (0, 1) == (len(proxy.asked), len(server.asked))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [(inside(400, "said"), "malformed"), (inside(422, "said"), "conflict"), (inside(413, "said"), "too_large")],
)
def test_what_would_be_refused_again_is_not_repeated(reply: Reply, kind: str) -> None:
    error, pauses, server = failing(write, reply)

    assert isinstance(error, Refused)
    assert (kind, 1, []) == (error.kind, len(server.asked), pauses)


def test_what_somebody_tracked_is_not_taken_for_influxdb_s_words() -> None:
    line = 'unable to parse \'m description="organization name "x" not found": is unauthorized\': missing field value'
    error, _, _ = failing(write, inside(400, line))

    assert isinstance(error, Refused)


CSV = b"".join(b",_result,0,%d\r\n" % number for number in range(5_000))
PACKED = {"Content-Encoding": "gzip", "Content-Type": "text/csv"}


@pytest.mark.parametrize("reply", [Reply(200, CSV), Reply(200, gzip.compress(CSV), PACKED)], ids=["plain", "gzip"])
def test_an_answer_is_read_piece_by_piece_to_its_end(reply: Reply) -> None:
    with scripted([reply]) as server, Scene(server.url) as scene:
        assert CSV == read(scene.influx)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, CSV, cut=30_000),
        Reply(200, gzip.compress(CSV), PACKED, cut=5_000),
        Reply(200, gzip.compress(CSV)[:-9], PACKED),
        Reply(200, gzip.compress(CSV)[:-4] + b"abcd", PACKED),
        Reply(200, CSV, PACKED),
    ],
    ids=["body", "packed body", "ended too early", "wrong sum", "not packed at all"],
)
def test_an_answer_that_breaks_off_is_no_answer(reply: Reply) -> None:
    error, _, server = failing(read, reply)

    assert ("influxdb_cut", 1) == (error.code, len(server.asked))


def test_an_answer_that_nobody_reads_to_its_end_leaves_nothing_open() -> None:
    with scripted([Reply(200, CSV * 100), DONE]) as server, Scene(server.url) as scene:
        with scene.influx.query("from(bucket: bucket)") as pieces:
            next(pieces)
        write(scene.influx)

    assert (2, 2) == (len(server.asked), server.connections)


def test_an_address_may_have_a_path_before_influxdb_s() -> None:
    with scripted([DONE]) as server, Scene(f"{server.url}/influx/") as scene:
        write(scene.influx)

    assert server.asked[0].path.startswith("/influx/api/v2/write?")


@pytest.mark.parametrize("token", ["a\nb", "tök", " a", "a\x00", "a\r\nX-Header: 1"])
def test_a_token_that_cannot_travel_is_named_and_not_shown(token: str) -> None:
    with pytest.raises(NeedsUser, match="INFLUXDB_TOKEN") as error:
        Influx("http://127.0.0.1:9", token, "org", "bucket")

    assert token not in f"{error.value!r} {vars(error.value)}"


def test_names_with_anything_in_them_travel_whole() -> None:
    odd = "a&b=c d/é#?%"
    with scripted([DONE, BUCKET]) as server:
        influx = Influx(server.url, TOKEN, odd, odd)
        write(influx)
        influx.bucket()
        influx.close()

    assert [{"org": [odd], "bucket": [odd], "precision": ["ns"]}, {"org": [odd], "name": [odd]}] == queries(
        server.asked
    )


def queries(asked: Sequence[Asked]) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(each.path).query) for each in asked]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for localhost that nobody vouches for."""
    if OPENSSL is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    made = [OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(folder / "key"), "-out", str(folder / "pem")]
    subprocess.run(made, check=True, capture_output=True)
    return folder / "pem"


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key"))
    return context


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(tls: ssl.SSLContext) -> None:
    with scripted([DONE], tls=tls) as server, Scene(server.url) as scene, pytest.raises(Unavailable) as error:
        write(scene.influx)

    assert ("influxdb_certificate", []) == (error.value.code, server.asked)


def test_a_certificate_of_one_s_own_authority_is_accepted(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with scripted([DONE], tls=tls) as server, Scene(server.url) as scene:
        write(scene.influx)

    assert 1 == len(server.asked)


def test_answers_come_packed_from_afar_only(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    packed = Reply(200, gzip.compress(CSV), PACKED)
    with scripted([packed], tls=tls) as afar, scripted([Reply(200, CSV)]) as near:
        for server in (afar, near):
            with Scene(server.url) as scene:
                assert CSV == read(scene.influx)

    assert ["gzip", "identity"] == [server.asked[0].headers["Accept-Encoding"] for server in (afar, near)]
