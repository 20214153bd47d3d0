"""The questions as one would ask them of Polars and of pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.account import END, Account
from benchmarks.rivals_data import DAY, tag_members

__all__ = ["Pandas", "Polars"]

ZONE = "Europe/Berlin"
HOURS = 24
LAST = END - 30 * DAY


class Polars:
    name = "Polars"

    def __init__(self, account: Account) -> None:
        columns = account.columns
        self.entries = pl.DataFrame(
            {
                "start": columns.start,
                "stop": columns.stop,
                "seconds": columns.duration,
                "project": columns.project_id,
                "tag_set": columns.tag_set,
            }
        ).with_columns(
            pl.from_epoch("start", time_unit="s").dt.replace_time_zone("UTC"),
            pl.from_epoch("stop", time_unit="s").dt.replace_time_zone("UTC"),
        )
        sets, tags = tag_members(account)
        self.members = pl.DataFrame({"tag_set": sets.astype(np.int32), "tag": tags})

    @staticmethod
    def _local(column: str) -> pl.Expr:
        return pl.col(column).dt.convert_time_zone(ZONE)

    def _by_day(self, entries: pl.LazyFrame) -> pl.DataFrame:
        day = self._local("start").dt.date().alias("day")
        return entries.group_by(day, "project").agg(pl.col("seconds").sum()).collect()

    def days(self) -> pl.DataFrame:
        return self._by_day(self.entries.lazy())

    def last(self) -> pl.DataFrame:
        begin = pl.from_epoch(pl.lit(LAST), time_unit="s").dt.replace_time_zone("UTC")
        return self._by_day(self.entries.lazy().filter(pl.col("start") >= begin))

    def split(self) -> pl.DataFrame:
        entries = self.entries.lazy().with_columns(
            first=self._local("start").dt.date(),
            last=(pl.col("stop") - pl.duration(microseconds=1)).dt.convert_time_zone(ZONE).dt.date(),
        )
        one = entries.filter(pl.col("last") <= pl.col("first")).select(
            "project", day="first", seconds=(pl.col("stop") - pl.col("start")).dt.total_seconds()
        )
        begin = pl.col("day").cast(pl.Datetime("us")).dt.replace_time_zone(ZONE).dt.convert_time_zone("UTC")
        end = pl.col("day").dt.offset_by("1d").cast(pl.Datetime("us")).dt.replace_time_zone(ZONE)
        piece = pl.min_horizontal("stop", end.dt.convert_time_zone("UTC")) - pl.max_horizontal("start", begin)
        several = (
            entries.filter(pl.col("last") > pl.col("first"))
            .with_columns(day=pl.date_ranges("first", "last"))
            .explode("day")
            .select("project", "day", seconds=piece.dt.total_seconds())
        )
        both = pl.concat([one, several])
        return both.group_by("day", "project").agg(pl.col("seconds").sum()).collect()

    def week(self) -> pl.DataFrame:
        local = self._local("start")
        slot = (local.dt.weekday().cast(pl.Int64) % 7 * HOURS + local.dt.hour()).alias("slot")
        return (
            self.entries.lazy()
            .group_by(slot)
            .agg(pl.col("seconds").sum())
            .select("slot", pl.lit(0), "seconds")
            .collect()
        )

    def tags(self) -> pl.DataFrame:
        return (
            # by set first: a few sets, not all entries, meet their tags
            self.entries.lazy()
            .group_by(self._local("start").dt.date().dt.month_start().alias("month"), "tag_set")
            .agg(pl.col("seconds").sum())
            .join(self.members.lazy(), on="tag_set")
            .group_by("month", "tag")
            .agg(pl.col("seconds").sum())
            .collect()
        )

    @staticmethod
    def cells(found: pl.DataFrame) -> list[Any]:
        step = found.to_series(0)
        if step.dtype == pl.Date:
            unit = "M" if step.name == "month" else "D"
            step = pl.Series(step.to_numpy().astype(f"datetime64[{unit}]").astype(np.int64))
        return list(zip(step.to_list(), found.to_series(1).to_list(), found.to_series(2).to_list(), strict=True))

    def close(self) -> None:
        del self.entries


class Pandas:
    name = "pandas"

    def __init__(self, account: Account) -> None:
        columns = account.columns
        self.entries = pd.DataFrame(
            {
                "start": pd.to_datetime(columns.start, unit="s", utc=True),
                "stop": pd.to_datetime(columns.stop, unit="s", utc=True),
                "seconds": columns.duration,
                "project": columns.project_id,
                "tag_set": columns.tag_set,
            }
        )
        sets, tags = tag_members(account)
        self.members = pd.DataFrame({"tag_set": sets, "tag": tags})

    @staticmethod
    def _day(moments: Any) -> Any:
        return moments.dt.tz_convert(ZONE).dt.tz_localize(None).dt.floor("D")

    def _by_day(self, entries: pd.DataFrame) -> Any:
        return entries["seconds"].groupby([self._day(entries["start"]), entries["project"]]).sum()

    def days(self) -> Any:
        return self._by_day(self.entries)

    def last(self) -> Any:
        return self._by_day(self.entries[self.entries["start"] >= pd.Timestamp(LAST, unit="s", tz="UTC")])

    def split(self) -> Any:
        entries = self.entries
        first = self._day(entries["start"])
        last = self._day(entries["stop"] - pd.Timedelta(microseconds=1))
        over = last > first
        length = (entries["stop"] - entries["start"]).dt.total_seconds()
        one = length[~over].groupby([first[~over], entries["project"][~over]]).sum()
        several = entries[over]
        days = (last[over] - first[over]).dt.days.to_numpy() + 1
        at = np.repeat(np.arange(len(several)), days)
        several = several.iloc[at]
        nth = pd.to_timedelta(np.arange(len(at)) - np.repeat(np.cumsum(days) - days, days), unit="D")
        day = pd.Series(first[over].to_numpy()[at] + nth.to_numpy(), index=several.index, name="start")
        begin = day.dt.tz_localize(ZONE).dt.tz_convert("UTC")
        end = (day + pd.Timedelta(days=1)).dt.tz_localize(ZONE).dt.tz_convert("UTC")
        piece = several["stop"].where(several["stop"] < end, end) - several["start"].where(
            several["start"] > begin, begin
        )
        seconds = piece.dt.total_seconds()
        more = seconds.groupby([day.to_numpy(), several["project"].to_numpy()]).sum()
        return one.add(more.rename_axis(one.index.names), fill_value=0)

    def week(self) -> Any:
        local = self.entries["start"].dt.tz_convert(ZONE).dt
        return self.entries["seconds"].groupby((local.dayofweek + 1) % 7 * HOURS + local.hour).sum()

    def tags(self) -> Any:
        local = self.entries["start"].dt.tz_convert(ZONE).dt
        month = (local.year * 12 + local.month).rename("month")
        by_set = self.entries["seconds"].groupby([month, self.entries["tag_set"]]).sum().reset_index()
        return by_set.merge(self.members, on="tag_set").groupby(["month", "tag"])["seconds"].sum()

    @staticmethod
    def cells(found: Any) -> list[Any]:
        if found.index.nlevels == 1:
            return [(slot, 0, seconds) for slot, seconds in found.items()]
        step = found.index.get_level_values(0)
        if step.name == "month":
            number = step.to_numpy() - 1970 * 12 - 1
        else:
            number = step.to_numpy().astype("datetime64[D]").astype(np.int64)
        return list(zip(number.tolist(), found.index.get_level_values(1).tolist(), found.tolist(), strict=True))

    def close(self) -> None:
        del self.entries
