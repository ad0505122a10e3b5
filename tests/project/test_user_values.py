"""Values that users write as text: cron expressions, durations, nearest names."""

from __future__ import annotations

import pytest

from runner.model.cron import cron_problem
from runner.model.nearest import nearest, suggestion


@pytest.mark.parametrize(
    "text",
    [
        "0 3 * * ? *",
        "15 10 ? * 6L 2022-2023",
        "0/15 * * * ? *",
        "0 8 1 * ? *",
        "0 18 ? * MON-FRI *",
        "5,35 14 ? * mon,wed *",
        "0 9 ? * 2#1 *",
        "0 0 L * ? *",
        "0 0 3W JAN-MAR ? *",
        "0 22-2 * * ? *",
    ],
)
def test_expressions_of_eventbridge_pass(text: str) -> None:
    assert cron_problem(text) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0 3 * * *", "5 fields"),
        ("", "0 fields"),
        ("0 3 * * * *", "no `?` for the day that does not matter"),
        ("0 3 ? * ? *", "two `?`"),
        ("60 3 * * ? *", "minutes '60' is not within 0-59"),
        ("0 24 * * ? *", "hours '24' is not within 0-23"),
        ("0 3 0 * ? *", "day-of-month '0' is not within 1-31"),
        ("0 3 * 13 ? *", "month '13' is not within 1-12 or JAN-DEC"),
        ("0 3 ? * 0 *", "day-of-week '0' is not within 1-7 or SUN-SAT"),
        ("0 3 ? * FUN *", "day-of-week 'FUN' is not within 1-7 or SUN-SAT"),
        ("*/x 3 * * ? *", "minutes '*/X' has no number after the /"),
        ("? 3 * * ? *", "minutes '?' is not within 0-59"),
        ("0 3 * * ? 1969", "year '1969' is not within 1970-2199"),
        ("cron(0 3 * * ? *)", "minutes 'CRON(0' is not within 0-59"),
        ("0 3 ٣ * ? *", "day-of-month '٣' is not within 1-31"),
    ],
)
def test_expressions_that_aws_refuses_are_refused(text: str, problem: str) -> None:
    assert cron_problem(text) == problem


def test_only_names_about_as_near_as_the_nearest_are_proposed() -> None:
    assert nearest("Asia/Tokio", ["Asia/Tomsk", "Asia/Tokyo", "Asia/Thimbu"]) == ("Asia/Tokyo",)
    assert suggestion("x", ["formats"], otherwise="remove it") == "remove it"
