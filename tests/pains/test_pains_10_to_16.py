"""Pains of blind retries, of deletions and catalogues nobody looks at, of unsafe settings."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.bundle import open_bundle
from runner.app.local_places import open_places
from runner.local.athena.errors import AthenaFailure
from runner.local.s3 import FolderS3
from runner.machine import Fail, FaultPlan, InjectedFault, TimeOut, When
from tests.pains.scene import (
    DAYS,
    EVERYTHING,
    ROWS,
    WINDOW,
    daily,
    failed_query,
    files,
    sent,
    strike,
    whole,
)
from tests.semantics.little import (
    DAY,
    NOW,
    codes,
    ended,
    go,
    insert,
    project,
    read,
    records,
    rows_of,
    sql,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def test_pain_10_a_query_that_cannot_succeed_runs_once(tmp_path: Path) -> None:
    """dbt-adapters#1813, #1820: hopeless queries were retried, 110 GB scanned each time."""
    source = rows_of(("1", DAYS[0]), ("one", DAYS[0]))
    root = project(
        tmp_path,
        {"marts/x": insert(f"SELECT CAST(id AS integer) AS id, dt FROM {source} {WINDOW}")},
    )
    result = go(root, DAYS[0])
    assert result.status == "FAILED"
    assert "INVALID_CAST_ARGUMENT" in ended(result)["marts.x"].message
    assert len(sent(root, "INSERT INTO")) == 1


@pytest.mark.parametrize(
    "action",
    [
        TimeOut(),
        failed_query("Query exhausted resources at this scale factor"),
        failed_query("Bytes scanned limit was exceeded"),
        failed_query("SYNTAX_ERROR: line 2:1: Column 'x' cannot be resolved"),
        failed_query("Insufficient permissions to execute the query"),
    ],
    ids=["timeout", "exhausted", "scan limit", "syntax", "permission"],
)
def test_pain_10_what_comes_again_is_not_paid_for_again(action: Any, tmp_path: Path) -> None:  # noqa: ANN401 - an action
    """The same for what this machine's Athena never says; one day cannot be split further."""
    root = daily(tmp_path)
    result = go(root, DAYS[0], faults=strike("marts.x insert", action))
    assert result.status == "FAILED"
    assert ended(result)["marts.x"].advice
    assert len(sent(root, "INSERT INTO")) == 1
    assert files(root) == []


class Refusing:
    """Refuses to delete a table's files, with status 200 and a list of errors, as S3 does."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.delete = FolderS3.delete_objects

    def __call__(self, s3: FolderS3, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401 - boto3
        objects = arguments["Delete"]["Objects"]
        ours = [one for one in objects if one["Key"].startswith("marts/x/")]
        if not ours or self.left <= 0:
            return self.delete(s3, **arguments)
        self.left -= 1
        errors = [{**one, "Code": "InternalError", "Message": "Try again"} for one in ours]
        return {"Errors": errors}


def refuse(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let deletions of marts.x be refused for so many requests."""
    refusing = Refusing(times)

    def delete_objects(s3: FolderS3, **given: Any) -> Mapping[str, Any]:  # noqa: ANN401 - boto3
        return refusing(s3, **given)

    monkeypatch.setattr(FolderS3, "delete_objects", delete_objects)


def test_pain_11_deletions_that_are_refused_for_a_while_are_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tomme#84: boto3 returned Errors, nobody read them, and the new rows joined the old ones."""
    root = daily(tmp_path)
    go(root, *DAYS)
    refuse(monkeypatch, 2)
    assert go(root, *DAYS).status == "SUCCEEDED"
    assert read(root, EVERYTHING) == list(ROWS)


def test_pain_11_deletions_that_stay_refused_fail_the_run_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for ever: the old rows stay as they were, and the reason is told."""
    root = daily(tmp_path)
    go(root, *DAYS)
    refuse(monkeypatch, 1_000_000)
    result = go(root, *DAYS)
    assert result.status == "FAILED"
    assert "InternalError" in ended(result)["marts.x"].message
    assert read(root, EVERYTHING) == list(ROWS)


def test_pain_12_a_partition_of_more_than_a_page_of_files_is_replaced_whole(tmp_path: Path) -> None:
    """Tomme#82: only the first page was deleted; what came after it was read again."""
    root = daily(tmp_path)
    go(root, *DAYS)
    published = files(root)[0]
    for number in range(1001):
        shutil.copy(published, published.with_name(f"old-{number:04}.parquet"))
    assert len(files(root)) == 1001 + len(DAYS)
    assert go(root, *DAYS).status == "SUCCEEDED"
    assert len(files(root)) == len(DAYS)
    assert read(root, EVERYTHING) == list(ROWS)


def location(root: Path) -> str:
    catalog = open_places(root, open_bundle(root), now=lambda: NOW).catalog()
    found = catalog.get_table(DatabaseName="marts", Name="x")["Table"]
    catalog.close()
    return str(found["StorageDescriptor"]["Location"])


