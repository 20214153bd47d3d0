"""An account whose every name is somebody's attempt at the page."""

from __future__ import annotations

from api.scene import USER, WORKSPACE, entry
from hostile import arrived, hostile_names
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import Client, Profile, Project, Tag, User, Workspace

__all__ = ["NAMES", "fill_hostile"]

NAMES = [
    *(arrived(name) for name in hostile_names(120, seed=8)),
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "'-alert(1)-'",
    "{{7*7}}",
    "%{fullData.name}<b>bold</b>",
    "<a href='javascript:alert(1)'>x</a>",
    "x" * 10_000,
]


def fill_hostile(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        batch.write_catalogue(
            [
                Workspace(WORKSPACE, NAMES[60]),
                User(USER, NAMES[61]),
                Profile(USER, "ada@example.com", "Ada", "Europe/Berlin", 1, WORKSPACE),
                *(Client(1000 + n, WORKSPACE, name) for n, name in enumerate(NAMES)),
                *(
                    Project(2000 + n, WORKSPACE, name, 1000 + n, color='#fff"><script>' if n % 2 else "#AABBCC")
                    for n, name in enumerate(NAMES)
                ),
                *(Tag(3000 + n, WORKSPACE, name) for n, name in enumerate(NAMES)),
            ]
        )
        batch.write_entries(
            [
                entry(
                    n,
                    f"2026-11-{1 + n % 22:02d}T0{n % 10}:00",
                    0.5 + n / 50,
                    project_id=2000 + n,
                    description=name[:3000],
                    tags=(name,),
                    tag_ids=(3000 + n,),
                )
                for n, name in enumerate(NAMES)
            ]
        )
