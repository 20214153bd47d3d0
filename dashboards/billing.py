"""Billing: what is paid, what is not, and what stands on the next invoice."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

from dashboards.ask import FILTERS, PULSE, ZONE, Ask, word
from dashboards.board import board, place
from dashboards.lists import entries, lead, link
from dashboards.panels import HOURS, bars, joined, lines, numbers, only, override, quotient, said, share
from dashboards.variables import attribution, filters, interval, zone

NOTHING = "Nothing tracked"
NONE_BILLABLE = "Nothing billable"
BILLABLE = {"billable": ["true"]}
NOT_BILLABLE = {"billable": ["false"]}
BOTH = "The variable Billable holds as well."

CSV = "&".join(
    (
        f"/api/datasources/proxy/uid/{PULSE.uid}/entries.csv?from=${{__from:date:iso}}&to=${{__to:date:iso}}",
        f"timezone={ZONE}&attribution={word('attribution')}&billable=true&spreadsheet_safe=true",
        *(f"${{{name}:queryparam}}" for name in FILTERS if name != "billable"),
    )
)
"""Through Grafana, which knows the token and whether somebody is signed in."""


def build() -> Dashboard:
    made = board(
        "billing",
        "Billing",
        "What is paid and what is not, by month and client, and the entries for the next invoice.",
        since="now-6M",
        variables=[*filters(), interval("month"), attribution(), zone()],
    )
    made.link(
        DashboardLink("Billable entries as CSV")
        .type(DashboardLinkType.LINK)
        .icon("doc")
        .tooltip("The billable entries of this range and these filters, for a spreadsheet")
        .url(CSV)
        .target_blank(target_blank=True)
    )
    asked = {"timezone": ZONE, "attribution": word("attribution"), "filters": FILTERS}
    whole = {**asked, "interval": "range"}
    place(
        made,
        5,
        (6, numbers("Billable", Ask("billable_hours", **whole), empty="0")),
        (6, numbers("Not billable", Ask("tracked_hours", **whole, **NOT_BILLABLE), empty="0", more=BOTH)),
        (6, share("Billable share", Ask("billable_share", **whole), empty="–")),
        (
            6,
            numbers(
                "Entries to invoice",
                Ask("entry_count", **whole, **BILLABLE),
                unit="none",
                empty="0",
                more=f"Billable ones only. {BOTH}",
            ).decimals(0),
        ),
    )
    steps = {**asked, "interval": word("interval")}
    place(
        made,
        9,
        (
            24,
            bars("Billable and not", Ask("tracked_hours", group_by="billable", **steps), empty=NOTHING)
            .override_by_name("billable", override(color={"mode": "fixed", "fixedColor": "green"}))
            .override_by_name("not billable", override(color={"mode": "fixed", "fixedColor": "gray"})),
        ),
    )
    by_client = {**steps, "group_by": "client", "limit": 12}
    place(
        made,
        10,
        (
            12,
            bars("Billable by client", Ask("billable_hours", **by_client), empty=NONE_BILLABLE).data_links(
                lead("client")
            ),
        ),
        (
            12,
            bars(
                "Not billable by client",
                Ask("tracked_hours", **by_client, **NOT_BILLABLE),
                empty="Everything is billable",
                more=f"Entries that are not billable only. {BOTH}",
            ).data_links(lead("client")),
        ),
    )
    place(
        made,
        10,
        (
            12,
            lines("Billable share by step", Ask("billable_share", **steps), unit="percentunit", empty=NOTHING)
            .decimals(0)
            .min(0)
            .max(1),
        ),
        (
            12,
            said(
                "Clients",
                [
                    Ask("tracked_hours", group_by="client", format="table", **whole),
                    Ask("billable_hours", group_by="client", format="table", **whole),
                ],
                empty=NOTHING,
                unit=HOURS,
                more="The share is the second divided by the first.",
            )
            .transformations(
                [
                    only("client", "tracked_hours", "billable_hours"),
                    joined("client"),
                    quotient("billable_hours", "tracked_hours", "share"),
                ]
            )
            .override_by_name("client", override(links=[link("This client", "client")]))
            .override_by_name("tracked_hours", override(displayName="tracked", decimals=2))
            .override_by_name("billable_hours", override(displayName="billable", decimals=2, noValue="0"))
            .override_by_name("share", override(unit="percentunit", decimals=0, noValue="–", min=0, max=1)),
        ),
    )
    invoice = entries(
        "To invoice",
        Ask("entries", **asked, **BILLABLE),
        empty=NONE_BILLABLE,
        more="Billable ones only; the link above the table fetches the same as CSV.",
    )
    place(
        made,
        14,
        (
            24,
            invoice.links(
                [DashboardLink("As CSV").type(DashboardLinkType.LINK).url(CSV).target_blank(target_blank=True)]
            ),
        ),
    )
    return made
