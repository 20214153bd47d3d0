"""Names that ended while nobody listened for months end here too, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.scene import Scene
from toggl_pulse.model import Catalogue, Client
from toggl_pulse.sync.ended import ended, unheard

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LISTS = ("clients", "projects", "tags", "tasks")


def silent(scene: Scene) -> dict[str, int]:
    """One name of each kind ends at Toggl, and then nobody listens for four months; returns which."""
    world = scene.world
    gone = {
        "tasks": next(iter(world.tasks)),
        "projects": world.create_project("Short").id,
        "clients": world.create_client("Brief").id,
        "tags": world.create_tag("once").id,
    }
    scene.finish()
    for kind, number in gone.items():
        getattr(world, f"delete_{kind[:-1]}")(number)
    scene.advance(days=120)
    return gone


def alive(scene: Scene, gone: dict[str, int]) -> set[str]:
    catalogue = scene.mirror.catalogue()
    return {kind for kind, number in gone.items() if not getattr(catalogue, kind)[number].deleted}


def test_names_that_ended_during_four_silent_months_end_with_the_next_full_sync(synced: Scene) -> None:
    gone = silent(synced)

    synced.finish()

    assert set() == alive(synced, gone)
    assert [] == synced.differences()


@pytest.mark.parametrize("kind", ["empty_list", "null", "broken_row", "404", "plan402"])
def test_a_list_that_is_not_whole_ends_nothing_that_lives_and_is_read_again(synced: Scene, kind: str) -> None:
    gone = silent(synced)
    synced.world.create_client("Still here")
    synced.world.fault(kind, "/workspaces/.*/(clients|projects|tags|tasks)", times=4)

    synced.finish()

    catalogue = synced.mirror.catalogue()
    for rows in LISTS:
        living = {n for n, row in getattr(synced.world, rows).items() if row.deleted_at is None}
        assert not [n for n in living & set(getattr(catalogue, rows)) if getattr(catalogue, rows)[n].deleted]
    synced.world.faults.clear()
    synced.advance(hours=12)
    synced.finish()
    assert set() == alive(synced, gone)


def test_lists_that_had_to_wait_for_the_quota_are_compared_by_the_next_full_sync(synced: Scene) -> None:
    gone = silent(synced)
    organization = next(iter(synced.world.organizations.values()))
    organization.plan = "free"
    synced.world.drain(f"organization:{organization.id}", 20)

    synced.finish()
    synced.advance(hours=12)
    synced.finish()

    assert set() == alive(synced, gone)


def test_a_name_that_was_ended_so_lives_again_when_it_is_shown(synced: Scene) -> None:
    gone = silent(synced)
    synced.finish()
    row = synced.world.projects[gone["projects"]]
    row.deleted_at, row.at = None, synced.world.stamp()
    synced.advance(hours=12)

    synced.finish()

    assert {"projects"} == alive(synced, gone)


def test_a_name_that_the_account_shows_has_not_ended_though_its_list_lacks_it() -> None:
    catalogue = Catalogue(clients={n: Client(n, 7, f"client {n}") for n in (1, 2, 3)})
    shown = {kind: frozenset[int]() for kind in LISTS}

    assert [replace(catalogue.clients[3], deleted=True)] == ended(
        catalogue, 7, "clients", [1], {**shown, "clients": frozenset({2})}
    )
    assert ended(catalogue, 7, "clients", [], {**shown, "clients": frozenset({2})}) is None
    assert [] == ended(catalogue, 8, "clients", [1], shown)


def test_only_kinds_whose_changes_were_read_too_long_ago_are_looked_at() -> None:
    since = {"tags": NOW - timedelta(days=90), "projects": NOW - timedelta(days=80)}

    assert ("7:tags", "8:tags") == unheard(since, [7, 8], NOW, timedelta(days=85))
