"""A crash between any two calls to S3, before or after the call: exactly once (SEMANTICS 1 to 7).

Each operation dies at its n-th call, for every n, and is then called again as a state machine's
Retry does.  What the lake holds at the end equals what a run without a crash leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.local.s3 import FolderS3
from tests.support.lake import (
    ARN,
    LAKE,
    CrashingS3,
    Killed,
    Lake,
    Turn,
    ctas_spec,
    insert_spec,
    target,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Scenario = Callable[[Lake], tuple[Turn, dict[str, Any]]]
    """Prepare a lake; give the turn and the event (with its `op`) whose every call may die."""

SPEC = insert_spec(partitions=["dt", "carrier"], allowed={"carrier": ["AA", "UA"]})


def state(lake: Lake) -> dict[str, Any]:
    """Give everything in the lake; etags are compared with the listing, then left out."""
    etags = {stored.key: stored.etag for stored in lake.storage.list("prod/")}
    result: dict[str, Any] = {}
    for stored in lake.storage.list("prod/"):
        key = stored.key.removeprefix("prod/")
        if key.startswith(("_runner/records/", "_runner/leases/")):
            result[key] = lake.body(key)
            for file in result[key].get("files", ()):
                assert file.pop("etag") == etags[file["key"]], key
        else:
            result[key] = lake.text(key)
    return result


def essential(lake: Lake) -> dict[str, Any]:
    """Give the state without what garbage collection sweeps: dead stages, superseded twins."""
    whole = state(lake)
    return {
        key: value
        for key, value in whole.items()
        if not key.startswith("_runner/stage/")
        and not (key.endswith(".writing") and key.removesuffix("writing") + "json" in whole)
    }


def publishing(lake: Lake) -> tuple[Turn, dict[str, Any]]:
    """Two periods, one with several files, one that becomes empty; old files in both."""
    for day in ("2013-01-04", "2013-01-05", "2013-01-06", "2013-01-07"):
        for number in range(2):
            lake.put(f"marts/daily/g=1/dt={day}/carrier=AA/old-{number}", f"old {day}")
    turn = Turn(lake, SPEC, start="2013-01-05", end="2013-01-06")
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    files = {
        "dt=2013-01-05/carrier=AA/part-0": "aa",
        "dt=2013-01-05/carrier=AA/part-1": "b",
        "dt=2013-01-05/carrier=UA/part-0": "ccc",
    }
    result = turn.stage(chunk["stage"], files, [["2013-01-05", "AA", 3], ["2013-01-05", "UA", 3]])
    return turn, {"op": "publish", "plan": plan, "chunk": chunk, "result": result, "scanned": 1}


def publishing_in_a_hurry(lake: Lake) -> tuple[Turn, dict[str, Any]]:
    """Every call runs out of time after one batch."""
    turn, event = publishing(lake)
    lake.remaining_s = lambda: 1.0
    return turn, event


def finishing_insert(lake: Lake) -> tuple[Turn, dict[str, Any]]:
    turn, event = publishing(lake)
    part = turn.call(**event)
    return turn, {"op": "finish", "written": [part]}


def preparing(lake: Lake) -> tuple[Turn, dict[str, Any]]:
    """A dead run has left a period before the window half written."""
    turn, event = publishing(lake)
    with pytest.raises(Killed):
        turn.call(**event, client=CrashingS3(lake.client, at=14))
    lake.storage.delete(["prod/_runner/leases/marts/daily.json"])
    nextone = Turn(lake, SPEC, execution=ARN + "next", start="2013-01-06", end="2013-01-06")
    return nextone, {"op": "prepare", "window": nextone.window, "target": target(SPEC)}


def accepting(lake: Lake) -> tuple[Turn, dict[str, Any]]:
    spec = ctas_spec()
    turn = Turn(lake, spec)
    plan = turn.prepare(target(spec))
    result = turn.stage(plan["stage"], {"data/part-0": "rows", "data/part-1": "more"}, [[8]])
    staged = {"StorageDescriptor": {"Columns": [{"Name": "a", "Type": "bigint"}]}}
    return turn, {
        "op": "accept",
        "plan": plan,
        "target": target(spec),
        "staged": staged,
        "result": result,
    }


def finishing_ctas(lake: Lake) -> tuple[Turn, dict[str, Any]]:
    turn, event = accepting(lake)
    return turn, {"op": "finish", "change": turn.call(**event), "scanned": 5}


def preparing_view(lake: Lake) -> tuple[Turn, dict[str, Any]]:
    turn = Turn(lake, ctas_spec("marts.names", kind="view"))
    return turn, {"op": "prepare", "window": turn.window, "target": None}


def finishing_view(lake: Lake) -> tuple[Turn, dict[str, Any]]:
    turn, event = preparing_view(lake)
    turn.call(**event)
    return turn, {"op": "finish"}


def loading(lake: Lake) -> tuple[Turn, dict[str, Any]]:
    turn, event = publishing(lake)
    turn.call(**event)
    load: dict[str, Any] = {
        "table": "daily",
        "mode": "replace_window",
        "keys": [],
        "columns": [],
        "types": {},
        "format": "orc",
        "min_rows": None,
        "engine": "native",
        "create": True,
        "before": None,
        "after": None,
    }
    return turn, {"op": "load", "name": "marts.daily", "window": turn.window, "load": load}


SCENARIOS: tuple[Scenario, ...] = (
    publishing,
    publishing_in_a_hurry,
    finishing_insert,
    preparing,
    accepting,
    finishing_ctas,
    preparing_view,
    finishing_view,
    loading,
)


def call(turn: Turn, event: dict[str, Any], client: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3
    """Call until it says that it is complete."""
    while not (answer := turn.call(**event, client=client)).get("complete", True):
        pass
    return answer


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_crash_at_any_call_and_a_repeat_equal_a_clean_run(
    tmp_path: Path,
    scenario: Scenario,
    after: bool,  # noqa: FBT001 - a table's column
) -> None:
    def fresh(name: str) -> tuple[Lake, Turn, dict[str, Any]]:
        lake = Lake(FolderS3(tmp_path / name))
        turn, event = scenario(lake)
        return lake, turn, event

    lake, turn, event = fresh("clean")
    counting = CrashingS3(lake.client)
    wanted_answer, wanted = call(turn, event, counting), state(lake)
    assert counting.calls
    for at in range(1, len(counting.calls) + 1):
        lake, turn, event = fresh(str(at))
        client = CrashingS3(lake.client, at=at, after=after)
        with pytest.raises(Killed):
            call(turn, event, client)
        assert call(turn, event, lake.client) == wanted_answer, (at, counting.calls)
        if scenario is preparing:  # what the dead run left is finished, but perhaps not swept
            assert essential(lake) == wanted, (at, counting.calls)
            continue
        assert state(lake) == wanted, (at, counting.calls)
        assert call(turn, event, lake.client) == wanted_answer or scenario is finishing_insert


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_of_the_whole_run_and_another_run_hold_the_window_once(
    tmp_path: Path,
    after: bool,  # noqa: FBT001 - a table's column
) -> None:
    """The execution is gone: a new one, an hour later, takes the lease over and writes again."""
    lake = Lake(FolderS3(tmp_path / "clean"))
    turn, event = publishing(lake)
    counting = CrashingS3(lake.client)
    call(turn, event, counting)
    for at in range(1, len(counting.calls) + 1):
        lake = Lake(FolderS3(tmp_path / str(at)))
        turn, event = publishing(lake)
        with pytest.raises(Killed):
            call(turn, event, CrashingS3(lake.client, at=at, after=after))
        lake.now = lake.now.replace(hour=23)
        second = Turn(lake, SPEC, execution=ARN + "new", start="2013-01-05", end="2013-01-06")
        plan = second.prepare()
        (chunk,) = plan["chunks"]
        files = {"dt=2013-01-06/carrier=UA/part-0": "dddd"}
        result = second.stage(chunk["stage"], files, [["2013-01-06", "UA", 4]])
        part = second.publish(plan, chunk, result)
        second.call("finish", written=[part])
        assert lake.contents("marts/") == {
            **{
                f"marts/daily/g=1/dt={day}/carrier=AA/old-{number}": f"old {day}"
                for day in ("2013-01-04", "2013-01-07")
                for number in range(2)
            },
            "marts/daily/g=1/dt=2013-01-06/carrier=UA/daily.new.0.1_part-0": "dddd",
        }, (at, counting.calls)


def test_a_killed_first_view_is_still_ours(tmp_path: Path) -> None:
    """Made, then killed before its record: the next run must not call it a stranger's."""
    lake = Lake(FolderS3(tmp_path))
    turn, event = preparing_view(lake)
    assert turn.call(**event) == {"action": "create"}
    made = {"Name": "names", "TableType": "VIRTUAL_VIEW", "Parameters": {}}
    again = Turn(lake, turn.spec, execution=ARN + "r2")
    assert again.call("prepare", window=again.window, target=made) == {"action": "create"}
    again.call("finish")
    assert again.call("prepare", window=again.window, target=made) == {"action": "none"}


def test_a_run_that_dies_around_the_flip_leaves_the_table_known_as_missing(tmp_path: Path) -> None:
    lake = Lake(FolderS3(tmp_path))
    turn, event = finishing_ctas(lake)
    turn.call(**event)
    other = Turn(lake, turn.spec, execution=ARN + "r2")
    plan = other.prepare(target(turn.spec))
    result = other.stage(plan["stage"], {"data/part-0": "new"}, [[3]])
    staged = {"StorageDescriptor": {"Columns": [{"Name": "a", "Type": "bigint"}]}}
    change = other.call("accept", plan=plan, target=target(turn.spec), staged=staged, result=result)
    assert change["location"] == f"{LAKE}_runner/stage/marts/routes/daily.r2/0/1/data/"
    assert [key.rpartition(".")[2] for key in lake.keys("_runner/records/")] == ["json", "writing"]
    other.call("finish", change=change, scanned=5)
    assert [key.rpartition(".")[2] for key in lake.keys("_runner/records/")] == ["json", "json"]