def test_pain_13_a_flip_whose_answer_was_lost_is_looked_up(tmp_path: Path) -> None:
    """dbt-athena#464: AlreadyExists was swallowed and the table left at the old version."""
    root = whole(tmp_path)
    go(root, *DAYS)
    before = location(root)
    lost = InjectedFault("marts.x flip", Fail("Glue.SdkClientException"), When.AFTER)
    assert go(root, *DAYS, faults=FaultPlan((lost,))).status == "SUCCEEDED"
    assert location(root) != before
    assert read(root, EVERYTHING) == list(ROWS)


def test_pain_13_a_flip_that_did_not_happen_is_not_called_published(tmp_path: Path) -> None:
    """The same the other way round: the catalogue was never changed."""
    root = whole(tmp_path)
    go(root, *DAYS)
    before = location(root)
    never = InjectedFault("marts.x flip", Fail("Glue.SdkClientException"), When.BEFORE)
    assert go(root, *DAYS, faults=FaultPlan((never,))).status == "FAILED"
    assert location(root) == before
    assert records(root, "marts.x") == {}, "the newest record is not published"
    assert go(root, *DAYS).status == "SUCCEEDED"
    assert records(root, "marts.x") == {"all": len(ROWS)}


def test_pain_14_an_insert_without_a_partition_is_no_silent_append(tmp_path: Path) -> None:
    """dbt-adapters#2081: insert_overwrite without partitioned_by appended a copy in each run."""
    root = project(tmp_path, {"marts/x": sql("SELECT 1 AS id", "kind: insert")})
    assert codes(root) == ["insert-without-partition"]


UNSAFE = {
    "a bucketed insert": (
        insert("SELECT 1 AS id, '{{ start }}' AS dt", "bucket: {columns: [id], count: 2}"),
        "key-unfit",
    ),
    "an appending load of a window": (
        insert("SELECT 1 AS id, '{{ start }}' AS dt", "load: {mode: insert}"),
        "load-mode",
    ),
    "iceberg without keys": (sql("SELECT 1 AS id", "format: iceberg"), "iceberg"),
    "a location of one's own": (
        sql("SELECT 1 AS id", "properties: {external_location: 's3://lake/x/'}"),
        "property-reserved",
    ),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_pain_15_what_would_lose_or_double_rows_is_refused_before_it_runs(
    case: str, tmp_path: Path
) -> None:
    """dbt-athena#597, #618: unsafe settings were allowed, and rows vanished in the second run."""
    text, code = UNSAFE[case]
    found = codes(project(tmp_path, {"marts/x": text}))
    assert [one for one in found if one.startswith(code)], found


TENANTS = f"{DAY}\n  tenant: {{type: injected, values: [a, b]}}"


def test_pain_16_a_table_of_injected_values_is_written_and_written_again(tmp_path: Path) -> None:
    """dbt-adapters#454: nobody knew how to materialise an injected projection."""
    rows = rows_of(
        (1, DAYS[0], "a"), (2, DAYS[0], "b"), (3, DAYS[1], "a"), columns="id, dt, tenant"
    )
    text = insert(f"SELECT id, dt, tenant FROM {rows} {WINDOW}", partition=TENANTS)
    root = project(tmp_path, {"marts/x": text})
    for _ in range(2):
        assert go(root, *DAYS).status == "SUCCEEDED"
        query = "SELECT id FROM marts.x WHERE tenant = '{}' AND dt > '' ORDER BY id"
        assert read(root, query.format("a")) == [(1,), (3,)]
        assert read(root, query.format("b")) == [(2,)]
    with pytest.raises(AthenaFailure, match="injected"):
        read(root, "SELECT id FROM marts.x WHERE dt > ''")


def test_pain_19_a_strangers_table_is_not_touched(tmp_path: Path) -> None:
    """docs.getdbt.com#7606, dbt-athena#618: files of any table with the model's name went."""
    root = daily(tmp_path)
    local = open_places(root, open_bundle(root), now=lambda: NOW)
    local.s3().put_object(Bucket="lake", Key="theirs/data.json", Body=b"{}")
    catalog = local.catalog()
    catalog.create_database(DatabaseInput={"Name": "marts"})
    theirs = {
        "Name": "x",
        "StorageDescriptor": {
            "Location": "s3://lake/theirs/",
            "Columns": [{"Name": "id", "Type": "int"}],
        },
        "PartitionKeys": [{"Name": "dt", "Type": "string"}],
    }
    catalog.create_table(DatabaseName="marts", TableInput=theirs)
    catalog.close()
    result = go(root, *DAYS)
    assert "adopt" in ended(result)["marts.x"].advice + ended(result)["marts.x"].message
    assert location(root) == "s3://lake/theirs/"
    assert (root / ".runner/s3/lake/theirs/data.json").read_bytes() == b"{}"
