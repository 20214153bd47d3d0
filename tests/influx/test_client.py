"""The client against a real InfluxDB: what it writes, deletes and reads, and what it says when it may not."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest

from influxdb import YEAR_SECONDS, OwnServer, Right, Server
from toggl_pulse.errors import NeedsUser, Unavailable
from toggl_pulse.influx import Bucket, Influx, Refused, Unanswered

ALL = """
from(bucket: bucket)
    |> range(start: time(v: -9223372036854775806), stop: time(v: 9223372036854775806))
    |> keep(columns: ["_time", "_value", "_measurement", "project_id"])
    |> group()
    |> sort(columns: ["_time"])
"""
T = "toggl_time_entry"


def client_of(server: Server, *, token: str = "", org: str = "", bucket: str) -> Influx:
    return Influx(server.url, token or server.token, org or server.org, bucket, sleep=lambda _: None)


def rows(influx: Influx, flux: str = ALL, **values: str | int | bool | Sequence[int]) -> list[dict[str, str]]:
    with influx.query(flux, **values) as pieces:
        return list(csv.DictReader(io.StringIO(b"".join(pieces).decode(), newline="")))


def times(influx: Influx) -> list[str]:
    return [row["_time"] for row in rows(influx)]


def test_a_point_that_was_written_is_read_back(influx: Influx) -> None:
    influx.write(b"toggl_time_entry,project_id=7 duration=60i 1700000000123456789")

    found = rows(influx)

    assert 1 == len(found)
    assert ("2023-11-14T22:13:20.123456789Z", "60", "7") == (
        found[0]["_time"],
        found[0]["_value"],
        found[0]["project_id"],
    )


def test_writing_nothing_asks_nothing(influxdb: Server) -> None:
    client_of(influxdb, token="not-a-token", bucket="none").write(b"")


def test_a_delete_takes_both_of_its_ends_and_nothing_beside_them(influx: Influx) -> None:
    moments = [-5, -1, 0, 999_999_999, 1_000_000_000, 1_700_000_000_000_000_001, 1_700_000_000_000_000_002]
    influx.write("\n".join(f"{T} duration=1i {moment}" for moment in moments).encode())

    influx.delete(-1, 999_999_999, {"_measurement": T})
    influx.delete(moments[-1], moments[-1], {"_measurement": T})

    assert ["1969-12-31T23:59:59.999999995Z", "1970-01-01T00:00:01Z", "2023-11-14T22:13:20.000000001Z"] == times(influx)


def test_a_delete_takes_only_points_whose_tags_are_as_it_says(influx: Influx) -> None:
    influx.write(b"toggl_time_entry,project_id=7 duration=1i 1\ntoggl_time_entry,project_id=8 duration=1i 1")
    influx.write(b"toggl_sync,reason=schedule requests=1i 1\ntoggl_time_entry duration=1i 1")

    influx.delete(0, 5, {"_measurement": T, "project_id": "7"})

    assert [("toggl_sync", ""), (T, ""), (T, "8")] == sorted(
        (row["_measurement"], row["project_id"]) for row in rows(influx)
    )


@pytest.mark.parametrize(
    "predicate",
    [
        {},
        {"project_id": "7"},
        {"_measurement": "other"},
        {"_measurement": T, "tags": "deep"},
        {"_measurement": T, "project_id": ""},
        {"_measurement": T, "project_id": '7" OR billable="true'},
        {"_measurement": T, "billable": "true\n"},
    ],
)
def test_a_delete_that_could_reach_too_far_is_never_sent(predicate: dict[str, str]) -> None:
    nobody = Influx("http://127.0.0.1:9", "token", "org", "bucket")

    with pytest.raises(ValueError, match=r"."):
        nobody.delete(0, 1, predicate)


def test_values_are_data_whatever_they_hold(influx: Influx) -> None:
    flux = 'import "array" array.from(rows: [{text: text, number: number, flag: flag, length: length(arr: ids)}])'
    hostile = 'a"b\\ ${1+1} //\t\u2028 é😀" |> drop() from(bucket: "x")'

    found = rows(influx, flux, text=hostile, number=-(2**63) + 1, flag=True, ids=[-1, 2, 3])

    assert [(hostile, "-9223372036854775807", "true", "3")] == [
        (row["text"], row["number"], row["flag"], row["length"]) for row in found
    ]


def test_csv_alters_what_ends_lines_so_that_a_return_cannot_be_read_back(influx: Influx) -> None:
    # what `points.store_text` and `read_text` are there for
    flux = 'import "array" array.from(rows: [{text: text}])'

    assert ["a\r\nb"] == [row["text"] for row in rows(influx, flux, text="a\nb")]
    assert ["a\r\nb"] == [row["text"] for row in rows(influx, flux, text="a\r\nb")]
    assert ["ab"] == [row["text"] for row in rows(influx, flux, text="a\rb")]


def test_a_value_may_not_be_called_like_flux(influx: Influx) -> None:
    with pytest.raises(ValueError, match="small letters"):
        rows(influx, ALL, **{"a = 1 x": 1})


def test_an_error_in_the_middle_of_an_answer_stands_in_it(influx: Influx) -> None:
    flux = """
