"""Compares tables, wherever they were read from, with what pandas computes from the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tests.example import expected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def assert_pipeline(read: Callable[[str], pd.DataFrame]) -> None:
    """The three marts of the five-table pipeline, for January 2013."""
    assert_same(
        read("daily_carrier_delay"),
        expected.daily_carrier_delay(),
        keys=["dt", "carrier"],
    )
    assert_same(
        read("hourly_delay_weather"),
        expected.hourly_delay_weather(),
        keys=["dt", "origin", "hour_utc"],
    )
    assert_same(read("route_summary"), expected.route_summary(), keys=["origin", "dest"])


def assert_mart(read: Callable[[str], pd.DataFrame]) -> None:
    """Every table that `workflows/daily.yaml` loads, for January 2013 and nothing else."""
    assert_pipeline(read)
    week = read("carrier_delay_7d")
    assert set(week.carrier_name) >= {"United Air Lines", "JetBlue Airways", "Envoy Air"}
    assert_same(
        week.drop(columns="carrier_name"), expected.carrier_delay_7d(), keys=["dt", "carrier"]
    )
    log = read("alb_status_hourly")
    hours = as_instants(log.hour_utc).dt.strftime("%Y-%m-%dT%H")
    found = {
        (str(dt), hour, int(status)): (int(requests), int(sent))
        for dt, hour, status, requests, sent in zip(
            log.dt, hours, log.elb_status_code, log.requests, log.sent_bytes, strict=True
        )
    }
    assert len(found) == len(log)
    assert found == expected.alb_status_hourly()


def assert_headlines(read: Callable[[str], pd.DataFrame]) -> None:
    """The numbers that the README promises, written by hand."""
    daily = read("daily_carrier_delay")
    assert daily.dt.nunique() == 31
    assert daily.flights.astype(int).sum() == 27_004
    assert daily.cancelled.astype(int).sum() == 521
    united = daily[(daily.dt.astype(str) == "2013-01-01") & (daily.carrier == "UA")]
    assert united.flights.astype(int).tolist() == [165]


def assert_same(found: pd.DataFrame, wanted: pd.DataFrame, *, keys: Sequence[str]) -> None:
    """Same rows by key, same columns, numbers equal but for the last bits of a mean."""
    wanted = wanted.reset_index()
    assert set(found.columns) == set(wanted.columns)
    found, wanted = (_ordered(rows, list(keys)) for rows in (found, wanted))
    assert len(found) == len(wanted)
    for name in wanted.columns:
        if pd.api.types.is_numeric_dtype(wanted[name]):
            pd.testing.assert_series_equal(
                found[name].astype(float), wanted[name].astype(float), rtol=1e-12, check_dtype=False
            )
        else:
            assert found[name].astype(str).tolist() == wanted[name].astype(str).tolist(), name


def _ordered(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    if "hour_utc" in rows.columns:
        rows = rows.assign(hour_utc=as_instants(rows.hour_utc))
    return rows.sort_values(keys).reset_index(drop=True)


def as_instants(values: pd.Series) -> pd.Series:
    """Read timestamps without a zone, or with Z, as UTC."""
    return pd.to_datetime(values.astype(str), utc=True, format="ISO8601")
