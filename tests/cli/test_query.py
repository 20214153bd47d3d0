import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.scene import Run
from toggl_pulse.metrics import METRICS
from toggl_pulse.metrics.period import PERIODS


def asked(run: Run, *arguments: str) -> dict[str, object]:
    ran = run("query", "--json", *arguments)
    assert (0, "") == (ran.code, ran.err)
    found = json.loads(ran.out)
    assert isinstance(found, dict)
    return found


def hours(run: Run, *arguments: str) -> dict[str, float]:
    rows = asked(run, *arguments)["rows"]
    assert isinstance(rows, list)
    return {row["group"]: row["hours"] for row in rows}


def test_by_default_it_is_this_months_hours_by_project(run: Run, filled: Path) -> None:
    ran = run("query")

    assert (0, "") == (ran.code, ran.err)
    lines = ran.out.splitlines()
    today = datetime.now(UTC)
    assert lines[0].startswith(f"Tracked time, {today:%Y-%m}-01 to {today:%Y-%m}-")
    assert lines[0].endswith("(Europe/Berlin), each entry whole where it began")
    assert any("│ Site" in line for line in lines)
    assert lines[-1] == "A running entry counts up to now."


def test_the_total_is_the_sum_and_stands_only_where_groups_add_up(run: Run, filled: Path) -> None:
    def shown(*arguments: str) -> dict[str, str]:
        cells = [line.strip("│ ").split("│") for line in run("query", *arguments).out.splitlines() if "│" in line]
        return {name.strip(): value.strip() for name, value in cells}

    every = shown("--period", "all")

    assert f"{sum(hours(run, '--period', 'all').values()):,.2f}" == every["total"]
    assert "total" not in shown("--period", "all", "--group-by", "tag")
    assert "total" not in shown("billable_share", "--period", "all")
    assert "total" not in shown("--period", "all", "--group-by", "none")


@pytest.mark.parametrize("period", PERIODS)
def test_every_period_is_answered_and_told(run: Run, filled: Path, period: str) -> None:
    found = asked(run, "--period", period)

    assert str(found["from"]) < str(found["to"])
    ran = run("query", "--period", period)
    assert (0, "") == (ran.code, ran.err)


@pytest.mark.parametrize("metric", list(METRICS))
@pytest.mark.parametrize("form", [(), ("--json",), ("--csv",)])
def test_every_metric_has_every_form(run: Run, filled: Path, metric: str, form: tuple[str, ...]) -> None:
    ran = run("query", metric, "--period", "all", *form)

    assert (0, "") == (ran.code, ran.err)
    # nothing lies dormant there, and nothing overlaps: of such tables CSV has only the head
    assert len(ran.out.splitlines()) > (metric not in {"dormant_projects", "overlaps"})


@pytest.mark.parametrize("interval", ["hour", "day", "week", "month", "quarter", "year", "auto", "range"])
@pytest.mark.parametrize("group_by", ["none", "tag"])
def test_every_step_and_group_add_up_to_the_same_hours(run: Run, filled: Path, interval: str, group_by: str) -> None:
    now = datetime.now(UTC)
    span = ("--from", f"{now - timedelta(days=20):%Y-%m-%d}", "--to", f"{now + timedelta(days=2):%Y-%m-%d}")

    rows = asked(run, "entry_count", *span, "--interval", interval, "--group-by", group_by)["rows"]
    whole = asked(run, "entry_count", *span, "--group-by", group_by)["rows"]

    assert isinstance(rows, list)
    assert isinstance(whole, list)
    assert sum(row["entries"] for row in whole) == sum(row["entries"] for row in rows) > 0
    assert run("query", *span, "--interval", interval, "--group-by", group_by).code == 0


def test_csv_and_json_tell_the_same(run: Run, filled: Path) -> None:
    words = ("--period", "all", "--interval", "year")
    rows = asked(run, *words)["rows"]
    while True:
        table = list(csv.DictReader(io.StringIO(run("query", "--csv", *words).out)))
        before, rows = rows, asked(run, *words)["rows"]
        if before == rows:  # the timer of the account has not gone on a second meanwhile
            break

    assert rows == [{**row, "hours": float(row["hours"])} for row in table]


