"""A drop that dies at any call: never a published record without its files; a repeat ends it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from runner.keeper import dropping, records
from runner.keeper.lease import Owner
from runner.local.glue import GlueCatalog
from runner.local.s3 import FolderS3
from tests.support.lake import ARN, CrashingS3, Killed, Lake, target
from tests.support.sweeping import SPEC, STAGES, Sweeping

if TYPE_CHECKING:
    from pathlib import Path

OWNER = Owner(ARN.replace("daily", "runner-drop") + "d1", 0, 1)
DAYS = {"2013-01-05": "aa", "2013-01-06": "bbb"}


def fresh(folder: Path) -> Sweeping:
    folder.mkdir()
    glue = GlueCatalog(folder / "catalog.sqlite")
    for name in STAGES:
        glue.create_database(DatabaseInput={"Name": name})
    scene = Sweeping(Lake(FolderS3(folder / "s3"), now=dt.datetime.now(dt.UTC)), glue)
    scene.write("r1", DAYS)
    scene.write("r2", {"2013-01-06": "new"})
    scene.flip("r3", "other")
    _, event = scene.begin("dead", DAYS)
    scene.stage_table(event["chunk"]["tag"], event["chunk"]["stage"])
    scene.lake.put("marts/daily/notes.txt", "not ours")
    return scene


def remove(scene: Sweeping, client: CrashingS3 | None = None) -> None:
    world = scene.world(0, client)
    estate = dropping.survey(world, "marts.daily")
    assert dropping.refusal(estate, project="flights", data=True) == ""
    dropping.remove(world, estate, OWNER, run="runner-drop.d1.0.1", data=True)


def left(scene: Sweeping) -> list[str]:
    found = scene.lake.storage.list("prod/")
    keys = [one.key for one in found if "/marts/daily/" in one.key or "/routes/" in one.key]
    return [key for key in keys if "/leases/" not in key]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_death_at_any_call_and_a_repeat_leave_nothing(
    tmp_path: Path,
    after: bool,  # noqa: FBT001 - a table's column
) -> None:
    scene = fresh(tmp_path / "clean")
    kept = [key for key in left(scene) if "/routes/" in key]
    remove(scene, counting := CrashingS3(scene.lake.client))
    clean = left(scene)
    assert clean == [*kept, "prod/marts/daily/notes.txt"]
    assert scene.glue.get_tables(DatabaseName="marts__stage")["TableList"] == []
    scene.glue.close()
    for at in range(1, len(counting.calls) + 1):
        scene = fresh(tmp_path / str(at))
        with pytest.raises(Killed):
            remove(scene, CrashingS3(scene.lake.client, at=at, after=after))
        there = set(scene.lake.keys())
        latest = records.newest(records.entries(scene.lake.storage, "marts.daily"), "day")
        published = {entry for entry in latest.values() if entry.published}
        for body in records.bodies(scene.lake.storage, published).values():
            assert {file["key"].removeprefix("prod/") for file in body["files"]} - there <= {
                # r1's file of the day that r2 wrote anew
                "marts/daily/g=1/dt=2013-01-06/daily.r1.0.1_part-0"
            }, (at, counting.calls)
        remove(scene)
        after_all = [key for key in left(scene) if "/routes/" not in key]
        assert after_all == ["prod/marts/daily/notes.txt"], (at, counting.calls)
        scene.glue.close()


def test_a_killed_drop_and_a_run_publish_the_runs_window_only(tmp_path: Path) -> None:
    scene = fresh(tmp_path / "lake")
    world = scene.world(0)
    estate = dropping.survey(world, "marts.daily")
    with pytest.raises(Killed):
        dropping.remove(
            scene.world(0, CrashingS3(scene.lake.client, at=3)),
            estate,
            OWNER,
            run="runner-drop.d1.0.1",
            data=True,
        )
    scene.write("r4", {"2013-01-05": "again"})
    assert scene.published() == {"2013-01-05": "daily.r4.0.1"}
    scene.glue.close()


def test_what_may_not_be_dropped(tmp_path: Path) -> None:
    scene = fresh(tmp_path / "lake")
    scene.lake.running.add(ARN + "dead")
    estate = dropping.survey(scene.world(0), "marts.daily")
    assert dropping.refusal(estate, project="flights", data=True) == "daily.dead is writing it"
    scene.lake.running.clear()
    scene.put_table(target(SPEC, table_type="ICEBERG"))
    estate = dropping.survey(scene.world(0), "marts.daily")
    assert "its data are lost" in dropping.refusal(estate, project="flights", data=False)
    assert dropping.refusal(estate, project="flights", data=True) == ""
    assert dropping.refusal(estate, project="x", data=True) == "it belongs to project flights"
    scene.glue.close()


def test_an_iceberg_tables_own_files_go_with_its_data(tmp_path: Path) -> None:
    scene = fresh(tmp_path / "lake")
    scene.put_table(target(SPEC, table_type="ICEBERG"))
    scene.lake.put("marts/daily/g=1/metadata/v1.json", "{}")
    remove(scene)
    assert scene.lake.keys("marts/daily/") == ["marts/daily/notes.txt"]
    scene.glue.close()
