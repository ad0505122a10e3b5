"""Packs: records are put together without a moment at which one is missing (SEMANTICS 5)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from runner.keeper import packs, records
from runner.local.s3 import FolderS3
from tests.support.lake import FINGERPRINT, CrashingS3, HookedS3, Killed, Lake

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TABLE = "marts.daily"
PLACE = "prod/_runner/records/marts/daily/"


def publish(lake: Lake, start: str, end: str, run: str) -> records.Entry:
    found = records.entries(lake.storage, TABLE)
    body = {"table": TABLE, "start": start, "end": end, "fingerprint": FINGERPRINT, "run": run}
    entry = records.begin(lake.storage, body, found=found, now=lake.now)
    records.complete(lake.storage, entry, {**body, "rows": run})
    lake.now += dt.timedelta(days=1)
    return entry


def begin(lake: Lake, start: str, end: str, run: str) -> records.Entry:
    found = records.entries(lake.storage, TABLE)
    body = {"table": TABLE, "start": start, "end": end, "fingerprint": FINGERPRINT, "run": run}
    return records.begin(lake.storage, body, found=found, now=lake.now)


def filled(lake: Lake) -> None:
    publish(lake, "2013-01-05", "2013-01-07", "a")
    publish(lake, "2013-01-06", "2013-01-06", "b")
    publish(lake, "2013-01-08", "2013-01-08", "c")


def planned(lake: Lake) -> packs.Pack | None:
    keys = [stored.key for stored in lake.storage.list(PLACE)]
    found = records.collect(lake.storage, PLACE, keys)
    return packs.plan_pack(TABLE, found, keys=keys, dropped=False, now=lake.now)


def pack(lake: Lake, client: Any = None) -> None:  # noqa: ANN401 - boto3's client has no type
    plan = planned(lake)
    assert plan is not None
    packs.write_pack(lake.keeper(client).storage, plan, now=lake.now)


def told(lake: Lake, client: Any = None) -> dict[str, tuple[str, Any]]:  # noqa: ANN401
    """Give run and body of the record that counts for each period."""
    storage = lake.keeper(client).storage
    found = records.newest(records.entries(storage, TABLE), "day")
    bodies = records.bodies(storage, set(found.values()))
    for entry in found.values():
        assert records.read(storage, entry) == bodies[entry]
    return {day: (entry.run, bodies[entry].get("rows")) for day, entry in found.items()}


TOLD = {
    "2013-01-05": ("a", "a"),
    "2013-01-06": ("b", "b"),
    "2013-01-07": ("a", "a"),
    "2013-01-08": ("c", "c"),
}


def test_semantics_5_a_pack_tells_what_the_records_told(any_lake: Lake) -> None:
    filled(any_lake)
    before = records.history(any_lake.storage, TABLE)
    pack(any_lake)
    kinds = [key.rpartition(".")[2] for key in any_lake.keys("_runner/records/")]
    assert kinds == ["bodies", "json"]
    after = records.history(any_lake.storage, TABLE)
    assert [entry._replace(packed="") for entry in after] == before
    assert records.everything(any_lake.storage) == {TABLE: after}
    assert told(any_lake) == TOLD
    assert planned(any_lake) is None


def test_new_records_stand_beside_a_pack_until_there_are_enough(lake: Lake) -> None:
    filled(lake)
    pack(lake)
    publish(lake, "2013-01-06", "2013-01-06", "d")
    assert planned(lake) is None
    publish(lake, "2013-01-09", "2013-01-09", "e")
    begin(lake, "2013-01-10", "2013-01-10", "f")
    lake.now += dt.timedelta(minutes=59)
    pack(lake)
    assert told(lake)["2013-01-06"] == ("d", "d")
    kinds = sorted(key.rpartition(".")[2] for key in lake.keys("_runner/records/"))
    assert kinds == ["bodies", "json", "writing"]


def test_a_record_of_the_last_hour_is_not_packed(lake: Lake) -> None:
    filled(lake)
    publish(lake, "2013-01-09", "2013-01-09", "young")
    lake.now -= dt.timedelta(days=1)
    plan = planned(lake)
    assert plan is not None
    assert [entry.run for entry in plan.entries] == ["a", "b", "c"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("twice", [False, True], ids=["first", "again"])
def test_a_death_at_any_call_loses_nothing(
    tmp_path: Path,
    after: bool,  # noqa: FBT001 - a table's column
    twice: bool,  # noqa: FBT001 - likewise
) -> None:
    def fresh(name: str) -> Lake:
        lake = Lake(FolderS3(tmp_path / name))
        filled(lake)
        if twice:
            pack(lake)
            publish(lake, "2013-01-05", "2013-01-05", "a")
            publish(lake, "2013-01-08", "2013-01-08", "c")
        return lake

    counting = CrashingS3(fresh("clean").client)
    pack(fresh("counted"), counting := CrashingS3(Lake(FolderS3(tmp_path / "counted")).client))
    assert "put_object" in counting.calls
    for at in range(1, len(counting.calls) + 1):
        lake = fresh(str(at))
        with pytest.raises(Killed):
            pack(lake, CrashingS3(lake.client, at=at, after=after))
        assert told(lake) == TOLD, (at, counting.calls)
        lake.now += dt.timedelta(days=1)
        if planned(lake) is not None:
            pack(lake)
        keys = [stored.key for stored in lake.storage.list(PLACE)]
        lake.storage.delete_all(packs.lost_bodies(keys, now=lake.now))
        assert told(lake) == TOLD, (at, counting.calls)
        kinds = [key.rpartition(".")[2] for key in lake.keys("_runner/records/")]
        assert kinds == ["bodies", "json"], (at, counting.calls)


@pytest.mark.parametrize("method", ["list_objects_v2", "get_object"])
@pytest.mark.parametrize("times", [1, 2])
def test_readers_beside_a_sweep_miss_nothing(tmp_path: Path, method: str, times: int) -> None:
    """Between any two calls of the reader all records are packed, or packed anew."""
    reference = CrashingS3(FolderS3(tmp_path / "reference"))
    quiet = Lake(FolderS3(tmp_path / "reference"))
    filled(quiet)
    told(quiet, reference)
    for at in range(len(reference.calls)):
        lake = Lake(FolderS3(tmp_path / str(at)))
        filled(lake)
        seen = 0

        def meddle(client: Any, given: dict[str, Any], lake: Lake = lake, at: int = at) -> Any:  # noqa: ANN401
            nonlocal seen
            answer = getattr(client, method)(**given)
            if seen == at:
                for number in range(times):
                    lake.now += dt.timedelta(days=1)
                    if number:
                        publish(lake, "2013-02-05", "2013-02-05", "x")
                        publish(lake, "2013-02-06", "2013-02-06", "x")
                    pack(lake)
            seen += 1
            return answer

        found = told(lake, HookedS3(lake.client, **{method: meddle}))
        assert {day: found[day] for day in TOLD} == TOLD, at


def test_a_pack_that_takes_the_place_of_the_listed_one_is_read(lake: Lake) -> None:
    filled(lake)
    pack(lake)
    before = records.entries(lake.storage, TABLE)
    publish(lake, "2013-01-09", "2013-01-09", "d")
    publish(lake, "2013-01-10", "2013-01-10", "e")
    pack(lake)
    assert [records.read(lake.storage, entry)["rows"] for entry in before] == ["a", "b", "c"]
    (index,) = records.indexes(lake.storage, PLACE)
    old = index.replace(records.index_at(index), "20130101T000000.000000Z")
    assert len(records.collect(lake.storage, PLACE, [old])) == len(TOLD) + 1


def test_a_record_that_was_begun_when_it_was_listed_is_read_when_it_is_done(lake: Lake) -> None:
    entry = begin(lake, "2013-01-05", "2013-01-05", "a")
    records.complete(lake.storage, entry, {"rows": "a"})
    assert records.read(lake.storage, entry) == {"rows": "a"}
    lake.storage.delete([entry.key.removesuffix("writing") + "json"])
    with pytest.raises(KeyError):
        records.read(lake.storage, entry)


def test_a_begun_twin_of_a_packed_record_counts_as_published(lake: Lake) -> None:
    """The publish died between its last two calls, and the record was packed since."""
    filled(lake)
    (entry, *_) = records.entries(lake.storage, TABLE)
    twin = entry.key.removesuffix("json") + "writing"
    lake.storage.write_json(twin, {})
    pack(lake, HookedS3(lake.client, delete_objects=_all_but(twin)))
    assert twin in {stored.key for stored in lake.storage.list(PLACE)}
    assert told(lake) == TOLD


def _all_but(twin: str) -> Callable[[Any, dict[str, Any]], Any]:
    def delete(client: Any, given: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3's client
        kept = [one for one in given["Delete"]["Objects"] if one["Key"] != twin]
        return client.delete_objects(**{**given, "Delete": {"Objects": kept}}) if kept else {}

    return delete


def test_two_sweeps_in_the_same_instant_write_two_packs(lake: Lake) -> None:
    filled(lake)
    plan = planned(lake)
    assert plan is not None
    packs.write_pack(lake.storage, plan, now=lake.now)
    packs.write_pack(lake.storage, plan, now=lake.now)  # planned before the other was written
    assert len(records.indexes(lake.storage, PLACE)) == 2
    assert told(lake) == TOLD
    pack(lake)
    assert len(records.indexes(lake.storage, PLACE)) == 1
    assert told(lake) == TOLD


AT = "20130201T03000{}.000000Z"


def entry(number: int, window: str, state: str = "published") -> records.Entry:
    start, _, end = window.partition("..")
    return records.Entry(AT.format(number), start, end or start, "f", f"r{number}", state, "")


@pytest.mark.parametrize(
    ("found", "superseded"),
    [
        ([entry(1, "all"), entry(2, "all"), entry(3, "all")], {"r1": 2, "r2": 3}),
        ([entry(1, "2013-01-05..2013-01-06"), entry(2, "2013-01-05")], {}),
        (
            [entry(1, "2013-01-05..2013-01-06"), entry(2, "2013-01-05"), entry(4, "2013-01-06")],
            {"r1": 4},
        ),
        ([entry(1, "2013-01-05"), entry(2, "2013-01-05", "writing")], {}),
        ([entry(1, "2013-01-05", "writing"), entry(2, "2013-01-05")], {"r1": 2}),
        ([entry(1, "2013-01-05", "failed"), entry(2, "2013-01-05")], {"r1": 2}),
        ([entry(1, "2013-01-05"), entry(2, "2013-01-05", "failed")], {}),
        ([entry(1, "2013-01-05", "writing"), entry(2, "2013-01-05", "failed")], {}),
        ([entry(1, "2013-01-05"), entry(2, "2013-01"), entry(3, "2013-02")], {"r1": 2}),
        ([entry(1, "2013-01-05T07"), entry(2, "2013-01-05T08")], {}),
        ([entry(1, "all"), entry(2, "2013")], {"r1": 2}),
        ([entry(1, "2013-02-30"), entry(2, "2013-03-01")], {}),
        ([], {}),
    ],
)
def test_a_record_is_superseded_since_the_last_of_its_periods_was_published_anew(
    found: list[records.Entry], superseded: dict[str, int]
) -> None:
    gone = {one.run: at for one, at in packs.superseded(found).items()}
    assert gone == {run: records.moment(AT.format(at)) for run, at in superseded.items()}
