"""What the demo freelancer works on: invented clients, projects, tags and texts, as plain data.

Names with quotes, pipes, commas, accents and emoji are here on purpose; all companies are made up.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CLIENTS", "LOOSE_TEXTS", "PROJECTS", "TAGS", "TASKS", "Plan"]


class Plan(NamedTuple):
    """A project and how it fills the year: `weight` at its busiest, in month `peak`, down to (1 - `swing`) of it."""

    key: str
    name: str
    client: str | None
    color: str
    rate: float | None
    weight: float
    peak: int
    swing: float
    texts: tuple[str, ...]
    tags: tuple[str, ...] = ()
    currency: str = "EUR"
    fixed_fee: float | None = None
    archived: bool = False


CLIENTS = {
    "nordlicht": "Nordlicht Solar GmbH",
    "kruemel": "Bäckerei Krümel & Söhne",
    "atlas": "Atlas Maps, Inc.",
    "stunde": 'Verlag "Blaue Stunde"',
    "ostwind": "Ostwind Logistik | Nord",
    "kiosk": "Kiosk 24",
}

PROJECTS = (
    Plan(
        "solar-web", "Website", "nordlicht", "#2da608", 92.0, 3.0, 3, 0.7,
        ("Landing page", "Landing page, mobile", "Contact form", "Image pipeline", "Copy review with marketing",
         "Accessibility fixes", "Page speed", "Cookie banner, again"),
        ("design", "write|review"),
    ),
    Plan(
        "solar-dash", "Solar dashboard", "nordlicht", "#0b83d9", 105.0, 6.0, 9, 0.5,
        ("Inverter API", "Live chart of the roof", "Weekly report mail", "Sprint planning", "Fix time zone in charts",
         "Alerts when a string drops", "Review of pull requests", "Deploy to staging", "Pairing on the importer"),
        ("deep work", "bug", "meeting"),
    ),
    Plan(
        "bakery-web", "Website", "kruemel", "#c7af14", 70.0, 1.6, 11, 0.8,
        ("Christmas shop", "Opening hours widget", "Photos of the bread", "Newsletter template", "Order form"),
        ("design",),
    ),
    Plan(
        "bakery-brand", "Brand, Web & Print", "kruemel", "#e36a00", 70.0, 1.2, 5, 0.6,
        ("Logo, second round", "Paper bags: print data", "Menu board", "Call with the printer"),
        ("design", "call, external"),
    ),
    Plan(
        "atlas-trails", "🗺️ Trail maps", "atlas", "#06a893", 120.0, 3.4, 7, 0.6,
        ("Contour lines", "Offline tiles", "Hut icons 🛖", "Weekly call", "Elevation profile",
         "Bug: path vanishes at z14"),
        ("deep work", "call, external", "bug"), currency="USD",
    ),
    Plan(
        "atlas-tiles", "Tile pipeline \\ tools", "atlas", "#465bb3", 120.0, 1.4, 1, 0.5,
        ("Nightly build", "Cache headers", "Move the queue", "Read logs of C:\\tiles\\old"),
        ("deep work",), currency="USD",
    ),
    Plan(
        "ebook", '"Night Train" e-book', "stunde", "#990099", None, 1.8, 2, 0.9,
        ("Chapter 4", "Footnotes", "Cover: three drafts", "Proofs with the editor", "EPUB check"),
        ("write|review", "design"), fixed_fee=4200.0,
    ),
    Plan(
        "portal", "Tracking portal | phase 2", "ostwind", "#d94182", 98.0, 3.2, 6, 0.4,
        ("Driver list", "Barcode scan", "Workshop on site", 'CSV import, "as always"', "Permissions", "Load test",
         "Hotline", "Scope of phase 3"),
        ("on site", "meeting", '"urgent"'),
    ),
    Plan(
        "kiosk", "Order kiosk", "kiosk", "#525266", 60.0, 2.2, 12, 0.2,
        ("Touch screen", "Receipt printer", "Handover"),
        ("bug", "on site"), archived=True,
    ),
    Plan(
        "admin", "Admin", None, "#566614", None, 2.0, 1, 0.3,
        ("Invoices", "Bookkeeping", "Mail", "=SUM of the quarter, check", "Tax adviser", "Backups"),
        ("☕ informal",),
    ),
    Plan(
        "learning", "Learning", None, "#9e5bd9", None, 0.8, 10, 0.5,
        ("Course: data visualisation", "Read release notes", "Try out a new map library", "Meetup talk, slides"),
        ("deep work",),
    ),
    Plan(
        "acquisition", "Acquisition", None, "#bf7000", None, 0.9, 4, 0.6,
        ("Offer", "First call", "Portfolio", "Coffee with a lead ☕"),
        ("call, external", "☕ informal"),
    ),
)  # fmt: skip

TAGS = ("deep work", "meeting", "call, external", "write|review", "☕ informal", '"urgent"', "on site", "design", "bug")

TASKS = {"solar-dash": ("Importer", "Charts & alerts"), "portal": ("Change requests",)}

LOOSE_TEXTS = ("Mail", "Phone", "Sorting things", "What was this?", "")
"""Texts of entries without a project."""
