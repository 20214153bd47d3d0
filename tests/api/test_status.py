import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from api.scene import SmallPulse, serving


def test_the_root_says_ok_to_anyone(pulse: SmallPulse) -> None:
    with serving(pulse) as client:
        client.headers.pop("Authorization")
        answers = [client.get("/"), client.get(""), client.get("/health/live"), client.get("/health/ready")]

    assert [(200, {"status": "ok"})] * 4 == [(answer.status_code, answer.json()) for answer in answers]


def test_monitors_may_ask_by_head(api: TestClient) -> None:
    answers = [api.head(path) for path in ("/", "/health/live", "/health/ready")]

    assert [(200, b"")] * 3 == [(answer.status_code, answer.content) for answer in answers]


def test_not_ready_is_503_and_still_alive(pulse: SmallPulse) -> None:
    pulse.is_ready = False
    with serving(pulse) as client:
        ready, live = client.get("/health/ready"), client.get("/health/live")

    assert (503, "not_ready", 200) == (ready.status_code, ready.json()["error"]["code"], live.status_code)


def test_the_lifespan_starts_and_stops_the_service(pulse: SmallPulse) -> None:
    with serving(pulse):
        assert ["start"] == pulse.asked

    assert ["start", "stop"] == pulse.asked


def test_status_is_what_the_service_tells(api: TestClient, pulse: SmallPulse) -> None:
    assert pulse.status() == api.get("/status").json()


def test_a_sync_is_accepted(api: TestClient, pulse: SmallPulse) -> None:
    answer = api.post("/sync", json={})

    assert (202, "accepted") == (answer.status_code, answer.json()["status"])
    assert ["start", "sync"] == pulse.asked


def test_a_second_sync_has_to_wait(api: TestClient, pulse: SmallPulse) -> None:
    pulse.running = True
    answer = api.post("/sync", json={})

    assert (409, "busy") == (answer.status_code, answer.json()["error"]["code"])


def test_a_sync_from_another_site_is_refused(api: TestClient, pulse: SmallPulse) -> None:
    answer = api.post("/sync", headers={"origin": "http://evil.example"})

    assert (403, "cross_site") == (answer.status_code, answer.json()["error"]["code"])
    assert ["start"] == pulse.asked


def figures(api: TestClient) -> dict[str, float]:
    answer = api.get("/metrics")
    assert "text/plain; version=0.0.4; charset=utf-8" == answer.headers["content-type"]
    families = text_string_to_metric_families(answer.text)
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_prometheus_reads_the_mirror(api: TestClient, pulse: SmallPulse) -> None:
    found = figures(api)

    assert 4 == found["toggl_pulse_entries"]
    assert pulse.mirror.revision() == found["toggl_pulse_revision_total"]
    assert pulse.contact().last is not None
    assert pulse.now.timestamp() - 300 == found["toggl_pulse_last_contact_timestamp_seconds"]
    assert 1 == found["toggl_pulse_last_sync failed"]


def test_prometheus_counts_requests_by_route_and_status(api: TestClient) -> None:
    api.get("/status")
    api.get("/status")
    for number in range(5):
        api.get(f"/guess/{number}")
    found = figures(api)

    assert 2 == found["toggl_pulse_http_requests_total /status 200"]
    assert 5 == found["toggl_pulse_http_requests_total other 404"]
    assert not [name for name in found if "guess" in name]


@pytest.mark.parametrize("private", ["Acme", "Website", "Ada", "ada@example.com"])
def test_prometheus_learns_no_names(api: TestClient, private: str) -> None:
    assert private not in api.get("/metrics").text
