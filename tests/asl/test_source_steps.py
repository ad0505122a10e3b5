"""Steps that bring data: what they call, how they wait, and every way in which they end."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from runner.model.ports import Json, ServiceError
from tests.support.definitions import AWS, TABLES, compiled
from tests.support.moto_machine import EXECUTION
from tests.support.source_steps import Answer, Played, Sources, play_twice

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
    played = crawl(tmp_path, before=[OLD], crawl=[{}], look=[OLD, OLD_RUNS, NEW])
    assert played.result == {
        "step": "raw",
        "name": "raw",
        "kind": "crawler",
        "status": "succeeded",
    }
    assert played.called("raw crawl", "raw look") == ["raw crawl", *["raw look"] * 3]
    assert played.world.statements("raw crawl") == [{"Name": "events"}]


def test_the_first_crawl_of_all(tmp_path: Path) -> None:
    played = crawl(tmp_path, before=[crawler("READY")], crawl=[{}], look=[crawler("READY"), NEW])
    assert played.result["status"] == "succeeded"


def test_a_crawl_of_somebody_else_is_waited_for_and_ours_comes_after(tmp_path: Path) -> None:
    busy = ServiceError("Glue.CrawlerRunningException", "already started")
    theirs = crawler("READY", "2013-01-01T12:00:00Z", "SUCCEEDED")
    played = crawl(
        tmp_path, before=[OLD_RUNS, OLD, theirs], crawl=[busy, {}], look=[theirs, OLD_RUNS, NEW]
    )
    assert played.result["status"] == "succeeded"
    assert played.called("raw before", "raw crawl", "raw look") == [
        "raw before",
        "raw before",
        "raw crawl",
        "raw before",
        "raw crawl",
        "raw look",
        "raw look",
        "raw look",
    ]


def test_a_failed_crawl_fails_the_step_with_its_message(tmp_path: Path) -> None:
    bad = crawler("READY", "2013-01-02T00:00:00Z", "FAILED", "no access to s3://raw/")
    played = crawl(tmp_path, before=[OLD], crawl=[{}], look=[bad])
    assert played.ended.error == "Runner.StepsFailed"
    assert "Crawler events ended FAILED: no access to s3://raw/" in str(played.ended.cause)


def test_a_cancelled_crawl_fails_the_step(tmp_path: Path) -> None:
    bad = crawler("READY", "2013-01-02T00:00:00Z", "CANCELLED")
    steps = {"raw": {**CRAWL["raw"], "catch": [{"errors": ["Crawler.Failed"], "next": "continue"}]}}
    played = crawl(tmp_path, steps, before=[OLD], crawl=[{}], look=[bad])
    assert played.result["status"] == "caught"
    assert played.result["message"] == "Crawler events ended CANCELLED"


def test_a_retry_of_the_step_crawls_again(tmp_path: Path) -> None:
    bad = crawler("READY", "2013-01-02T00:00:00Z", "FAILED", "once")
    good = crawler("READY", "2013-01-03T00:00:00Z", "SUCCEEDED")
    retry = [{"errors": ["Crawler.Failed"], "interval": "1s", "max_attempts": 1}]
    steps = {"raw": {**CRAWL["raw"], "retry": retry}}
    played = crawl(tmp_path, steps, before=[OLD, bad], crawl=[{}], look=[bad, good])
    assert played.result["status"] == "succeeded"
    assert played.called("raw crawl") == ["raw crawl", "raw crawl"]


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


EXPORT = {
    "shop": {
        "type": "rds_export",
        "source": "shop",
        "only": ["shop.users"],
        "tables": {"raw.flights": "shop.users"},
    }
}
SHOP = {
    "instance": "shop-prod",
    "to": "s3://exports/rds",
    "role": "arn:aws:iam::123456789012:role/export",
    "key": "arn:aws:kms:us-east-1:123456789012:key/0a",
}
ID = f"shop-{hashlib.sha256(EXECUTION.encode()).hexdigest()[:16]}"
RUNS = {"ExportTasks": [{"Status": "IN_PROGRESS", "PercentProgress": 5}]}
COMPLETE = {"ExportTasks": [{"Status": "COMPLETE"}]}
THERE = ServiceError("Rds.ExportTaskAlreadyExistsException", "already exists")
SNAPSHOTS = {
    "DbSnapshots": [
        {
            "DbSnapshotArn": f"arn:snapshot:{day}",
            "SnapshotCreateTime": f"2013-01-0{day}T03:00:00Z",
            "Status": status,
        }
        for day, status in ((1, "available"), (3, "creating"), (2, "available"))
    ]
}


def with_table(world: Sources) -> None:
    world.tables["raw", "flights"] = {
        "Name": "flights",
        "DatabaseName": "raw",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [],
        "Parameters": {"classification": "parquet"},
        "StorageDescriptor": {"Columns": [], "Location": "s3://exports/rds/old/"},
        "VersionId": "4",
        "CreateTime": "2013-01-01T00:00:00Z",
    }


def export(
    folder: Path,
    steps: Json = None,
    source: Json = None,
    **answers: Sequence[Answer],
) -> Played:
    definition = compiled(
        TABLES[0],
        environment={**AWS, "rds": {"shop": {**SHOP, **(source or {})}}},
        steps=steps or EXPORT,
    )
    said = {f"shop {verb.replace('_', ' ').strip()}": one for verb, one in answers.items()}
    return play_twice(folder, definition, said, with_table)


def test_the_newest_snapshot_is_exported_and_the_table_moved(tmp_path: Path) -> None:
    played = export(tmp_path, newest=[SNAPSHOTS], export_=[{}], look=[RUNS, COMPLETE])
    assert played.result["status"] == "succeeded"
    location = f"s3://exports/rds/{ID}-1/"
    assert played.result["value"] == {"identifier": f"{ID}-1", "location": location}
    assert played.world.statements("shop newest") == [
        {"DbInstanceIdentifier": "shop-prod", "SnapshotType": "automated"}
    ]
    assert played.world.statements("shop export") == [
        {
            "ExportTaskIdentifier": f"{ID}-1",
            "SourceArn": "arn:snapshot:2",
            "S3BucketName": "exports",
            "S3Prefix": "rds",
            "IamRoleArn": SHOP["role"],
            "KmsKeyId": SHOP["key"],
            "ExportOnly": ["shop.users"],
        }
    ]
    assert played.world.tables["raw", "flights"] == {
        "Name": "flights",
        "DatabaseName": "raw",
        "Description": "",
        "Owner": "hadoop",
        "Retention": 0,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [],
        "Parameters": {"classification": "parquet", "runner.export": f"{ID}-1"},
        "StorageDescriptor": {"Columns": [], "Location": f"{location}shop/shop.users/"},
        "VersionId": "5",
    }


def test_the_newest_snapshot_of_a_cluster(tmp_path: Path) -> None:
    text = json.dumps(SNAPSHOTS).replace("DbSnapshot", "DbClusterSnapshot")
    source = {"instance": None, "cluster_snapshot": "shop-aurora"}
    played = export(
        tmp_path, source=source, newest=[json.loads(text)], export_=[{}], look=[COMPLETE]
    )
    assert played.result["status"] == "succeeded"
    action = "arn:aws:states:::aws-sdk:rds:describeDBClusterSnapshots"
    assert ("shop newest", action) in [one[:2] for one in played.world.calls]
    assert played.world.statements("shop newest") == [
        {"DbClusterIdentifier": "shop-aurora", "SnapshotType": "automated"}
    ]
    assert played.world.statements("shop export")[0]["SourceArn"] == "arn:snapshot:2"
    played = export(tmp_path / "none", source=source, newest=[{"DbClusterSnapshots": []}])
    assert "the cluster shop-aurora has no automatic snapshot" in str(played.ended.cause)


def test_an_instance_without_a_snapshot_fails_the_step(tmp_path: Path) -> None:
    played = export(tmp_path, newest=[{"DbSnapshots": []}])
    assert "no automatic snapshot" in str(played.ended.cause)


@pytest.mark.parametrize(
    ("source", "arn"),
    [
        ({"cluster": "shop"}, "arn:aws:rds:us-east-1:123456789012:cluster:shop"),
        ({"snapshot": "arn:aws:rds:x:1:snapshot:s"}, "arn:aws:rds:x:1:snapshot:s"),
    ],
)
def test_a_cluster_or_a_snapshot_is_named_as_it_is(
    tmp_path: Path, source: dict[str, str], arn: str
) -> None:
    played = export(tmp_path, source={"instance": None, **source}, export_=[{}], look=[COMPLETE])
    assert played.result["status"] == "succeeded"
    assert played.world.statements("shop export")[0]["SourceArn"] == arn


def test_an_export_that_is_under_way_is_found_again(tmp_path: Path) -> None:
    played = export(tmp_path, newest=[SNAPSHOTS], export_=[THERE], look=[RUNS, COMPLETE])
    assert played.result["value"]["identifier"] == f"{ID}-1"


def test_an_export_that_failed_before_makes_room_for_the_next(tmp_path: Path) -> None:
    bad = {"ExportTasks": [{"Status": "CANCELED"}]}
    played = export(tmp_path, newest=[SNAPSHOTS], export_=[THERE, {}], look=[bad, COMPLETE])
    assert played.result["value"]["identifier"] == f"{ID}-2"


def test_a_failed_export_fails_the_step_and_moves_no_table(tmp_path: Path) -> None:
    bad = {"ExportTasks": [{"Status": "FAILED", "FailureCause": "no rights on the key"}]}
    played = export(tmp_path, newest=[SNAPSHOTS], export_=[{}], look=[bad])
    assert f"{ID}-1 ended FAILED: no rights on the key" in str(played.ended.cause)
    assert played.world.tables["raw", "flights"]["VersionId"] == "4"


def test_a_table_that_changed_meanwhile_is_read_again(tmp_path: Path) -> None:
    changed = ServiceError("Glue.ConcurrentModificationException", "Update table failed")
    played = export(
        tmp_path, newest=[SNAPSHOTS], export_=[{}], look=[COMPLETE], table_1_flip=[changed, {}]
    )
    assert played.result["status"] == "succeeded"
    assert (
        played.called("shop table 1 read", "shop table 1 flip")
        == [
            "shop table 1 read",
            "shop table 1 flip",
        ]
        * 2
    )


def test_identifiers_are_as_rds_wants_them() -> None:
    """Letters, digits and single hyphens, a letter first, none at the end; at most 60."""
    name = "a_" * 40 + "z"
    steps = {name: {"type": "rds_export", "source": "shop"}}
    definition = states_of(
        compiled(TABLES[0], environment={**AWS, "rds": {"shop": SHOP}}, steps=steps)
    )
    (run,) = [one for key, one in definition.items() if one["Type"] == "Parallel"]
    first = run["Branches"][0]["StartAt"]
    output = run["Branches"][0]["States"][first]["Output"]
    title = re.search(r'"base": "([^"]+)"', output)
    assert title is not None
    whole = f"{title[1]}{'0' * 16}-10"
    assert re.fullmatch(r"[a-z](-?[a-z0-9])*", whole)
    assert len(whole) <= 60


JOB = {
    "mask": {"type": "glue_job", "job": "mask", "arguments": {"day": "d={{ start }}/", "x": "y"}}
}
GOOD_JOB = {"Id": "jr_1", "JobRunState": "SUCCEEDED"}


def test_a_job_gets_the_window_and_its_run_is_noted(tmp_path: Path) -> None:
    definition = compiled(TABLES[0], steps=JOB)
    played = play_twice(tmp_path, definition, {"mask job": [GOOD_JOB]})
    assert played.result["value"] == {"run": "jr_1"}
    assert played.world.statements("mask job") == [
        {"JobName": "mask", "Arguments": {"--day": "d=2013-01-01/", "--x": "y"}}
    ]


def test_a_job_that_was_stopped_is_no_success(tmp_path: Path) -> None:
    stopped = {"Id": "jr_1", "JobRunState": "STOPPED"}
    played = play_twice(tmp_path, compiled(TABLES[0], steps=JOB), {"mask job": [stopped]})
    assert "job mask ended STOPPED" in str(played.ended.cause)


@pytest.mark.parametrize("state", ["FAILED", "TIMEOUT", "ERROR"])
def test_a_job_that_fails_is_told_by_its_own_message(tmp_path: Path, state: str) -> None:
    run = {"JobName": "mask", "JobRunState": state, "ErrorMessage": "ValueError: line 3"}
    failed = ServiceError("States.TaskFailed", json.dumps(run))
    played = play_twice(tmp_path, compiled(TABLES[0], steps=JOB), {"mask job": [failed]})
    assert f"job mask ended {state}: ValueError: line 3" in str(played.ended.cause)


def test_a_job_waits_for_room(tmp_path: Path) -> None:
    full = ServiceError("Glue.ConcurrentRunsExceededException", "Concurrent runs exceeded")
    played = play_twice(tmp_path, compiled(TABLES[0], steps=JOB), {"mask job": [full, GOOD_JOB]})
    assert played.result["status"] == "succeeded"


BUILD = {
    "site": {
        "type": "codebuild",
        "project": "site",
        "environment": {"DAY": "{{start}}"},
        "version": "main",
        "retry": [{"errors": ["States.TaskFailed"], "interval": "1s", "max_attempts": 1}],
    }
}
GOOD_BUILD = {"Build": {"Id": "site:1", "BuildStatus": "SUCCEEDED"}}


def test_a_build_gets_variables_and_a_token_for_each_try(tmp_path: Path) -> None:
    again = ServiceError("CodeBuild.SdkClientException", "timeout")
    failed = ServiceError("States.TaskFailed", json.dumps({"Build": {"BuildStatus": "FAILED"}}))
    answers = {"site build": [again, failed, GOOD_BUILD]}
    played = play_twice(tmp_path, compiled(TABLES[0], steps=BUILD), answers)
    assert played.result["value"] == {"id": "site:1"}
    calls = played.world.statements("site build")
    assert calls[0] | {"IdempotencyToken": ""} == {
        "ProjectName": "site",
        "IdempotencyToken": "",
        "EnvironmentVariablesOverride": [
            {"Name": "DAY", "Value": "2013-01-01", "Type": "PLAINTEXT"}
        ],
        "SourceVersion": "main",
    }
    first, second, third = (one["IdempotencyToken"] for one in calls)
    assert first == second != third


def test_a_build_that_was_stopped_or_failed_is_told(tmp_path: Path) -> None:
    stopped = {"Build": {"Id": "site:1", "BuildStatus": "STOPPED"}}
    bad = json.dumps({"Build": {"Id": "site:1", "BuildStatus": "FAULT"}})
    for number, (answer, word) in enumerate(
        ((stopped, "STOPPED"), (ServiceError("States.TaskFailed", bad), "site:1 ended FAULT"))
    ):
        steps = {"site": {**BUILD["site"], "retry": []}}
        played = play_twice(
            tmp_path / str(number), compiled(TABLES[0], steps=steps), {"site build": [answer]}
        )
        assert word in str(played.ended.cause)


def test_steps_beside_each_other_have_states_of_their_own() -> None:
    steps = {**CRAWL, **EXPORT, **JOB, **BUILD}
    definition = compiled(TABLES[0], environment={**AWS, "rds": {"shop": SHOP}}, steps=steps)
    assert states_of(definition)
