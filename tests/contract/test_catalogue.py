"""Named things: only what differs is written, and what it was before is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import orjson
from sqlalchemy import select

from mirror.rows import NOW, WORKSPACE
from toggl_pulse.mirror import CatalogueCounts, CatalogueRow, Mirror, tables
from toggl_pulse.model import Catalogue, Client, Profile, Project, Tag, Task, User, Workspace

PROFILE = Profile(9, "a@example.org", "A. Person", "Europe/Berlin", 1, WORKSPACE, NOW.replace(microsecond=5))
ROWS: tuple[CatalogueRow, ...] = (
    PROFILE,
    Workspace(WORKSPACE, "Main", 4, "EUR", 5000, premium=True, rounding=-1, rounding_minutes=15),
    Workspace(2**33, "Bare"),
    Client(5, WORKSPACE, 'Acme "&" Söhne 😀'),
    Client(6, WORKSPACE, "Gone", archived=True, deleted=True),
    Project(7, WORKSPACE, "Site", 5, active=False, color="#0b83d9", billable=True, currency="EUR", rate_cents=9000),
    Project(8, WORKSPACE, "Fixed", fixed_fee_cents=100_000),
    Task(10, WORKSPACE, 7, "Draw", active=False),
    Tag(11, WORKSPACE, "deep"),
    User(9, "A. Person", "a@example.org"),
)


def write(mirror: Mirror, *rows: CatalogueRow) -> CatalogueCounts:
    with mirror.batch() as batch:
        return batch.write_catalogue(rows)


def kept(mirror: Mirror, kind: str) -> list[tuple[int, int, int, object]]:
    columns = tables.catalogue_versions.c
    with mirror._store.reading() as connection:
        rows = connection.execute(
            select(columns.row_id, columns.revision, columns.replaced_by, columns.body)
            .where(columns.kind == kind)
            .order_by(columns.revision)
        ).all()
    return [(row_id, revision, by, orjson.loads(body)) for row_id, revision, by, body in rows]


def test_every_kind_reads_back_as_it_was_written(mirror: Mirror) -> None:
    assert CatalogueCounts(new=len(ROWS)) == write(mirror, *ROWS)

    def by_id(kind: type[CatalogueRow]) -> dict[int, object]:
        return {row.id: row for row in ROWS if isinstance(row, kind)}

    expected = Catalogue(
        PROFILE,
        *({**by_id(kind)} for kind in (Workspace, Client, Project, Task, Tag, User)),  # type: ignore[arg-type]
    )
    assert expected == mirror.catalogue()


def test_what_another_process_names_is_seen_and_nothing_is_read_again_until_then(
    mirror: Mirror, open_mirror: Callable[[], Mirror]
) -> None:
    other = open_mirror()
    write(other, *ROWS)
    before = mirror.catalogue()

    again = mirror.catalogue()
    changes = [replace(row, name="renamed") for row in ROWS if not isinstance(row, Profile)]
    seen = []
    for change in [replace(PROFILE, timezone="Asia/Tokyo"), *changes]:
        write(other, change)
        seen.append(mirror.catalogue() == other.catalogue() and mirror.catalogue() is not before)

    assert before is again
    assert [True] * len(seen) == seen
    assert "Asia/Tokyo" == (mirror.catalogue().profile or PROFILE).timezone
    assert {"renamed"} == {client.name for client in mirror.catalogue().clients.values()}


def test_rows_that_say_nothing_new_take_no_revision(mirror: Mirror) -> None:
    write(mirror, *ROWS)

    assert CatalogueCounts(unchanged=len(ROWS)) == write(mirror, *ROWS)
    assert len(ROWS) == mirror.revision()


def test_a_rename_takes_a_revision_and_leaves_the_old_name_in_the_history(mirror: Mirror) -> None:
    site = Project(7, WORKSPACE, "Site", rate_cents=9000)
    write(mirror, site)
    assert CatalogueCounts(new=1, changed=1) == write(
        mirror, replace(site, name="Portal"), Project(8, WORKSPACE, "New")
    )

    assert (3, "Portal") == (mirror.revision(), mirror.catalogue().projects[7].name)
    (version,) = kept(mirror, "projects")
    assert (7, 1, 2) == version[:3]
    assert {"name": "Site", "rate_cents": 9000}.items() <= version[3].items()  # type: ignore[attr-defined]


def test_the_profiles_changes_are_kept_too(mirror: Mirror) -> None:
    write(mirror, PROFILE)
    write(mirror, replace(PROFILE, timezone="Asia/Kathmandu"))

    profile = mirror.catalogue().profile
    assert profile is not None
    assert "Asia/Kathmandu" == profile.timezone
    assert "Europe/Berlin" == kept(mirror, "profile")[0][3]["timezone"]  # type: ignore[index]


def test_a_deleted_row_may_come_back(mirror: Mirror) -> None:
    gone = Client(6, WORKSPACE, "Gone", deleted=True)
    write(mirror, gone)
    write(mirror, replace(gone, deleted=False))

    assert not mirror.catalogue().clients[6].deleted


def test_a_large_catalogue_is_written_and_changed_at_once(mirror: Mirror) -> None:
    many = [Project(number, WORKSPACE, f"p{number}") for number in range(1, 2001)]
    write(mirror, *many)

    assert CatalogueCounts(changed=2000) == write(mirror, *(replace(one, color="#000000") for one in many))
    assert {"#000000"} == {one.color for one in mirror.catalogue().projects.values()}
