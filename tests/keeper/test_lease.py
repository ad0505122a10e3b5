"""Who may write a table now: SEMANTICS 7."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from runner.keeper.faults import LeaseHeld, LeaseLost
from runner.keeper.lease import Owner
from tests.support.lake import BUCKET, NOW, HookedS3, Lake

if TYPE_CHECKING:
    from runner.keeper.lease import Leases

A, B = Owner("arn:a", 0, 1), Owner("arn:b", 0, 1)
TABLE = "marts.daily"
KEY = "_runner/leases/marts/daily.json"


def leases(lake: Lake, client: Any = None) -> Leases:  # noqa: ANN401 - boto3's client
    return lake.keeper(client).leases


def test_a_lease_names_its_owner_and_its_stage(any_lake: Lake) -> None:
    window = ("2013-01-01", "2013-01-31")
    leases(any_lake).take(TABLE, A, stage="s3://lake/stage/", window=window)
    assert any_lake.body(KEY) == {
        "execution": "arn:a",
        "redrive": 0,
        "attempt": 1,
        "stage": "s3://lake/stage/",
        "start": "2013-01-01",
        "end": "2013-01-31",
        "at": "2013-02-01T03:00:00+00:00",
    }


def test_a_lease_of_a_running_execution_is_waited_for_by_name(any_lake: Lake) -> None:
    any_lake.running.add("arn:a")
    leases(any_lake).take(TABLE, A, stage="s")
    any_lake.now += dt.timedelta(days=1)
    with pytest.raises(LeaseHeld, match="marts.daily is being written by arn:a"):
        leases(any_lake).take(TABLE, B, stage="s")
    leases(any_lake).take("marts.other", B, stage="s")


def test_a_dead_owners_lease_is_taken_when_its_last_call_must_have_ended(any_lake: Lake) -> None:
    leases(any_lake).take(TABLE, A, stage="s")
    any_lake.now += dt.timedelta(hours=1)
    leases(any_lake).renew(TABLE, A)  # a call of the owner begins, an hour later
    any_lake.now += dt.timedelta(seconds=899)
    with pytest.raises(LeaseHeld, match=r"ended; its last call may still be at work for 1 s"):
        leases(any_lake).take(TABLE, B, stage="s")
    any_lake.now += dt.timedelta(seconds=1)
    leases(any_lake).take(TABLE, B, stage="s")
    with pytest.raises(LeaseLost, match="held by arn:b"):
        leases(any_lake).check(TABLE, A)
    leases(any_lake).release(TABLE, A)
    leases(any_lake).check(TABLE, B)


def test_the_same_attempt_takes_its_lease_again(any_lake: Lake) -> None:
    any_lake.running.add("arn:a")
    leases(any_lake).take(TABLE, A, stage="s")
    leases(any_lake).take(TABLE, A, stage="s")
    leases(any_lake).check(TABLE, A)


@pytest.mark.parametrize("later", [Owner("arn:a", 0, 2), Owner("arn:a", 1, 1)])
def test_a_later_attempt_stops_an_earlier_one_that_is_still_at_work(
    any_lake: Lake, later: Owner
) -> None:
    any_lake.running.add("arn:a")
    leases(any_lake).take(TABLE, A, stage="s")
    leases(any_lake).take(TABLE, later, stage="s")
    with pytest.raises(LeaseLost, match="held by a later attempt of this execution"):
        leases(any_lake).check(TABLE, A)
    with pytest.raises(LeaseLost, match="a later attempt of this execution is writing"):
        leases(any_lake).take(TABLE, A, stage="s")
    leases(any_lake).check(TABLE, later)


def test_an_execution_gives_its_lease_back_whatever_the_attempt(any_lake: Lake) -> None:
    leases(any_lake).take(TABLE, A, stage="s")
    leases(any_lake).release(TABLE, replace(A, attempt=2))
    leases(any_lake).release(TABLE, A)
    assert any_lake.keys() == []
    with pytest.raises(LeaseLost, match="held by nobody"):
        leases(any_lake).check(TABLE, A)


def racing(lake: Lake, value: str | None, times: int = 1) -> HookedS3:
    """Let somebody else write (or delete) the lease just before a conditional write."""
    left = [times]

    def put_object(client: Any, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3
        if "IfMatch" in arguments and left[0]:
            left[0] -= 1
            if value is None:
                client.delete_object(Bucket=BUCKET, Key=arguments["Key"])
            else:
                client.put_object(Bucket=BUCKET, Key=arguments["Key"], Body=value.encode())
        return client.put_object(**arguments)

    return HookedS3(lake.client, put_object=put_object)


@pytest.mark.parametrize("other", ['{"execution": "arn:c"}', None])
def test_of_two_who_take_over_at_once_one_wins(any_lake: Lake, other: str | None) -> None:
    leases(any_lake).take(TABLE, A, stage="s")
    any_lake.now = NOW + dt.timedelta(hours=1)
    with pytest.raises(LeaseHeld, match="changing hands"):
        leases(any_lake, racing(any_lake, other)).take(TABLE, B, stage="s")


def test_a_lease_that_vanishes_while_it_is_read_is_waited_for(lake: Lake) -> None:
    def put_object(client: Any, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3
        try:
            return client.put_object(**arguments)
        finally:
            client.delete_object(Bucket=BUCKET, Key=arguments["Key"])

    leases(lake).take(TABLE, A, stage="s")
    with pytest.raises(LeaseHeld, match="changing hands"):
        leases(lake, HookedS3(lake.client, put_object=put_object)).take(TABLE, B, stage="s")


def test_a_lost_answer_to_taking_a_lease_does_no_harm(lake: Lake) -> None:
    """The SDK repeats the request by itself: S3 then says that the condition does not hold."""

    def put_object(client: Any, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3
        client.put_object(**arguments)
        return client.put_object(**arguments)

    client = HookedS3(lake.client, put_object=put_object)
    lake.running.add("arn:a")
    with pytest.raises(LeaseHeld, match="changing hands"):  # the state machine asks again
        leases(lake, client).take(TABLE, A, stage="s")
    leases(lake).take(TABLE, A, stage="s")
    leases(lake).check(TABLE, A)


def test_chunks_of_one_attempt_renew_beside_each_other(lake: Lake) -> None:
    leases(lake).take(TABLE, A, stage="s")
    same = lake.text(KEY)
    leases(lake, racing(lake, same, times=5)).renew(TABLE, A)
    with pytest.raises(LeaseLost, match="changing hands"):
        leases(lake, racing(lake, same, times=100)).renew(TABLE, A)
