"""Garbage collection: what is dead goes; what counts, runs or may be resumed stays."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.keeper import backfills, gc, records, sweep
from runner.keeper.handler import dispatch
from runner.local.glue import GlueCatalog
from runner.local.s3 import FolderS3
from tests.support.lake import ARN, BUCKET, LAKE, CrashingS3, HookedS3, Killed, Lake
from tests.support.sweeping import SPEC, STAGES, Sweeping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAYS = {"2013-01-05": "aa", "2013-01-06": "bbb"}


def in_folder(folder: Path) -> Sweeping:
    glue = GlueCatalog(folder / "catalog.sqlite")
    for name in STAGES:
        glue.create_database(DatabaseInput={"Name": name})
    return Sweeping(Lake(FolderS3(folder / "s3"), now=dt.datetime.now(dt.UTC)), glue)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Sweeping]:
    found = in_folder(tmp_path)
    yield found
    found.glue.close()


@pytest.fixture(params=["folder", "boto3"])
def any_scene(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sweeping]:
    if request.param == "folder":
        found = in_folder(tmp_path)
        yield found
        found.glue.close()
        return
    import boto3
    from moto import mock_aws

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        glue = boto3.client("glue")
        for name in STAGES:
            glue.create_database(DatabaseInput={"Name": name})
        yield Sweeping(Lake(client, now=dt.datetime.now(dt.UTC), workers=4), glue)


def abandoned(scene: Sweeping, run: str = "dead") -> str:
    """Leave a stage, and its table, as a run does that dies before it publishes."""
    _, event = scene.begin(run, DAYS)
    stage = event["chunk"]["stage"]
    scene.stage_table(event["chunk"]["tag"], stage)
    return str(stage).removeprefix(LAKE).rstrip("/").rpartition("/")[0] + "/"


def test_the_stage_of_a_dead_run_and_its_table_go_after_the_keep_time(
    any_scene: Sweeping,
) -> None:
    scene = any_scene
    scene.write("good", DAYS)
    stage = abandoned(scene)
    before = scene.lake.contents("marts/")
    assert scene.plan(days=6) == {}
    found = scene.plan()
    assert found["stage"] == [stage]
    assert [name.split("__")[:2] for name in found["stage table"]] == [["marts", "stage.daily"]]
    assert list(found) == ["stage", "stage table"]
    assert scene.clean() == 2
    assert scene.plan() == {}
    assert scene.lake.keys("_runner/stage/") == []
    assert scene.glue.get_tables(DatabaseName="marts__stage")["TableList"] == []
    assert scene.lake.contents("marts/") == before


@pytest.mark.parametrize("what", ["running", "unknown"])
def test_nothing_of_a_running_execution_goes(scene: Sweeping, what: str) -> None:
    """However long ago it wrote; nor of one whose name does not tell what it was."""
    abandoned(scene)
    world = scene.world(days=100)
    if what == "running":
        scene.lake.running.add(ARN + "dead")
        assert scene.plan(days=100) == {}
    else:
        blind = gc.World(**{**vars(world), "execution_of": lambda _: ""})
        assert gc.plan(blind) == []
    scene.lake.running.clear()
    shown = gc.plan(world)
    assert shown
    scene.lake.running.add(ARN + "dead")  # resumed while the question was answered
    assert not any(sweep.apply(world, item) for item in shown)


def test_a_killed_run_that_is_resumed_within_the_keep_time_finds_all_it_needs(
    scene: Sweeping,
) -> None:
    turn, event = scene.begin("dead", DAYS)
    calls = CrashingS3(scene.lake.client)
    assert turn.call(**event, client=calls)["complete"]
    for at in range(1, len(calls.calls)):
        days = {day: f"{text}{at}" for day, text in DAYS.items()}
        turn, event = scene.begin(f"dead{at}", days)
        with pytest.raises(Killed):
            turn.call(**event, client=CrashingS3(scene.lake.client, at=at))
        scene.clean(days=6)
        part = turn.call(**event)
        turn.call("finish", written=[part])
        assert sorted(scene.lake.contents("marts/").values()) == sorted(days.values()), at


def test_what_a_dead_run_promotes_from_is_never_garbage(scene: Sweeping) -> None:
    """Its record says writing: only its stage has the rows of the periods that it emptied."""
    scene.write("good", DAYS)
    turn, event = scene.begin("dead", DAYS)
    with pytest.raises(Killed):
        turn.call(**event, client=HookedS3(scene.lake.client, copy_object=_die))
    assert scene.published() == {}
    scene.clean(days=1000)
    assert len(scene.lake.keys("_runner/stage/marts/daily/daily.dead/")) == len(DAYS)
    part = turn.call(**event)
    turn.call("finish", written=[part])
    assert scene.published() == dict.fromkeys(DAYS, "daily.dead.0.1")


def _die(*_: object) -> None:
    raise Killed


def test_old_data_of_a_whole_table_goes_when_it_was_replaced_long_ago(any_scene: Sweeping) -> None:
    scene = any_scene
    scene.flip("r1", "one")
    scene.flip("r2", "two")
    live = scene.flip("r3", "three").removeprefix(LAKE)
    assert scene.plan(days=6, grace_s=0) == {"pack": ["3 records"]}
    found = scene.plan()
    stages = [f"_runner/stage/marts/routes/daily.{run}/0/1/" for run in ("r1", "r2")]
    assert found["old data"] == stages
    assert list(found) == ["old data", "record"]
    scene.clean()
    assert scene.lake.contents("_runner/stage/") == {f"{live}part-0": "three"}
    assert scene.published("marts.routes", None) == {"all": "daily.r3.0.1"}
    assert len(scene.lake.keys("_runner/records/")) == 1


def test_the_location_that_the_catalogue_uses_stays_even_without_a_record(scene: Sweeping) -> None:
    """A run died between the flip and its record, or records are gone."""
    scene.flip("r1", "one")
    turn, change = scene.accept("r2", "two")
    scene.put_table(change["table_input"])
    assert scene.plan(days=100).get("old data", []) == []
    for key in scene.lake.keys("_runner/records/"):
        scene.lake.storage.delete([f"prod/{key}"])
    assert scene.plan(days=100) == {"stage": ["_runner/stage/marts/routes/daily.r1/0/1/"]}
    assert turn.lake.contents("_runner/stage/marts/routes/daily.r2/0/1/data/")


def test_a_table_of_somebody_else_that_reads_an_old_location_keeps_it(scene: Sweeping) -> None:
    old = scene.flip("r1", "one")
    scene.flip("r2", "two")
    storage = {"Columns": [], "Location": old.rstrip("/")}
    scene.put_table({"Name": "theirs", "StorageDescriptor": storage})
    assert "old data" not in scene.plan(days=100)


def test_an_old_generation_goes_and_nothing_beside_it(scene: Sweeping) -> None:
    scene.write("r1", DAYS)
    scene.lake.put("marts/daily/notes.txt", "ours? nobody knows")
    turn = scene.turn("r2", start=min(DAYS), end=max(DAYS))
    table = turn.lake
    second = f"{LAKE}marts/daily/g=2/"
    made = Sweeping.turn(scene, "r3", start=min(DAYS), end=max(DAYS))
    found = target_at(made.spec, second)
    plan = made.prepare(found)
    (chunk,) = plan["chunks"]
    part = made.publish(plan, chunk, made.stage_days(chunk, DAYS))
    made.call("finish", written=[part])
    assert scene.plan(days=100).get("old data", []) == []  # the catalogue has not flipped
    scene.put_table(found)
    assert "old data" not in scene.plan(days=6)
    assert scene.plan()["old data"] == ["marts/daily/g=1/"]
    scene.clean()
    names = [f"marts/daily/g=2/dt={day}/daily.r3.0.1_part-0" for day in sorted(DAYS)]
    assert table.keys("marts/") == [*names, "marts/daily/notes.txt"]


def test_a_refresh_that_nobody_goes_on_with_goes_whole(scene: Sweeping) -> None:
    scene.write("r1", DAYS)
    first, last = min(DAYS), max(DAYS)
    asked = {"name": "b1", "created": records.stamp(scene.lake.now), "format": 1}
    told = {"name": "marts.daily", "refresh": True, "windows": [[first, last]]}
    backfills.create(scene.lake.storage, {**asked, "tables": {"marts.daily": told}})
    turn = scene.turn("r2", start=first, end=last)
    window = {**turn.window, "backfill": "b1"}
    plan = turn.call(
        "prepare", window=window, target=target_at(turn.spec, f"{LAKE}marts/daily/g=1/")
    )
    (chunk,) = plan["chunks"]
    turn.publish(plan, chunk, turn.stage_days(chunk, DAYS))
    scene.lake.put("marts/daily/g=2/notes.txt", "nobody knows")
    assert "old data" not in scene.plan(days=6)
    scene.lake.running.add(turn.execution)
    assert "old data" not in scene.plan(days=100)  # its lease is held
    scene.lake.running.clear()
    assert scene.plan()["old data"] == ["_runner/refresh/marts/daily/g=2/"]
    scene.clean()
    names = [f"marts/daily/g=1/dt={day}/daily.r1.0.1_part-0" for day in sorted(DAYS)]
    assert scene.lake.keys("marts/") == [*names, "marts/daily/g=2/notes.txt"]
    assert scene.lake.keys("_runner/refresh/") == []


def test_the_journal_of_a_generation_that_is_live_stays(scene: Sweeping) -> None:
    scene.lake.put("_runner/refresh/marts/daily/g=2/a_b/x.json", '{"files": []}')
    scene.put_table(target_at(SPEC, f"{LAKE}marts/daily/g=2/"))
    assert scene.plan(days=100) == {}


def target_at(spec: dict[str, Any], location: str) -> dict[str, Any]:
    from tests.support.lake import target

    found = target(spec)
    return {**found, "StorageDescriptor": {**found["StorageDescriptor"], "Location": location}}


def test_orphans_are_reported_and_go_only_on_request(scene: Sweeping) -> None:
    scene.write("r1", DAYS)
    scene.lake.put("marts/daily/g=1/dt=2013-01-05/foreign.parquet", "not ours")
    scene.lake.put("marts/daily/g=1/dt=2013-01-05/_SUCCESS", "hidden")
    scene.lake.now = dt.datetime.now(dt.UTC)
    assert scene.plan(days=0.01) == {}  # perhaps just being written
    assert scene.plan(days=0.1) == {"orphan": ["marts/daily/g=1/"]}
    assert scene.clean(days=0.1) == 0
    assert scene.clean(days=0.1, orphans=True) == 1
    left = [key.rpartition("/")[2] for key in scene.lake.keys("marts/")]
    assert left == ["_SUCCESS", "daily.r1.0.1_part-0", "daily.r1.0.1_part-0"]


def test_files_of_an_iceberg_table_are_never_orphans(scene: Sweeping) -> None:
    """Its own metadata lists them, not our records."""
    scene.write("r1", DAYS)
    scene.lake.put("marts/daily/g=1/data/00000.parquet", "iceberg's")
    table = scene.glue.get_table(DatabaseName="marts", Name="daily")["Table"]
    scene.put_table({**table, "Parameters": {**table["Parameters"], "table_type": "ICEBERG"}})
    assert scene.plan(days=1) == {}


def test_a_table_that_is_being_written_shows_no_orphans(scene: Sweeping) -> None:
    """Its lease is held, or a publish was begun: files come before their record."""
    scene.write("r1", DAYS)
    scene.lake.put("marts/daily/g=1/dt=2013-01-05/foreign.parquet", "not ours")
    turn, event = scene.begin("r2", DAYS)
    scene.lake.running.add(turn.execution)
    assert scene.plan(days=1) == {}
    scene.lake.running.clear()
    assert list(scene.plan(days=1)) == ["orphan"]
    with pytest.raises(Killed):
        turn.call(**event, client=HookedS3(scene.lake.client, delete_objects=_die))
    assert scene.plan(days=1) == {}


def test_manifests_of_loads_go_when_their_run_is_over(scene: Sweeping) -> None:
    scene.lake.put("_runner/loads/daily.r1/marts.daily.json")
    scene.lake.put("_runner/backfills/long.json")
    scene.lake.running.add(ARN + "r1")
    assert scene.plan() == {}
    scene.lake.running.clear()
    assert scene.plan() == {"load manifest": ["_runner/loads/daily.r1/"]}
    scene.clean()
    assert scene.lake.keys("_runner/") == ["_runner/backfills/long.json"]


def test_uploads_that_nobody_completed_are_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import boto3
    from moto import mock_aws

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    found = in_folder(tmp_path)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        scene = Sweeping(Lake(client, now=dt.datetime.now(dt.UTC)), found.glue)
        scene.write("r1", DAYS)
        ours = (
            "prod/_runner/stage/marts/daily/daily.r0/0/1/0/dt=2013-01-05/big",
            "prod/marts/daily/g=1/dt=2013-01-05/big",
        )
        for key in (*ours, "prod/elsewhere/big"):
            client.create_multipart_upload(Bucket=BUCKET, Key=key)
        # moto says of every upload that it was begun in 2010
        assert sorted(scene.plan()["upload"]) == sorted(k.removeprefix("prod/") for k in ours)
        scene.clean()
        left = client.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
        assert [upload["Key"] for upload in left] == ["prod/elsewhere/big"]
    found.glue.close()


def test_what_does_not_look_like_ours_is_left_alone(scene: Sweeping) -> None:
    for key in ("_runner/stage/readme.txt", "_runner/stage/a/b/c/d/e/f", "_runner/loads/x.json"):
        scene.lake.put(key)
    scene.stage_table("daily__x_1", "s3://other/_runner/stage/marts/daily/daily.r1/0/1/")
    scene.stage_table("other__x_1", f"{LAKE}_runner/stage/marts/daily/daily.r1/0/1/")
    assert scene.plan(days=1000) == {}


def test_the_function_sweeps_in_several_calls(scene: Sweeping) -> None:
    scene.flip("r1", "one")
    scene.flip("r2", "two")
    abandoned(scene)
    scene.lake.now += dt.timedelta(days=9)
    keeper = scene.lake.keeper()
    event = {"op": "gc", "project": "flights", "executions": ARN.removesuffix("daily:")}
    answers: list[dict[str, Any]] = []
    while not answers or not answers[-1]["complete"]:
        given = {**vars(keeper), "catalog": scene.glue, "remaining_s": lambda: 1.0}
        answers.append(dispatch(type(keeper)(**given), event))
    assert len(answers) > 2
    assert scene.plan(days=0) == {}
    assert scene.published("marts.routes", None) == {"all": "daily.r2.0.1"}


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["write", "crash", "flip", "crash flip", "gc", "gc late"]),
        st.integers(5, 8),
        st.integers(0, 2),
        st.integers(1, 14),
    ),
    max_size=9,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=ACTS)
def test_gc_never_deletes_what_a_counting_record_lists(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int, int, int]]
) -> None:
    """Whatever runs wrote, died or flipped before, in any order."""
    scene = in_folder(tmp_path_factory.mktemp("lake"))
    for number, (act, day, more, at) in enumerate(acts):
        days = {f"2013-01-{d:02}": f"{number}" for d in range(day, day + more + 1)}
        if act.startswith("gc"):
            before = state(scene)
            scene.clean(days=0.2 if act == "gc" else 30, orphans=True)
            assert state(scene) == before
        else:
            do(scene, act, f"r{number}", days=days, at=at)
    scene.glue.close()


def do(scene: Sweeping, act: str, name: str, *, days: dict[str, str], at: int) -> None:
    if act == "write":
        scene.write(name, days)
    elif act == "flip":
        scene.flip(name, name)
    elif act == "crash flip":
        scene.accept(name, name)
    else:
        turn, event = scene.begin(name, days)
        with suppress(Killed):
            turn.call(**event, client=CrashingS3(scene.lake.client, at=at))
        scene.lake.now += dt.timedelta(hours=1)


def state(scene: Sweeping) -> tuple[object, ...]:
    """Give what must not change: files that count and are there, and what counts."""
    there = scene.counted_files() & set(all_keys(scene))
    return there, scene.published(), scene.published("marts.routes", None)


def all_keys(scene: Sweeping) -> list[str]:
    return [stored.key for stored in scene.lake.storage.list("prod/")]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_sweep_that_dies_at_any_call_and_a_repeat_equal_a_whole_one(
    tmp_path: Path,
    after: bool,  # noqa: FBT001 - a table's column
) -> None:
    def fresh(name: str) -> Sweeping:
        (tmp_path / name).mkdir()
        scene = in_folder(tmp_path / name)
        scene.write("r1", DAYS)
        scene.write("r2", {"2013-01-06": "new"})
        scene.flip("r3", "one")
        scene.flip("r4", "two")
        abandoned(scene)
        scene.lake.put("_runner/loads/daily.r1/marts.daily.json")
        return scene

    def left(scene: Sweeping) -> tuple[object, ...]:
        keys = [key for key in scene.lake.keys("") if "/packed/" not in key]
        return [key for key in keys if "/records/" not in key], state(scene)

    scene = fresh("clean")
    before = state(scene)
    scene.clean(client=(counting := CrashingS3(scene.lake.client)))
    clean = left(scene)
    assert state(scene) == before
    assert scene.plan() == {}
    scene.glue.close()
    for at in range(1, len(counting.calls) + 1):
        scene = fresh(str(at))
        before = state(scene)
        with pytest.raises(Killed):
            scene.clean(client=CrashingS3(scene.lake.client, at=at, after=after))
        assert state(scene) == before, (at, counting.calls)
        scene.lake.now += dt.timedelta(days=1)
        scene.clean()
        scene.lake.now += dt.timedelta(days=1)
        scene.clean()  # half a pack is left for an hour
        assert left(scene)[0] == clean[0], (at, counting.calls)
        assert state(scene) == before, (at, counting.calls)
        assert scene.plan() == {}, (at, counting.calls)
        scene.glue.close()


def test_data_goes_before_the_records_that_tell_of_it() -> None:
    """A death between leaves the proof."""
    assert gc.KINDS.index(gc.OLD) < gc.KINDS.index(gc.RECORD) < gc.KINDS.index(gc.PACK)
