"""When a paged list of Toggl ends; some servers use another page size than asked, and do not always say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toggl_pulse.toggl.assumptions import MAX_PAGES, SMALLEST_PAGE, WORKSPACE_PAGE_SIZE
from toggl_pulse.toggl.translate import header_int

__all__ = ["Pages"]


class Pages:
    """Gathers the rows of a list page by page, each id once; `more` says whether to ask on.

    `ended` is True when the list came to its end by itself.
    """

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.more = True
        self.ended = False
        self._page = 1
        self._seen: set[object] = set()

    def params(self) -> dict[str, int]:
        return {"page": self._page, "per_page": WORKSPACE_PAGE_SIZE}

    def take(self, rows: list[Any], headers: Mapping[str, str], told_size: object = None) -> None:
        """A page that is short for the size the server names (or for any size it could have) is the last one.

        The size is named in a header, or beside the rows (`told_size`), or nowhere.
        """
        fresh = [row for row in rows if self._is_new(row)]
        self.rows.extend(fresh)
        size = header_int(headers, "x-page-size") or (told_size if type(told_size) is int else None)
        # A page without anything new means that the server ignores the page number: it gave everything at once.
        self.ended = not fresh or len(rows) < (size if size is not None and size > 0 else SMALLEST_PAGE)
        self._page += 1
        self.more = not self.ended and self._page <= MAX_PAGES

    def _is_new(self, row: object) -> bool:
        row_id = row.get("id") if isinstance(row, dict) else None
        if type(row_id) is not int:
            return True
        if row_id in self._seen:
            return False
        self._seen.add(row_id)
        return True
