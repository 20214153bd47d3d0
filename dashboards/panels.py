"""The kinds of panels, each with what all of its kind share: unit, empty state, legend, tooltip.

A panel must say what it counts; the words come from the catalogue. Knows nothing of dashboards or places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any, Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import bargauge, gauge, stat, table, text, timeseries
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import DashboardLink, FieldColor, ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import (
    BarAlignment,
    BarGaugeDisplayMode,
    BarGaugeNamePlacement,
    BarGaugeSizing,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueJustifyMode,
    BigValueTextMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TableCellBackgroundDisplayMode,
    TableCellHeight,
    TableColoredBackgroundCellOptions,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLink as DashboardLinkModel,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.dashboard import (
    Panel as PanelModel,
)
from grafana_foundation_sdk.models.text import TextMode

from dashboards.ask import INFLUXDB, PULSE, Ask, Flux, meaning

__all__ = [
    "HOURS",
    "bars",
    "calendar",
    "grid",
    "joined",
    "levels",
    "lines",
    "links",
    "numbers",
    "of_influxdb",
    "only",
    "ordered",
    "override",
    "quotient",
    "ranking",
    "said",
    "share",
    "steps",
    "without",
    "words",
]

HOURS = "suffix:h"
"""Grafana's own `h` makes 1.7 days of 40 hours."""

A_DAY = "1d"
MOST_STEPS = 62
"""Steps of `auto`: days up to two months, weeks up to a year, then months."""


class _Panel(Protocol):
    """What every kind's builder has."""

    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def datasource(self, datasource: DataSourceRef) -> Self: ...
    def targets(self, targets: list[Builder[Dataquery]]) -> Self: ...
    def unit(self, unit: str) -> Self: ...
    def no_value(self, no_value: str) -> Self: ...
    def decimals(self, decimals: float) -> Self: ...
    def build(self) -> PanelModel: ...


P = TypeVar("P", bound=_Panel)
Questions = Ask | Sequence[Ask]
"""One question, or several, which get letters by their order."""


def _filled(panel: P, title: str, questions: Questions, *, unit: str, empty: str, more: str, framed: bool = False) -> P:
    asked = [questions] if isinstance(questions, Ask) else list(questions)
    if framed:
        asked = [each.framed() for each in asked]
    said_once = dict.fromkeys(meaning(each.target) for each in asked)
    return (
        panel.title(title)
        .description(" ".join([*said_once, *([more] if more else [])]))
        .datasource(PULSE)
        .targets([each.ref(letter) for each, letter in zip(asked, ascii_uppercase, strict=False)])
        .unit(unit)
        .no_value(empty)
    )


def numbers(
    title: str, questions: Questions, *, fields: str = "", unit: str = HOURS, empty: str = "0", more: str = ""
) -> stat.Panel:
    """Large numbers; of a table those columns that `fields`, a pattern, names."""
    reduce = ReduceDataOptions().calcs(["lastNotNull"]).values(values=False).fields(fields)
    panel = _filled(stat.Panel(), title, questions, unit=unit, empty=empty, more=more, framed=not fields)
    return (
        panel.reduce_options(reduce)
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.VALUE)
        .justify_mode(BigValueJustifyMode.AUTO)
        .text_mode(BigValueTextMode.VALUE_AND_NAME if fields else BigValueTextMode.VALUE)
        .orientation(VizOrientation.AUTO)
        .wide_layout(wide_layout=True)
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(levels("text"))
        .decimals(1)
    )


def share(title: str, questions: Questions, *, empty: str, more: str = "") -> gauge.Panel:
    """A share of a whole, 0 to 1."""
    panel = _filled(gauge.Panel(), title, questions, unit="percentunit", empty=empty, more=more, framed=True)
    return (
        panel.reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).values(values=False).fields(""))
        .orientation(VizOrientation.AUTO)
        .show_threshold_labels(show_threshold_labels=False)
        .show_threshold_markers(show_threshold_markers=False)
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(levels("blue"))
        .min(0)
        .max(1)
        .decimals(0)
    )


def bars(title: str, questions: Questions, *, empty: str, unit: str = HOURS, more: str = "") -> timeseries.Panel:
    """Stacked bars, each from the beginning of its step on."""
    panel = _charted(title, questions, unit=unit, empty=empty, more=more)
    return (
        panel.draw_style(GraphDrawStyle.BARS)
        .bar_alignment(BarAlignment.AFTER)
        .bar_width_factor(0.9)
        .fill_opacity(85)
        .line_width(0)
        .stacking(StackingConfig().mode(StackingMode.NORMAL).group("A"))
    )


def lines(title: str, questions: Questions, *, empty: str, unit: str = HOURS, more: str = "") -> timeseries.Panel:
    """Lines with points, broken where there is no value."""
    panel = _charted(title, questions, unit=unit, empty=empty, more=more)
    return (
        panel.draw_style(GraphDrawStyle.LINE)
        .line_width(2)
        .fill_opacity(0)
        .show_points(VisibilityMode.ALWAYS)
        .point_size(6)
        .span_nulls(span_nulls=False)
    )


def _charted(title: str, questions: Questions, *, unit: str, empty: str, more: str) -> timeseries.Panel:
    panel = _filled(timeseries.Panel(), title, questions, unit=unit, empty=empty, more=more, framed=True)
    return _drawn(panel).interval(A_DAY).max_data_points(MOST_STEPS).decimals(1)


