"""Tags on entries: names that have no id yet, renames, deletions."""

from __future__ import annotations

from mirror.rows import FIRST_ID, WORKSPACE, entry, told, write
from toggl_pulse.mirror import CatalogueCounts, Mirror
from toggl_pulse.model import Tag, TimeEntry

WORK = Tag(11, WORKSPACE, "work")
HOME = Tag(12, WORKSPACE, "home")


def write_tags(mirror: Mirror, *tags: Tag) -> CatalogueCounts:
    with mirror.batch() as batch:
        return batch.write_catalogue(tags)


def tags_of(mirror: Mirror, number: int = 0) -> tuple[tuple[str, ...], tuple[int, ...]]:
    found: TimeEntry = mirror.entries([FIRST_ID + number])[FIRST_ID + number].entry
    return found.tags, found.tag_ids


def changed_since(mirror: Mirror, revision: int) -> set[int]:
    return {number - FIRST_ID for number in told(mirror.changes(revision)[1])}


def test_names_without_ids_find_their_tags_in_the_entrys_own_workspace(mirror: Mirror) -> None:
    write_tags(mirror, WORK, Tag(99, WORKSPACE + 1, "work"))
    write(mirror, entry(0, tags=("work",)), entry(1, tags=("work",), workspace_id=WORKSPACE + 1))

    assert (("work",), (11,)) == tags_of(mirror, 0)
    assert (("work",), (99,)) == tags_of(mirror, 1)


def test_an_unknown_name_gets_the_same_negative_id_everywhere(mirror: Mirror) -> None:
    write(mirror, entry(0, tags=("new",)), entry(1, tags=("new",)), entry(2, tags=("new", "other")))

    (names, ids), (_, again), (_, both) = (tags_of(mirror, number) for number in range(3))
    assert (("new",), ids) == (names, again)
    assert ids[0] < 0
    assert set(ids) < set(both)
    assert mirror.catalogue().tags[ids[0]].name == "new"


def test_the_real_tag_takes_the_placeholders_place(mirror: Mirror) -> None:
    write(mirror, entry(0, tags=("work",)), entry(1, tags=("work", "home")), entry(2, tags=("home",)))
    since = mirror.revision()
    write_tags(mirror, WORK)

    assert (("work",), (11,)) == tags_of(mirror, 0)
    assert {"home", "work"} == set(tags_of(mirror, 1)[0])
    assert {0, 1} == changed_since(mirror, since)
    assert [11] == [tag.id for tag in mirror.catalogue().tags.values() if tag.name == "work"]
    assert ("work",) == mirror.versions(FIRST_ID)[0].entry.tags


def test_a_placeholder_comes_back_when_its_tag_is_gone(mirror: Mirror) -> None:
    write(mirror, entry(0, tags=("work",)))
    placeholder = tags_of(mirror)[1]
    write_tags(mirror, WORK)
    write_tags(mirror, Tag(WORK.id, WORKSPACE, "work", deleted=True))
    write(mirror, entry(1, tags=("work",)))

    assert (("work",), placeholder) == tags_of(mirror, 1)
    assert placeholder[0] in mirror.catalogue().tags


def test_a_tag_renamed_to_a_placeholders_name_takes_its_entries(mirror: Mirror) -> None:
    write_tags(mirror, WORK)
    write(mirror, entry(0, tags=("job",)))
    write_tags(mirror, Tag(WORK.id, WORKSPACE, "job"))

    assert (("job",), (11,)) == tags_of(mirror)


def test_a_rename_gives_carriers_new_revisions_and_the_new_name_but_no_version(mirror: Mirror) -> None:
    write_tags(mirror, WORK, HOME)
    write(mirror, entry(0, tag_ids=(11,)), entry(1, tag_ids=(11, 12)), entry(2, tag_ids=(12,)), entry(3))
    since = mirror.revision()
    counts = write_tags(mirror, Tag(WORK.id, WORKSPACE, "labour"), HOME)

    assert CatalogueCounts(new=0, changed=1, unchanged=1) == counts
    assert {0, 1} == changed_since(mirror, since)
    assert (("labour",), (11,)) == tags_of(mirror)
    assert [] == mirror.versions(FIRST_ID)
    revisions = [one.revision for one in mirror.entries([FIRST_ID, FIRST_ID + 1]).values()]
    assert len(set(revisions)) == len(revisions)


def test_a_deletion_takes_the_tag_off_its_entries_and_keeps_what_was(mirror: Mirror) -> None:
    write_tags(mirror, WORK, HOME)
    write(mirror, entry(0, tag_ids=(11,)), entry(1, tag_ids=(11, 12)), entry(2, tag_ids=(12,)))
    since = mirror.revision()
    write_tags(mirror, Tag(WORK.id, WORKSPACE, "work", deleted=True))

    assert ((), ()) == tags_of(mirror, 0)
    assert (("home",), (12,)) == tags_of(mirror, 1)
    assert {0, 1} == changed_since(mirror, since)
    assert (("work",), (11,)) == (
        mirror.versions(FIRST_ID)[0].entry.tags,
        mirror.versions(FIRST_ID)[0].entry.tag_ids,
    )


def test_a_late_row_does_not_bring_a_deleted_tag_back(mirror: Mirror) -> None:
    write_tags(mirror, WORK)
    write(mirror, entry(0, tag_ids=(11,)))
    write_tags(mirror, Tag(WORK.id, WORKSPACE, "work", deleted=True))
    before = mirror.revision()

    assert write(mirror, entry(0, tag_ids=(11,), tags=("work",))) == 0
    assert ((), ()) == tags_of(mirror)
    assert before == mirror.revision()


def test_a_tag_seen_again_as_it_was_changes_nothing(mirror: Mirror) -> None:
    write_tags(mirror, WORK)
    write(mirror, entry(0, tag_ids=(11,)))
    before = mirror.revision()

    assert CatalogueCounts(unchanged=1) == write_tags(mirror, WORK)
    assert before == mirror.revision()


def test_of_two_living_tags_of_one_name_the_older_is_meant(mirror: Mirror) -> None:
    write_tags(mirror, Tag(20, WORKSPACE, "twin"), Tag(19, WORKSPACE, "twin"))
    write(mirror, entry(0, tags=("twin",)))

    assert (("twin",), (19,)) == tags_of(mirror)


def test_ids_that_have_no_name_yet_stand_on_the_entry_and_are_named_later(mirror: Mirror) -> None:
    write(mirror, entry(0, tag_ids=(11, 12)))
    assert ((), (11, 12)) == tags_of(mirror)
    write_tags(mirror, HOME)

    assert (("home",), (11, 12)) == tags_of(mirror)


def test_strange_names_are_kept_apart(mirror: Mirror) -> None:
    names = ("a", "A", "a ", "a|b", "a,b", "%", "_", "😀", "é", "e\u0301", "", "\n")
    write(mirror, *(entry(number, tags=(name,)) for number, name in enumerate(names)))

    assert list(names) == [tags_of(mirror, number)[0][0] for number in range(len(names))]
    assert len({tags_of(mirror, number)[1] for number in range(len(names))}) == len(names)


def test_an_entry_with_hundreds_of_tags_is_no_trouble(mirror: Mirror) -> None:
    many = tuple(range(1_000_000, 1_000_900))
    write(mirror, entry(0, tag_ids=many))

    assert many == tags_of(mirror)[1]
