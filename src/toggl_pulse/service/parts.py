"""What a service is made of, as the settings say: clients, credentials, and the settings of a demo.

Builds and asks nothing yet.
"""

from __future__ import annotations

from datetime import UTC, datetime

from toggl_pulse.errors import NeedsUser
from toggl_pulse.influx import Influx, InfluxSource
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import EntrySource
from toggl_pulse.settings import Settings
from toggl_pulse.toggl import Credentials

__all__ = ["credentials_of", "demo_settings", "influx_of", "source_of", "utc_now"]

NO_CREDENTIALS = (
    "There are no Toggl credentials: set TOGGL_API_TOKEN (or TOGGL_EMAIL and TOGGL_PASSWORD) in the environment "
    "or in .env, or look at the demo with `toggl-pulse demo`."
)


def utc_now() -> datetime:
    return datetime.now(UTC)


def demo_settings(settings: Settings) -> Settings:
    """The same settings with a data folder of the demo's own and nothing of the real account in them."""
    folder = settings.data_dir.expanduser() / "demo"
    return settings.model_copy(
        update={
            "data_dir": folder,
            "database_url": f"sqlite:///{folder / 'mirror.db'}",
            "toggl_api_token": None,
            "toggl_email": None,
            "toggl_password": None,
            "backfill_from": None,
            "influxdb_bucket": f"{settings.influxdb_bucket}_demo",
            # a token for the account's own bucket cannot make another, and a demo shall answer all the same
            "query_source": "mirror",
        }
    )


def influx_of(settings: Settings) -> Influx | None:
    """The client of InfluxDB, where one is set; asks it nothing yet."""
    if not settings.influxdb_url or settings.influxdb_token is None:
        return None
    return Influx(
        settings.influxdb_url,
        settings.influxdb_token.get_secret_value(),
        org=settings.influxdb_org,
        bucket=settings.influxdb_bucket,
    )


def source_of(settings: Settings, influx: Influx | None, mirror: Mirror) -> EntrySource:
    """What answers are made from; names and rates are the mirror's in either case."""
    if settings.query_source == "influxdb" and influx is not None:
        return InfluxSource(influx, mirror.points)
    return mirror


def credentials_of(settings: Settings) -> Credentials:
    if settings.toggl_api_token is not None:
        return Credentials.token(settings.toggl_api_token.get_secret_value())
    if settings.toggl_email is not None and settings.toggl_password is not None:
        return Credentials.password(settings.toggl_email, settings.toggl_password.get_secret_value())
    raise NeedsUser(NO_CREDENTIALS, code="no_credentials")
