"""Exports: what is unloaded, and that a window replaces its own files and no others."""

from __future__ import annotations

from typing import Any

import pytest

from runner.keeper import faults
from tests.support.lake import ARN, LAKE, Lake, Turn, ctas_spec, insert_spec

SPEC = insert_spec()
FOLDER = "exports/bq/marts.daily/"
EXPORT = {"folder": FOLDER, "columns": [], "timestamps": "timestamp"}


def write(lake: Lake, run: str, **days: str) -> None:
    """Write days given as d05="rows"."""
    texts = {f"2013-01-{day[1:]}": text for day, text in days.items()}
    Turn(lake, SPEC, execution=ARN + run, start=min(texts), end=max(texts)).write(texts)


def export(
    lake: Lake,
    run: str,
    *,
    start: str = "2013-01-05",
    end: str = "2013-01-06",
    **more: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """Plan an export."""
    window = {"start": start, "end": end, "grain": "day"}
    turn = Turn(lake, SPEC, execution=ARN + run)
    return turn.call("export", window=window, export={**EXPORT, **more})


def unload(lake: Lake, plan: dict[str, Any], *, redrive: int = 0) -> list[str]:
    """Do what the statements of a plan do; gives their manifests."""
    manifests = []
    for number, part in enumerate(plan["parts"]):
        key = f"{FOLDER}{part['period']}/{plan['run']}/{redrive}/file"
        lake.put(key)
        manifest = f"results/{plan['run']}-{number}-manifest.csv"
        lake.put(manifest, f"{LAKE}{key}\n")
        manifests.append(LAKE + manifest)
    return manifests


def settle(lake: Lake, plan: dict[str, Any], written: list[str]) -> dict[str, Any]:
    return Turn(lake, SPEC).call("exported", export=plan, written=written)


def test_each_period_with_rows_is_unloaded_by_itself(any_lake: Lake) -> None:
    write(any_lake, "r1", d05="aa", d06="bbb")
    plan = export(any_lake, "e1")
    assert plan == {
        "folder": LAKE + FOLDER,
        "run": "daily.e1",
        "select": 'SELECT "carrier", "flights", "dt" FROM "marts"."daily"',
        "periods": ["2013-01-05", "2013-01-06"],
        "parts": [
            {"period": "2013-01-05", "where": " WHERE \"dt\" IN ('2013-01-05')"},
            {"period": "2013-01-06", "where": " WHERE \"dt\" IN ('2013-01-06')"},
        ],
        "rows": 5,
        "schema": [
            {"name": "carrier", "type": "STRING", "mode": "NULLABLE"},
            {"name": "flights", "type": "INT64", "mode": "NULLABLE"},
            {"name": "dt", "type": "STRING", "mode": "NULLABLE"},
        ],
    }
    assert settle(any_lake, plan, unload(any_lake, plan)) == {
        "folder": LAKE + FOLDER,
        "schema": f"{LAKE}{FOLDER}schema.json",
        "files": 2,
        "rows": 5,
        "replaced": 0,
    }
    assert any_lake.body(f"{FOLDER}schema.json") == plan["schema"]


def test_a_window_again_replaces_its_own_files_and_no_others(lake: Lake) -> None:
    write(lake, "r1", d04="a", d05="aa", d06="bbb")
    first = export(lake, "e1", start="2013-01-04")
    settle(lake, first, unload(lake, first))
    second = export(lake, "e2", end="2013-01-05")
    lake.put(f"{FOLDER}2013-01-05/daily.e0/0/left-by-a-dead-run")
    found = settle(lake, second, unload(lake, second))
    assert (found["files"], found["replaced"]) == (1, 2)
    assert lake.keys(FOLDER) == [
        f"{FOLDER}2013-01-04/daily.e1/0/file",
        f"{FOLDER}2013-01-05/daily.e2/0/file",
        f"{FOLDER}2013-01-06/daily.e1/0/file",
        f"{FOLDER}schema.json",
    ]
    assert settle(lake, second, unload(lake, second))["replaced"] == 0  # a call that is repeated


def test_a_period_without_rows_is_emptied(lake: Lake) -> None:
    write(lake, "r1", d05="aa", d06="bbb")
    plan = export(lake, "e1")
    settle(lake, plan, unload(lake, plan))
    write(lake, "r2", d05="", d06="bbb")
    plan = export(lake, "e2", end="2013-01-05")
    assert plan["parts"] == []
    assert settle(lake, plan, [])["replaced"] == 1
    assert lake.keys(f"{FOLDER}2013-01-05/") == []


def test_what_a_redriven_run_left_does_not_count(lake: Lake) -> None:
    write(lake, "r1", d05="aa", d06="bbb")
    plan = export(lake, "e1")
    unload(lake, plan)
    settle(lake, plan, unload(lake, plan, redrive=1))
    assert [key for key in lake.keys(FOLDER) if "/0/" in key] == []


def test_nothing_is_removed_before_all_files_are_there(lake: Lake) -> None:
    write(lake, "r1", d05="aa", d06="bbb")
    first = export(lake, "e1")
    settle(lake, first, unload(lake, first))
    second = export(lake, "e2")
    manifests = unload(lake, second)
    with pytest.raises(faults.ExportIncomplete, match="1 of 2"):
        settle(lake, second, manifests[:1])
    lake.storage.delete([f"prod/{FOLDER}2013-01-06/daily.e2/0/file"])
    with pytest.raises(faults.ExportIncomplete, match="is gone"):
        settle(lake, second, manifests)
    assert len([key for key in lake.keys(FOLDER) if "daily.e1" in key]) == 2


def test_a_manifest_of_another_bucket_is_refused(lake: Lake) -> None:
    write(lake, "r1", d05="aa")
    plan = export(lake, "e1", end="2013-01-05")
    lake.put("results/m.csv", "s3://other/file\n")
    with pytest.raises(faults.ExportIncomplete, match="outside of the lake"):
        settle(lake, plan, [f"{LAKE}results/m.csv"])


def test_columns_are_chosen_in_their_order(lake: Lake) -> None:
    write(lake, "r1", d05="aa", d06="b")
    plan = export(lake, "e1", columns=["dt", "carrier"])
    assert plan["select"] == 'SELECT "dt", "carrier" FROM "marts"."daily"'
    assert [one["name"] for one in plan["schema"]] == ["dt", "carrier"]
    with pytest.raises(faults.NothingPublished, match="without the column nope"):
        export(lake, "e1", columns=["nope"])


def test_only_what_is_published_is_exported(lake: Lake) -> None:
    write(lake, "r1", d05="aa")
    with pytest.raises(faults.NothingPublished, match="2013-01-06 is not published"):
        export(lake, "e1")
    with pytest.raises(faults.NothingPublished, match="is a view"):
        Turn(lake, ctas_spec("marts.v", kind="view")).call(
            "export", window={"start": "2013-01-05", "end": "2013-01-05", "grain": "day"},
            export=EXPORT,
        )  # fmt: skip
    with pytest.raises(faults.WindowTooLarge):
        export(lake, "e1", end="2015-01-01")