def of_influxdb(title: str, statement: str, *, unit: str, empty: str, describes: str) -> timeseries.Panel:
    """Lines of what Flux finds."""
    panel = timeseries.Panel().title(title).description(describes).datasource(INFLUXDB).targets([Flux(statement)])
    return (
        _drawn(panel)
        .unit(unit)
        .no_value(empty)
        .draw_style(GraphDrawStyle.LINE)
        .line_width(1)
        .fill_opacity(10)
        .show_points(VisibilityMode.AUTO)
    )


def _drawn(panel: timeseries.Panel) -> timeseries.Panel:
    """What all charts share: one colour a name, a legend below, a tooltip of all."""
    return (
        panel.color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .axis_soft_min(0)
        .legend(
            VizLegendOptions()
            .show_legend(show_legend=True)
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .calcs([])
        )
        .tooltip(
            VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING).hide_zeros(hide_zeros=True)
        )
    )


def ranking(title: str, questions: Questions, *, empty: str, unit: str = HOURS, more: str = "") -> bargauge.Panel:
    """Horizontal bars, one a group, largest first as they are answered."""
    panel = _filled(bargauge.Panel(), title, questions, unit=unit, empty=empty, more=more, framed=True)
    return (
        panel.reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).values(values=False).fields(""))
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .name_placement(BarGaugeNamePlacement.LEFT)
        .show_unfilled(show_unfilled=True)
        .sizing(BarGaugeSizing.AUTO)
        .min_viz_height(16)
        .max_viz_height(32)
        .color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .min(0)
        .decimals(1)
    )


def said(title: str, questions: Questions, *, empty: str, unit: str = "none", more: str = "") -> table.Panel:
    """A table; `unit` is that of the columns without one of their own."""
    panel = _filled(table.Panel(), title, questions, unit=unit, empty=empty, more=more, framed=True)
    return (
        panel.show_header(show_header=True).cell_height(TableCellHeight.SM).min_width(70).filterable(filterable=False)
    )


def grid(title: str, question: Ask, *, empty: str, more: str = "") -> table.Panel:
    """Numbers in coloured cells: one scale for all of them, and a dot for nothing."""
    return (
        said(title, question, empty=empty, more=more)
        .min_width(36)
        .decimals(1)
        .min(0)
        .cell_options(TableColoredBackgroundCellOptions(mode=TableCellBackgroundDisplayMode.BASIC))
        .color_scheme(FieldColor().mode(FieldColorModeId.CONTINUOUS_BL_PU))
        .mappings([ValueMap(options={"0": ValueMappingResult(text="·", color="transparent", index=0)})])
    )


def calendar(title: str, question: Ask, *, empty: str, more: str = "") -> table.Panel:
    """A row a day and a column a group; the newest day first."""
    return (
        grid(title, question.framed(), empty=empty, more=more)
        .min_width(90)
        .override_by_name("Time", override(unit="time:ddd YYYY-MM-DD", custom_width=130))
        .override_by_field_type("number", override(color={"mode": "continuous-BlPu"}))
        .transformations([joined("Time"), ordered("Time", descending=True)])
    )


def words(title: str, content: str, *, describes: str) -> text.Panel:
    return text.Panel().title(title).description(describes).mode(TextMode.MARKDOWN).content(content)


def levels(base: str, *higher: tuple[float, str]) -> ThresholdsConfig:
    """A colour for small values, then others from some value on."""
    steps = [Threshold(value=None, color=base), *(Threshold(value=value, color=color) for value, color in higher)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def override(**properties: Any) -> list[DynamicConfigValue]:
    """Properties of a field: `custom_width=80` is `custom.width`."""
    return [
        DynamicConfigValue(id_val=name.replace("custom_", "custom."), value=value) for name, value in properties.items()
    ]


def steps(colors: Mapping[float | None, str]) -> dict[str, object]:
    """Thresholds as an override writes them."""
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in colors.items()]}


def links(*leads: tuple[str, str]) -> list[Builder[DashboardLinkModel]]:
    """Where a click on a value may lead: titles and addresses."""
    return [DashboardLink(title).url(url) for title, url in leads]


def only(*columns: str) -> DataTransformerConfig:
    """Of every frame these columns alone, called as the service or as people call them."""
    return DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": list(columns)}})


def without(*columns: str) -> DataTransformerConfig:
    """All columns but these."""
    return DataTransformerConfig(
        id_val="organize",
        options={"excludeByName": dict.fromkeys(columns, True), "indexByName": {}, "renameByName": {}},
    )


def joined(column: str) -> DataTransformerConfig:
    """One table of several, row by row by a column that all have."""
    return DataTransformerConfig(id_val="joinByField", options={"byField": column, "mode": "outer"})


def ordered(column: str, *, descending: bool = False) -> DataTransformerConfig:
    """By a column, called by the heading that people see: here Grafana knows no other name."""
    return DataTransformerConfig(
        id_val="sortBy", options={"fields": {}, "sort": [{"field": column, "desc": descending}]}
    )


def quotient(above: str, below: str, name: str) -> DataTransformerConfig:
    """A column more: one divided by another; both called as for `ordered`."""
    return DataTransformerConfig(
        id_val="calculateField",
        options={
            "mode": "binary",
            "alias": name,
            "binary": {"left": above, "operator": "/", "right": below},
            "replaceFields": False,
        },
    )
