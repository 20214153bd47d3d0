from typing import Any

from toggl_pulse.toggl.paging import Pages


def walk(pages: list[list[Any]], size: int | None = None) -> tuple[Pages, int]:
    """Feed pages as long as more are wanted; beyond the given ones the list is empty."""
    walked, asked = Pages(), 0
    while walked.more:
        rows = pages[asked] if asked < len(pages) else []
        asked += 1
        walked.take(rows, {} if size is None else {"x-page-size": str(size)})
    return walked, asked


def rows(first: int, count: int) -> list[dict[str, int]]:
    return [{"id": number} for number in range(first, first + count)]


def test_a_page_shorter_than_the_server_names_is_the_last() -> None:
    walked, asked = walk([rows(1, 151), rows(152, 150)], size=151)

    assert (len(walked.rows), asked, walked.ended) == (301, 2, True)


def test_without_a_named_size_only_a_very_short_or_empty_page_is_the_last() -> None:
    assert walk([rows(1, 100), rows(101, 100)])[1] == 3
    assert walk([rows(1, 100), rows(101, 49)])[1] == 2


def test_a_full_last_page_is_followed_by_an_empty_one() -> None:
    walked, asked = walk([rows(1, 200)], size=200)

    assert (len(walked.rows), asked) == (200, 2)


def test_a_server_that_ignores_the_page_number_is_asked_twice_and_believed_once() -> None:
    walked, asked = walk([rows(1, 300), rows(1, 300)])

    assert (len(walked.rows), asked, walked.ended) == (300, 2, True)


def test_rows_that_shift_between_pages_come_once() -> None:
    walked, _ = walk([rows(1, 60), rows(51, 60), []])

    assert [row["id"] for row in walked.rows] == list(range(1, 111))


def test_a_list_that_never_ends_is_left_and_not_called_complete() -> None:
    walked = Pages()
    page = 0
    while walked.more:
        walked.take(rows(page * 100 + 1, 100), {})
        page += 1

    assert not walked.ended


def test_rows_without_an_id_are_kept_to_be_set_aside() -> None:
    assert len(walk([[None, {"id": "x"}, {}]])[0].rows) == 3