import "array"
array.from(rows: [{v: 1}]) |> yield(name: "a")
array.from(rows: [{v: 1}]) |> map(fn: (r) => ({x: int(v: text)})) |> yield(name: "b")
"""
    answer = ""
    for _ in range(50):  # both are worked out at once: on a busy machine the error may come before there is an answer
        with suppress(Refused), influx.query(flux, text="no number") as pieces:
            answer = b"".join(pieces).decode()
            break

    assert "\r\n,error,reference\r\n" in answer


def test_a_statement_that_is_wrong_is_refused_before_any_row(influx: Influx) -> None:
    with pytest.raises(Refused) as refused, influx.query("from(bucket: bucket) |> nonsense("):
        pass

    assert "malformed" == refused.value.kind


def test_a_batch_with_an_unreadable_line_and_one_with_an_unstorable_point_are_told_apart(influx: Influx) -> None:
    influx.write(b"toggl_time_entry duration=1i 1")
    private = "a private description"

    with pytest.raises(Refused) as unreadable:
        influx.write(f'toggl_time_entry duration=2i 2\ntoggl_time_entry description="{private} 3'.encode())
    with pytest.raises(Refused) as unstorable:
        influx.write(f'toggl_time_entry duration=4i 4\ntoggl_time_entry duration="{private}" 5'.encode())

    assert ("malformed", "conflict") == (unreadable.value.kind, unstorable.value.kind)
    assert ["1970-01-01T00:00:00.000000001Z", "1970-01-01T00:00:00.000000004Z"] == times(influx)
    for error in (unreadable.value, unstorable.value):
        assert private not in told_by(error)


def told_by(error: BaseException | None) -> str:
    """All that could ever be logged of an error: its words, its values, and what it came from."""
    told = ""
    while error is not None:
        told += f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or error.__context__
    return told


Call = Callable[[Influx], object]


def write(influx: Influx) -> None:
    influx.write(b"toggl_time_entry duration=1i 1")


def delete(influx: Influx) -> None:
    influx.delete(1, 1, {"_measurement": T})


CALLS = pytest.mark.parametrize("call", [write, delete, rows, Influx.bucket, Influx.prepare])


def code_of(influx: Influx, call: Call) -> str:
    with pytest.raises(NeedsUser) as needed:
        call(influx)
    return needed.value.code


@CALLS
def test_a_wrong_token_is_named(influxdb: Server, influxdb_bucket: str, call: Call) -> None:
    wrong = client_of(influxdb, token="a-wrong-token", bucket=influxdb_bucket)

    with pytest.raises(NeedsUser, match="INFLUXDB_TOKEN") as needed:
        call(wrong)

    assert "influxdb_token" == needed.value.code
    assert "a-wrong-token" not in told_by(needed.value)


@CALLS
def test_a_wrong_organisation_is_named(influxdb: Server, influxdb_bucket: str, call: Call) -> None:
    with pytest.raises(NeedsUser, match="INFLUXDB_ORG") as needed:
        call(client_of(influxdb, org="elsewhere", bucket=influxdb_bucket))

    assert "influxdb_org" == needed.value.code


@pytest.mark.parametrize("call", [write, delete, rows, Influx.bucket])
def test_a_missing_bucket_is_named(influxdb: Server, call: Call) -> None:
    with pytest.raises(NeedsUser, match="INFLUXDB_BUCKET") as needed:
        call(client_of(influxdb, bucket="no such bucket"))

    assert "influxdb_bucket" == needed.value.code


def test_a_token_that_may_only_read_is_named_when_it_writes(influxdb: Server, influxdb_bucket: str) -> None:
    reader = influxdb.token_for(Right("read", "buckets", influxdb.bucket_id(influxdb_bucket)))
    client = client_of(influxdb, token=reader, bucket=influxdb_bucket)

    assert "influxdb_rights" == code_of(client, write)
    assert "influxdb_rights" == code_of(client, delete)
    assert [] == rows(client)


def test_a_token_that_may_not_see_the_bucket_is_named(influxdb: Server, influxdb_bucket: str) -> None:
    other = influxdb.fresh()
    client = client_of(influxdb, token=influxdb.service_token(other), bucket=influxdb_bucket)

    assert "influxdb_rights" == code_of(client, Influx.bucket)


@pytest.mark.parametrize("name_of", [lambda server: server.org, Server.org_id], ids=["name", "id"])
def test_a_missing_bucket_is_made_where_the_token_may(influxdb: Server, name_of: Callable[[Server], str]) -> None:
    client = client_of(influxdb, org=name_of(influxdb), bucket=influxdb.name())

    made = client.prepare()

    assert Bucket(made.id, 0, YEAR_SECONDS) == made
    assert made == client.prepare() == client.bucket()
    write(client)
    assert 1 == len(rows(client))


@pytest.mark.parametrize("kind", ["buckets", "orgs"])
def test_a_missing_bucket_is_named_where_the_token_may_not_make_it(
    influxdb: Server, influxdb_bucket: str, kind: str
) -> None:
    token = influxdb.token_for(Right("read", kind, influxdb.org_id() if kind == "orgs" else None))
    client = client_of(influxdb, token=token, bucket=influxdb.name())

    with pytest.raises(NeedsUser, match="may not make it") as needed:
        client.prepare()

    assert "influxdb_bucket" == needed.value.code


def test_the_time_that_a_bucket_keeps_points_is_told(influxdb: Server) -> None:
    bucket = client_of(influxdb, bucket=influxdb.fresh(retention_seconds=86_400)).prepare()

    assert 86_400 == bucket.retention_seconds


def test_a_bucket_that_was_made_anew_has_another_id(influxdb: Server) -> None:
    client = client_of(influxdb, bucket=influxdb.name())
    before = client.prepare()
    influxdb.ask("DELETE", f"buckets/{before.id}")

    assert before.id != client.prepare().id


def test_a_server_that_is_down_is_unavailable_and_works_again_once_it_is_up(own_influxdb: OwnServer) -> None:
    client = client_of(own_influxdb, bucket=own_influxdb.fresh())
    write(client)
    own_influxdb.stop()

    for call in (write, delete, rows, Influx.bucket):
        with pytest.raises(Unavailable) as unavailable:
            call(client)
        assert "influxdb_unreachable" == unavailable.value.code
        assert not isinstance(unavailable.value, Unanswered)

    own_influxdb.start()
    assert 1 == len(rows(client))


def test_a_server_that_was_killed_still_has_what_it_took(own_influxdb: OwnServer) -> None:
    client = client_of(own_influxdb, bucket=own_influxdb.fresh())
    write(client)
    own_influxdb.kill()
    own_influxdb.start()

    assert 1 == len(rows(client))


def test_of_a_write_without_an_answer_nobody_knows_whether_it_was_done(own_influxdb: OwnServer) -> None:
    bucket = own_influxdb.fresh()
    hasty = Influx(own_influxdb.url, own_influxdb.token, own_influxdb.org, bucket, read_seconds=0.2, delete_seconds=0.2)
    own_influxdb.pause()

    with pytest.raises(Unanswered):
        write(hasty)
    with pytest.raises(Unanswered):
        delete(hasty)

    own_influxdb.resume()


def test_a_service_without_influxdb_does_not_pay_for_its_client() -> None:
    code = "import sys, toggl_pulse.service, toggl_pulse.influx; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = done.stdout.split()
    assert "toggl_pulse.influx.client" in loaded
    assert [] == sorted({"influxdb_client", "urllib3", "reactivex", "dateutil"} & {*loaded})
