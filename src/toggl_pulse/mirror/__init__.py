"""The mirror: Toggl's rows by id, their history, and the columns that answers are made of."""

from toggl_pulse.mirror.batch import Batch
from toggl_pulse.mirror.catalogue import CatalogueRow
from toggl_pulse.mirror.copier import Copied, CopyProgress
from toggl_pulse.mirror.mirror import Mirror
from toggl_pulse.mirror.points import PointCounts, Points, Stale
from toggl_pulse.mirror.projection import Projection
from toggl_pulse.mirror.records import (
    Account,
    CatalogueCounts,
    Deletion,
    EntryVersion,
    MirrorCounts,
    MonthCheck,
    MonthState,
    Outcome,
    RunFigures,
    RunToTell,
    SetAsideRow,
    StoredEntry,
    SyncRun,
)

__all__ = [
    "Account",
    "Batch",
    "CatalogueCounts",
    "CatalogueRow",
    "Copied",
    "CopyProgress",
    "Deletion",
    "EntryVersion",
    "Mirror",
    "MirrorCounts",
    "MonthCheck",
    "MonthState",
    "Outcome",
    "PointCounts",
    "Points",
    "Projection",
    "RunFigures",
    "RunToTell",
    "SetAsideRow",
    "Stale",
    "StoredEntry",
    "SyncRun",
]
