"""Steps that bring data: what they call, how they wait, and every way in which they end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runner.model.ports import Json, ServiceError
from tests.support.definitions import TABLES, compiled
from tests.support.source_steps import Answer, Played, play_twice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CRAWL = {"raw": {"type": "crawler", "name": "events", "timeout": "1h"}}


def states_of(definition: bytes) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(definition)["States"]
    return whole


def crawler(state: str, started: str = "", status: str = "", message: str = "") -> Json:
    last: dict[str, str] = {}
    if started:
        last = {"StartTime": started, "Status": status}
    if message:
        last["ErrorMessage"] = message
    return {"Crawler": {"Name": "events", "State": state, **({"LastCrawl": last} if last else {})}}


OLD = crawler("READY", "2013-01-01T00:00:00Z", "SUCCEEDED")
OLD_RUNS = crawler("RUNNING", "2013-01-01T00:00:00Z", "SUCCEEDED")
NEW = crawler("READY", "2013-01-02T00:00:00Z", "SUCCEEDED")


def crawl(folder: Path, steps: Json = None, **answers: Sequence[Answer]) -> Played:
    definition = compiled(TABLES[0], steps=steps or CRAWL)
    return play_twice(folder, definition, {f"raw {verb}": said for verb, said in answers.items()})


def test_a_crawl_is_over_when_the_last_crawl_is_another(tmp_path: Path) -> None:
    played = crawl(tmp_path, before=[OLD], start=[{}], look=[OLD, OLD_RUNS, NEW])
    assert played.result == {
        "step": "raw",
        "name": "raw",
        "kind": "crawler",
        "status": "succeeded",
    }
    assert played.called("raw start", "raw look") == ["raw start", *["raw look"] * 3]
    assert played.world.statements("raw start") == [{"Name": "events"}]


def test_the_first_crawl_of_all(tmp_path: Path) -> None:
    played = crawl(tmp_path, before=[crawler("READY")], start=[{}], look=[crawler("READY"), NEW])
    assert played.result["status"] == "succeeded"


def test_a_crawl_of_somebody_else_is_waited_for_and_ours_comes_after(tmp_path: Path) -> None:
    busy = ServiceError("Glue.CrawlerRunningException", "already started")
    theirs = crawler("READY", "2013-01-01T12:00:00Z", "SUCCEEDED")
    played = crawl(
        tmp_path, before=[OLD_RUNS, OLD, theirs], start=[busy, {}], look=[theirs, OLD_RUNS, NEW]
    )
    assert played.result["status"] == "succeeded"
    assert played.called("raw before", "raw start", "raw look") == [
        "raw before",
        "raw before",
        "raw start",
        "raw before",
        "raw start",
        "raw look",
        "raw look",
        "raw look",
    ]


def test_a_failed_crawl_fails_the_step_with_its_message(tmp_path: Path) -> None:
    bad = crawler("READY", "2013-01-02T00:00:00Z", "FAILED", "no access to s3://raw/")
    played = crawl(tmp_path, before=[OLD], start=[{}], look=[bad])
    assert played.ended.error == "Runner.StepsFailed"
    assert "Crawler events ended FAILED: no access to s3://raw/" in str(played.ended.cause)


def test_a_cancelled_crawl_fails_the_step(tmp_path: Path) -> None:
    bad = crawler("READY", "2013-01-02T00:00:00Z", "CANCELLED")
    steps = {"raw": {**CRAWL["raw"], "catch": [{"errors": ["Crawler.Failed"], "next": "continue"}]}}
    played = crawl(tmp_path, steps, before=[OLD], start=[{}], look=[bad])
    assert played.result["status"] == "caught"
    assert played.result["message"] == "Crawler events ended CANCELLED"


def test_a_retry_of_the_step_crawls_again(tmp_path: Path) -> None:
    bad = crawler("READY", "2013-01-02T00:00:00Z", "FAILED", "once")
    good = crawler("READY", "2013-01-03T00:00:00Z", "SUCCEEDED")
    retry = [{"errors": ["Crawler.Failed"], "interval": "1s", "max_attempts": 1}]
    steps = {"raw": {**CRAWL["raw"], "retry": retry}}
    played = crawl(tmp_path, steps, before=[OLD, bad], start=[{}], look=[bad, good])
    assert played.result["status"] == "succeeded"
    assert played.called("raw start") == ["raw start", "raw start"]


def test_a_crawler_that_is_not_there_is_the_error_of_glue(tmp_path: Path) -> None:
    gone = ServiceError("Glue.EntityNotFoundException", "Crawler events not found")
    steps = {
        "raw": {
            **CRAWL["raw"],
            "catch": [{"errors": ["Glue.EntityNotFoundException"], "next": "continue"}],
        }
    }
    played = crawl(tmp_path, steps, before=[gone])
    assert played.result["status"] == "caught"


def test_a_crawl_that_takes_too_long_fails_the_step() -> None:
    """The time of one interpreter stands still, so the definition is read."""
    states = states_of(compiled(TABLES[0], steps=CRAWL))["raw run"]["Branches"][0]["States"]
    late = states["raw ended?"]["Choices"][2]
    assert late == {
        "Condition": "{% $states.input.spent >= 3600 %}",
        "Next": "raw timeout",
    }
    assert states["raw timeout"]["Error"] == "Crawler.Timeout"
