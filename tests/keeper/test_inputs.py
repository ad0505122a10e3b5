"""What a table reads is finished first, waited for, and looked at again (SEMANTICS 3, 19, 21)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from runner.keeper.faults import InputChanged, InputUnfinished, LeaseHeld
from tests.support.lake import ARN, Lake, Turn, insert_spec

ABOVE = insert_spec("staging.flights")
READ = {"table": "staging.flights", "kind": "insert", "grain": "day", "windowed": True}
ROWS = {"2013-01-05": "five", "2013-01-06": "six"}


def reader(lake: Lake, execution: str = "r9", **read: Any) -> Turn:  # noqa: ANN401 - JSON
    return Turn(lake, insert_spec(reads=[{**READ, **read}]), execution=ARN + execution)


def half_written(lake: Lake) -> Turn:
    """Leave a publish that died after its record was begun."""
    turn = Turn(lake, ABOVE, start="2013-01-05", end="2013-01-06")
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    result = turn.stage_days(chunk, ROWS)

    class Dies:
        """A client whose process dies at the first copy."""

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method of the client
            if name == "copy_object":
                raise KeyboardInterrupt
            return getattr(lake.client, name)

    with pytest.raises(KeyboardInterrupt):
        turn.publish(plan, chunk, result, client=Dies())
    assert [key for key in lake.keys("_runner/records/staging/") if key.endswith(".writing")]
    lake.now += dt.timedelta(hours=1)
    return turn


def test_semantics_3_a_half_written_input_of_a_dead_run_is_finished_before_it_is_read(
    lake: Lake,
) -> None:
    half_written(lake)
    reader(lake).prepare()
    texts = lake.contents("staging/flights/g=1/")
    assert sorted(texts.values()) == ["five", "six"]
    endings = {key.rpartition(".")[2] for key in lake.keys("_runner/records/staging/")}
    assert endings == {"json"}
    assert lake.keys("_runner/leases/staging/") == []


def test_semantics_3_an_input_that_is_being_published_is_waited_for(lake: Lake) -> None:
    turn = half_written(lake)
    lake.running.add(turn.execution)
    with pytest.raises(LeaseHeld, match=r"staging\.flights is being written by .*r1"):
        reader(lake).prepare()
    assert lake.keys("_runner/leases/marts/") == []


def test_semantics_3_an_input_that_cannot_be_finished_is_not_read(lake: Lake) -> None:
    half_written(lake)
    lake.storage.empty("prod/_runner/stage/staging/")
    with pytest.raises(InputUnfinished, match=r"2013-01-05\.\.2013-01-06 was left half-written"):
        reader(lake).prepare()


def test_what_is_half_written_outside_of_the_window_is_not_read(lake: Lake) -> None:
    half_written(lake)
    turn = reader(lake)
    turn.start = turn.end = "2013-01-07"
    assert len(turn.prepare()["chunks"]) == 1
    assert [key for key in lake.keys("_runner/records/staging/") if key.endswith(".writing")]


def test_semantics_19_a_lookback_reaches_a_half_written_period(lake: Lake) -> None:
    half_written(lake)
    turn = reader(lake, lookback=1)
    turn.start = turn.end = "2013-01-07"
    turn.prepare()
    assert lake.contents("staging/flights/g=1/")


def test_an_input_that_is_read_whole_is_finished_wherever_it_is(lake: Lake) -> None:
    half_written(lake)
    turn = reader(lake, windowed=False)
    turn.start = turn.end = "2013-03-01"
    turn.prepare()
    assert lake.contents("staging/flights/g=1/")


@pytest.mark.parametrize(
    ("published", "read", "changed"),
    [
        ("2013-01-05", {}, True),
        ("2013-01-04", {}, False),
        ("2013-01-04", {"lookback": 1}, True),
        ("2013-01-06", {}, False),
        ("2012-05-05", {"windowed": False}, True),
    ],
)
def test_rows_of_an_input_that_was_published_meanwhile_are_not_published(
    lake: Lake,
    published: str,
    read: dict[str, Any],
    changed: bool,  # noqa: FBT001 - a table's column
) -> None:
    turn = reader(lake, **read)
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    result = turn.stage_days(chunk, {"2013-01-05": "rows"})
    Turn(lake, ABOVE, start=published, end=published).write({published: "new"})
    if changed:
        with pytest.raises(InputChanged, match="was published while it was read"):
            turn.publish(plan, chunk, result)
        assert lake.keys("marts/") == []
        assert lake.keys("_runner/records/marts/") == []
    else:
        assert turn.publish(plan, chunk, result)["complete"]


def test_a_second_attempt_reads_the_changed_input_and_publishes(lake: Lake) -> None:
    turn = reader(lake)
    plan = turn.prepare()
    Turn(lake, ABOVE).write({"2013-01-05": "new"})
    with pytest.raises(InputChanged):
        turn.publish(plan, plan["chunks"][0], turn.stage_days(plan["chunks"][0], {}))
    turn.attempt = 2
    assert turn.write({"2013-01-05": "rows"})["partitions"] == 1


def test_a_whole_input_is_read_in_one_state_or_the_other(lake: Lake) -> None:
    """A ctas flips at once: its begun record stops nobody, a finished one asks for a new read."""
    key = "_runner/records/marts/routes/all_all/{}T000000.000000Z_ffffffffffff_daily.r1.0.1.{}"
    lake.put(key.format("20130105", "writing"), "{}")
    turn = reader(lake, table="marts.routes", kind="ctas", grain=None, windowed=False)
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    result = turn.stage_days(chunk, {"2013-01-05": "rows"})
    lake.put(key.format("20130105", "json"), "{}")
    with pytest.raises(InputChanged):
        turn.publish(plan, chunk, result)