def test_filters_of_one_dimension_are_alternatives_and_of_two_conditions(run: Run, filled: Path) -> None:
    every = hours(run, "--period", "all")
    garden = "Garden [bold]red[/bold]"

    def filtered(*filters: str) -> set[str]:
        words = [word for text in filters for word in ("--filter", text)]
        return set(hours(run, "--period", "all", *words))

    assert {"Site", garden} == set(every)
    assert {"Site"} == filtered("project=Site")
    assert {"Site", garden} == filtered("project=Site", f"project={garden}")
    assert {"Site"} == filtered("client=Acme")
    assert set() == filtered("client=Acme", f"project={garden}")
    assert set() == filtered("client=Nobody")


def test_limit_folds_the_rest(run: Run, filled: Path) -> None:
    assert {"Site", "(other)"} == set(hours(run, "--period", "all", "--limit", "1"))


def test_the_settings_zone_wins_over_the_profiles_and_the_options_over_both(
    run: Run, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(run)["timezone"] == "Europe/Berlin"
    monkeypatch.setenv("TIMEZONE", "Asia/Tokyo")
    assert asked(run)["timezone"] == "Asia/Tokyo"
    assert asked(run, "--timezone", "UTC")["timezone"] == "UTC"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nope",), "There is no metric “nope”: ask for one of toggl_time_entry, "),
        (("--interval", "fortnight"), "`interval` cannot be “fortnight”: use one of "),
        (("--group-by", "mood"), "`group_by` cannot be “mood”: use one of none, "),
        (("entries", "--sort", "mood"), "`sort` cannot be “mood”: use one of start, duration."),
        (("entries", "--only", "mine"), "`only` cannot be “mine”: use one of all, over_midnight, "),
        (("period_change", "--compare", "never"), "There is no period “never”: use one of today, "),
        (("--attribution", "end"), "`attribution` cannot be “end”: use one of start, split."),
        (("--timezone", "Mars/Olympus"), "There is no time zone “Mars/Olympus”: "),
        (("--filter", "Acme"), "“Acme” is no filter: write dimension=name, for example client=Acme."),
        (("--filter", "mood=good"), "There is no filter “mood”: use one of "),
        (("--from", "2026-11-05", "--to", "2026-11-01"), "The range ends before it begins: "),
        (("--from", "1999-01-01"), "“1999-01-01” lies outside of what can be asked for: 2006 to 2100."),
        (("--from", "soon"), "“soon” is no date or time: "),
        (("--period", "never"), "There is no period “never”: use one of today, "),
        (("--period", "today", "--to", "2026-11-01"), "Use --period, or --from and --to, not both."),
        (("--json", "--csv"), "Use --json or --csv, not both."),
        (("--period", "all", "--interval", "hour"), "This range has more than 100,000 steps of one hour: "),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(
    run: Run, filled: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    ran = run("query", *arguments)

    assert (2, "") == (ran.code, ran.out)
    assert ran.err.startswith(f"toggl-pulse: {sentence}")
    assert len(ran.err.splitlines()) == 1


def test_tables_are_told_how(run: Run, filled: Path) -> None:
    def cells(*words: str) -> list[dict[str, object]]:
        rows = asked(run, *words)["rows"]
        assert isinstance(rows, list)
        return rows

    longest = [row["hours"] for row in cells("entries", "--period", "all", "--sort", "duration")]
    assert sorted(longest, key=lambda hours: -float(str(hours))) == longest
    assert longest
    assert [] == cells("entries", "--from", "2010-01-01", "--to", "2010-01-02", "--only", "long")
    compared = cells("period_change", "--compare", "last_year", "--compare", "today")
    assert ["Last year", "Today"] == [row["period"] for row in compared]
    assert {"Site", "Garden [bold]red[/bold]"} >= {row["project"] for row in cells("dormant_projects", "--days", "1")}
    assert 7 == len(cells("weekday_hour_hours", "--matrix"))


@pytest.mark.parametrize("metric", [slug for slug, metric in METRICS.items() if metric.of_now])
def test_what_is_of_the_present_names_no_range(run: Run, filled: Path, metric: str) -> None:
    lines = [run("query", metric, "--period", period).out.splitlines() for period in ("last-year", "today")]

    assert len(lines[0]) == len(lines[1])
    for each in lines:
        assert each[0].startswith(f"{METRICS[metric].title}, as of now (Europe/Berlin), ")


def test_nothing_there_is_said(run: Run, filled: Path) -> None:
    ran = run("query", "--from", "2010-01-01", "--to", "2010-02-01")

    assert ran.code == 0
    assert ran.out.splitlines()[:2] == [
        "Tracked time, 2010-01-01 to 2010-01-31 (Europe/Berlin), each entry whole where it began",
        "Nothing was tracked there.",
    ]
