import io
import json
import logging

import pytest
import structlog

from toggl_pulse.logs import configure_logs


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_secret_shows_nowhere_whatever_logs_it(stream: io.StringIO, form: str) -> None:
    configure_logs("INFO", form, secrets=["s3cret-token"], stream=stream)

    structlog.get_logger().info("said", header="Basic czNjcmV0LXRva2VuOmFwaV90b2tlbg==", s="s3cret-token")
    logging.getLogger("library").warning("with %s", "s3cret-token")
    try:
        int("s3cret-token")
    except ValueError:
        structlog.get_logger().exception("failed")

    assert "s3cret-token" not in stream.getvalue()
    assert "czNjcmV0LXRva2VuOmFwaV90b2tlbg==" not in stream.getvalue()
    assert stream.getvalue().count("(hidden)") >= 4


def test_json_lines_carry_event_level_and_utc_time(stream: io.StringIO) -> None:
    configure_logs("INFO", "json", stream=stream)

    structlog.get_logger().info("sync_done", rows=3)

    line = json.loads(stream.getvalue())
    assert (line["event"], line["rows"], line["level"]) == ("sync_done", 3, "info")
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_name_from_outside_can_neither_forge_a_line_nor_steer_a_terminal(stream: io.StringIO, form: str) -> None:
    configure_logs("INFO", form, stream=stream)

    structlog.get_logger().info("seen", name="evil\n2026 forged\x1b[2J\r\x9b")

    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b[2J" not in stream.getvalue()
    assert "\x9b" not in stream.getvalue()


def test_lines_below_the_level_are_dropped(stream: io.StringIO) -> None:
    configure_logs("WARNING", "json", stream=stream)

    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet too")

    assert stream.getvalue() == ""


@pytest.mark.parametrize("library", ["httpx2", "apscheduler", "uvicorn", "uvicorn.error"])
def test_libraries_tell_of_trouble_and_of_nothing_below_the_level(stream: io.StringIO, library: str) -> None:
    configure_logs("INFO", "json", stream=stream)
    logging.getLogger(library).info("chatter")
    logging.getLogger(library).warning("trouble")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["trouble"]

    configure_logs("ERROR", "json", stream=stream)
    logging.getLogger(library).warning("trouble")
    assert len(stream.getvalue().splitlines()) == 1


def test_a_short_secret_does_not_blot_out_ordinary_words(stream: io.StringIO) -> None:
    configure_logs("INFO", "json", secrets=["sync", ""], stream=stream)

    structlog.get_logger().info("sync.done")

    assert json.loads(stream.getvalue())["event"] == "sync.done"
