"""Event patterns of triggers, judged by a matcher that is not ours: moto's EventBridge."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.events.models import EventPattern

from runner.plan.stack.patterns import pattern_of


def trigger(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    fields = {"type": "object", "bucket": "inbox", "prefix": "", "suffix": "", "period": None}
    return {**fields, **more}


def arrived(key: str, bucket: str = "inbox") -> Any:  # noqa: ANN401 - moto's type is whole
    """Write the event of S3 as the EventBridge user guide shows it."""
    detail = {"version": "0", "bucket": {"name": bucket}, "object": {"key": key, "size": 5}}
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}


def test_both_ends_of_a_key_are_one_condition() -> None:
    """Two matchers in one list would mean either of them."""
    found = pattern_of(trigger(prefix="in/", suffix=".csv"))
    assert found == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": ["inbox"]},
            "object": {"key": [{"wildcard": "in/*.csv"}]},
        },
    }


@pytest.mark.parametrize(
    ("prefix", "suffix", "period", "key"),
    [
        ("in/", "", None, {"prefix": "in/"}),
        ("", "_SUCCESS", None, {"suffix": "_SUCCESS"}),
        ("in/", "", "dt={year}/", {"prefix": "in/dt="}),
        ("", "", "{year}/", None),
        ("a*b\\c/", ".csv", None, {"wildcard": "a\\*b\\\\c/*.csv"}),
    ],
)
def test_of_a_key_all_is_matched_that_is_sure(
    prefix: str, suffix: str, period: str | None, key: dict[str, str] | None
) -> None:
    detail = pattern_of(trigger(prefix=prefix, suffix=suffix, period=period))["detail"]
    assert detail.get("object") == (None if key is None else {"key": [key]})


def test_moto_matches_what_is_meant() -> None:
    found = EventPattern.load(json.dumps(pattern_of(trigger(prefix="in/", period="dt={year}/"))))
    assert found.matches_event(arrived("in/dt=2013/x.csv"))
    assert not found.matches_event(arrived("in/2013/x.csv"))
    assert not found.matches_event(arrived("in/dt=2013/x.csv", bucket="other"))


def test_the_pattern_of_an_event_is_the_users_own() -> None:
    written = {"source": ["my.app"], "detail": {"state": [{"anything-but": "draft"}]}}
    assert pattern_of({"type": "event", "pattern": written}) == written
