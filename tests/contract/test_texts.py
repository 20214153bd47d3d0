"""Texts that not every database can keep are replaced before anything is compared, alike on all of them."""

from __future__ import annotations

import pytest

from mirror.rows import NOW, WORKSPACE, entry, write
from toggl_pulse.mirror import CatalogueRow, Mirror
from toggl_pulse.mirror.values import storable
from toggl_pulse.model import Amount, Client, Profile, SetAside, Tag

ODD = "a\0b\ud800c\udfffd"
KEPT = "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}d"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("plain", "plain"),
        ("ü 🦊 \N{REPLACEMENT CHARACTER} \x01\x7f\u2028", "ü 🦊 \N{REPLACEMENT CHARACTER} \x01\x7f\u2028"),
        (ODD, KEPT),
        ("\ud83e\udd8a", "🦊"),
        ("\udd8a\ud83e", "\N{REPLACEMENT CHARACTER}" * 2),
    ],
)
def test_only_what_cannot_be_kept_is_replaced(text: str, kept: str) -> None:
    assert kept == storable(text) == storable(kept)


def test_an_entry_with_such_texts_is_written_once(mirror: Mirror) -> None:
    odd = entry(0, description=ODD, tags=(ODD, "calm"))

    assert [1, 0, 0] == [write(mirror, odd), write(mirror, odd), write(mirror, *mirror.running(), odd)]
    stored = mirror.entries([odd.id])[odd.id].entry
    assert (KEPT, {KEPT, "calm"}) == (stored.description, set(stored.tags))
    assert (KEPT,) == mirror.load()[1].descriptions
    assert [] == mirror.versions(odd.id)


def test_a_tag_known_by_such_a_name_is_found_when_its_id_comes(mirror: Mirror) -> None:
    write(mirror, entry(0, tags=(ODD,)))
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(5, WORKSPACE, ODD)])

    assert (5,) == mirror.entries([entry(0).id])[entry(0).id].entry.tag_ids
    assert {5: Tag(5, WORKSPACE, KEPT)} == mirror.catalogue().tags


def test_names_with_such_texts_are_written_once(mirror: Mirror) -> None:
    rows: list[CatalogueRow] = [Client(1, WORKSPACE, ODD), Profile(2, f"{ODD}@x.example", ODD, "UTC", 1, None)]
    for expected in ((2, 0, 0), (0, 0, 2)):
        with mirror.batch() as batch:
            counts = batch.write_catalogue(rows)
        assert expected == (counts.new, counts.changed, counts.unchanged)
    assert KEPT == mirror.catalogue().clients[1].name


def test_what_is_set_aside_counted_and_paid_with_such_texts_is_kept_once(mirror: Mirror) -> None:
    for _ in range(2):
        with mirror.batch() as batch:
            batch.set_aside([SetAside("entry", 1, ODD, ODD)])
            batch.write_entries([], amounts=[Amount(1, 100, None, ODD)])
            run = batch.start_run(ODD, NOW)

    assert [(KEPT, KEPT, 2)] == [(row.reason, row.raw, row.times) for row in mirror.set_aside_rows()]
    assert {1: Amount(1, 100, None, KEPT)} == mirror.amounts()
    assert (run, KEPT) == (mirror.runs(1)[0].id, mirror.runs(1)[0].reason)
