"""A page's tables as their readers see them, for tests that compare numbers."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["Cell", "links_of", "tables_of"]


class Cell(str):  # noqa: SLOT000 (a subclass of str cannot have slots beside its own letters)
    """What a cell says: the value of its number where it has one, else its text.

    `link` is the address it leads to, `day` the one that it stands for.
    """

    link: str = ""
    day: str = ""


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[list[Cell]]]] = []
        self.links: list[tuple[str, str]] = []
        self._caption: list[str] = []
        self._text: list[str] | None = None
        self._link = self._day = ""
        self._value: str | None = None
        self._hidden = 0
        self._anchor: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._hidden or given.get("role") == "tooltip":
            self._hidden += tag == "span"
        elif tag == "table":
            self.tables.append(("", []))
        elif tag == "tr":
            self.tables[-1][1].append([])
        elif tag in {"td", "th", "caption"}:
            self._text, self._link, self._value = [], "", given.get("data-hours")
            self._day = given.get("data-day", "")
        elif tag == "a":
            self._anchor = []
            self._link = given["href"]
        elif tag == "data" and self._text is not None:
            self._value = given["value"]

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._hidden -= tag == "span"
        elif tag == "caption":
            self.tables[-1] = ("".join(self._text or ()), self.tables[-1][1])
            self._text = None
        elif tag in {"td", "th"}:
            text = " ".join("".join(self._text or ()).split())
            cell = Cell(text if self._value is None else self._value)
            cell.link, cell.day = self._link, self._day
            self.tables[-1][1][-1].append(cell)
            self._text, self._link = None, ""
        elif tag == "a" and self._anchor is not None:
            self.links.append((" ".join("".join(self._anchor).split()), self._link))
            self._anchor = None

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        for text in (self._text, self._anchor):
            if text is not None:
                text.append(data)


def tables_of(page: str) -> dict[str, list[list[Cell]]]:
    """The rows of each table, by the first words of its caption (up to a colon or semicolon)."""
    reader = _Tables()
    reader.feed(page)
    return {caption.replace(";", ":").partition(":")[0]: rows for caption, rows in reader.tables}


def links_of(page: str) -> dict[str, str]:
    """Where each link leads, by its words."""
    reader = _Tables()
    reader.feed(page)
    return dict(reader.links)
