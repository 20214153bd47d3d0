"""Each thing that a person does in Toggl, then one sync: the mirror equals Toggl."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from sync.scene import NOW, Scene
from toggl_pulse.demo import World

Deed = Callable[[World], object]
HOUR = timedelta(hours=1)


def oldest(world: World) -> int:
    return min(world.live_entries(), key=lambda row: row.start).id


def any_id(rows: dict[int, object]) -> int:
    return next(iter(rows))


def new_project_and_entry(world: World) -> None:
    client = world.create_client("Nova")
    project = world.create_project("Moon", client_id=client.id)
    world.create_task("Land", project_id=project.id)
    task = next(reversed(world.tasks))
    world.create_entry(start=NOW - HOUR, stop=NOW, project_id=project.id, task_id=task, tags=("fresh",))


def revive(world: World) -> None:
    number = oldest(world)
    world.delete_entry(number)
    world.revive_entry(number)
    world.edit_entry(number, description="back again")


DEEDS: dict[str, Deed] = {
    "create": lambda world: world.create_entry(start=NOW - HOUR, stop=NOW, description="new", tags=("deep",)),
    "create in the past": lambda world: world.create_entry(start=NOW - 700 * HOUR * 24, stop=NOW - 699 * HOUR * 24),
    "create ahead": lambda world: world.create_entry(start=NOW + 40 * HOUR * 24, stop=NOW + 41 * HOUR * 24),
    "create with new names": new_project_and_entry,
    "edit the text of an old one": lambda world: world.edit_entry(oldest(world), description="other"),
    "retag": lambda world: world.edit_entry(oldest(world), tags=("calm", "brand new")),
    "untag": lambda world: world.edit_entry(list(world.entries)[2], tags=()),
    "move by a second": lambda world: world.edit_entry(oldest(world), start=NOW - 900 * 24 * HOUR),
    "move across years": lambda world: world.edit_entry(oldest(world), start=NOW - 30 * HOUR, stop=NOW - 29 * HOUR),
    "make billable": lambda world: world.edit_entry(oldest(world), billable=True),
    "delete an old one": lambda world: world.delete_entry(oldest(world)),
    "delete the running one": lambda world: world.delete_entry(world.running().id),  # type: ignore[union-attr]
    "delete and revive": revive,
    "rename a project": lambda world: world.rename_project(any_id(world.projects), "Site 2"),  # type: ignore[arg-type]
    "archive a project": lambda world: world.archive_project(any_id(world.projects)),  # type: ignore[arg-type]
    "delete a project": lambda world: world.delete_project(any_id(world.projects)),  # type: ignore[arg-type]
    "rename a client": lambda world: world.rename_client(any_id(world.clients), "Acme Ltd"),  # type: ignore[arg-type]
    "archive a client": lambda world: world.archive_client(any_id(world.clients)),  # type: ignore[arg-type]
    "delete a client": lambda world: world.delete_client(any_id(world.clients)),  # type: ignore[arg-type]
    "take a project's client off": lambda world: world.edit_project(any_id(world.projects), client_id=None),  # type: ignore[arg-type]
    "rename a tag": lambda world: world.rename_tag(any_id(world.tags), "deeper"),  # type: ignore[arg-type]
    "delete a tag": lambda world: world.delete_tag(any_id(world.tags)),  # type: ignore[arg-type]
    "delete a task": lambda world: world.delete_task(any_id(world.tasks)),  # type: ignore[arg-type]
    "rename a task": lambda world: world.rename_task(any_id(world.tasks), "Build"),  # type: ignore[arg-type]
    "stop the timer": lambda world: world.stop_timer(),
    "start another timer": lambda world: world.start_timer(description="next"),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_one_sync_after_it_the_mirror_equals_toggl(synced: Scene, deed: str) -> None:
    DEEDS[deed](synced.world)
    synced.advance(minutes=1)
    assert synced.differences()

    run = synced.sync()

    assert ("done", []) == (run.outcome, synced.differences())
    assert run.new + run.changed + run.deleted > 0


@pytest.mark.parametrize("deed", ["rename a tag", "rename a project", "rename a client", "rename a task"])
def test_a_rename_that_moves_no_at_is_seen_by_the_full_lists(synced: Scene, deed: str) -> None:
    synced.world.behaviour.rename_moves_at = False
    DEEDS[deed](synced.world)
    synced.advance(minutes=1)

    synced.sync()

    assert [] == synced.differences()


def test_all_of_them_at_once_after_one_sync(synced: Scene) -> None:
    for name, deed in DEEDS.items():
        if not name.startswith(("delete a ", "delete the running")):
            deed(synced.world)
    synced.advance(minutes=1)

    synced.sync()

    assert [] == synced.differences()


def test_a_light_poll_spends_one_request_and_sees_edits_deletions_and_the_timer(synced: Scene) -> None:
    synced.poll()
    numbers = list(synced.world.entries)
    synced.world.edit_entry(numbers[5], description="seen")
    synced.world.delete_entry(numbers[6])
    synced.world.stop_timer()
    synced.advance(minutes=10)

    run = synced.poll()

    assert ("done", 1, 0, 2, 1) == (run.outcome, run.requests, run.new, run.changed, run.deleted)
    assert [] == synced.differences()


def test_a_light_poll_that_meets_new_names_asks_for_them_at_once(synced: Scene) -> None:
    synced.poll()
    new_project_and_entry(synced.world)
    synced.advance(minutes=10)

    run = synced.poll()

    assert ("done", 5) == (run.outcome, run.requests)
    assert [] == synced.differences()


def test_the_next_poll_spends_one_request_again(synced: Scene) -> None:
    new_project_and_entry(synced.world)
    synced.poll()
    synced.advance(minutes=10)

    assert 1 == synced.poll().requests


def test_a_deleted_entry_that_is_revived_lives_again(synced: Scene) -> None:
    number = oldest(synced.world)
    synced.world.delete_entry(number)
    synced.sync()
    gone = synced.mirror.entries([number])[number].deletion
    synced.advance(minutes=1)
    synced.world.revive_entry(number)

    synced.sync()

    assert ("feed", []) == (gone, synced.differences())


def test_a_sync_without_changes_writes_nothing(synced: Scene) -> None:
    revision = synced.mirror.revision()

    run = synced.sync()

    assert revision == synced.mirror.revision()
    assert (0, 0, 0) == (run.new, run.changed, run.deleted)


def test_a_deleted_entry_stays_deleted_when_everything_is_read_again(synced: Scene) -> None:
    number = oldest(synced.world)
    row = synced.world.entries[number]
    synced.world.delete_entry(number)
    synced.sync()
    # Reports that lag behind still show the entry as it was before.
    row.deleted_at = None
    synced.world.by_start.add(row.start, row.id)
    row.at -= 1_000_000 * 3600

    synced.advance(days=100)
    synced.finish()

    assert synced.mirror.entries([number])[number].deletion == "feed"


def test_a_running_entry_that_vanished_unseen_is_found_by_the_full_check(synced: Scene) -> None:
    row = synced.world.running()
    assert row is not None
    synced.world.by_start.remove(row.start, row.id)
    synced.world.by_at.remove(row.at, row.id)
    row.deleted_at = row.at
    synced.world._running.clear()

    synced.sync()

    assert "inferred" == synced.mirror.entries([row.id])[row.id].deletion


def test_an_error_page_about_the_running_entry_deletes_nothing(synced: Scene) -> None:
    row = synced.world.running()
    assert row is not None
    synced.world.fault("null", "/me/time_entries/current")
    synced.world.fault("404", f"/me/time_entries/{row.id}")

    synced.sync()

    assert [] == synced.differences()


def test_a_new_colleague_is_known_after_the_next_full_sync(synced: Scene) -> None:
    synced.world.create_user("Ann", "ann@example.com", workspace_ids=[synced.world.profile.default_workspace_id or 0])

    synced.sync()

    assert "Ann" in {user.name for user in synced.mirror.catalogue().users.values()}
