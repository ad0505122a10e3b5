"""The same records give the same text, whether they are on this machine or on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Cli

DAILY = "marts.daily_carrier_delay"


@pytest.mark.parametrize(
    "words",
    [
        ("records",),
        ("records", DAILY, "--json"),
        ("records", "--failed"),
        ("records", "staging.*", "--start", "2013-01-05", "--end", "2013-01-06"),
        ("status", DAILY, "--start", "2013-01-01", "--end", "2013-01-31"),
        ("status", "--tables"),
        ("test", DAILY),
        ("backfill", "staging.*", "--start", "2013-01-01", "--end", "2013-01-07", "--dry-run"),
        ("backfill", "+marts.route_summary", "--start", "2013-01", "--end", "2013-02", "--dry-run"),
        ("backfill", "daily", "--start", "2013-01-04", "--end", "2013-01-06", "--dry-run"),
        ("backfill", "daily", "--start", "2013-01-05", "--end", "2013-01-05", "--dry-run"),
        ("gc", "--json"),
    ],
    ids=" ".join,
)
def test_a_command_says_the_same(shared: Path, cli: Cli, words: tuple[str, ...]) -> None:
    cli.cd(shared)
    here, there = cli(*words), cli(*words, "--env", "prod")
    assert here.status == 0, here.err
    assert (there.status, there.out, there.err) == (0, here.out, here.err)
    assert here.out or "no failure" in here.err
