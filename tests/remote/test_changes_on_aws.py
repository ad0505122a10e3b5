"""`gc` and `drop` in an environment on AWS: proved by records, held by leases, guarded."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from runner.app.drop import drop, plan_drop
from runner.app.gc import clean, find_garbage
from runner.app.places import open_environment
from runner.app.tenure import holding
from runner.errors import RunFailed, UsageError
from runner.keeper.faults import LeaseHeld
from runner.keeper.lease import Leases, Owner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.aws import Aws
    from tests.support.commands import Cli

ROUTES = "marts.route_summary"
OTHER = "arn:aws:states:eu-west-1:123456789012:execution:flights-prod-daily:r9"


def lease(aws: Aws, table: str = "marts/route_summary") -> dict[str, str]:
    body = aws.s3.get_object(Bucket="lake", Key=f"_runner/leases/{table}.json")["Body"].read()
    found: dict[str, str] = json.loads(body)
    return found


def test_drop_removes_what_records_prove(flights: Path, aws: Aws, cli: Cli) -> None:
    before = set(aws.stored())
    data = {key for key in before if key.startswith("staging/weather/")}
    kept = {key for key in before if key.startswith("_runner/records/staging/weather/")}
    assert data
    assert kept
    said = cli("drop", "staging.weather", "--data", "--yes", "--env", "prod")
    assert said.status == 0, said.err
    assert "dropped staging.weather" in said.out
    assert before - set(aws.stored()) == data | kept
    tables = aws.glue.get_tables(DatabaseName="staging")["TableList"]
    assert [table["Name"] for table in tables] == ["flights"]
    assert (flights / "sql" / "staging" / "weather.sql").is_file()


def test_a_table_that_a_run_writes_is_not_dropped(flights: Path, aws: Aws) -> None:
    """A lease of an execution that has just ended counts too: its last call may be at work."""
    places = open_environment(flights, "prod", now=lambda: datetime.now(UTC))
    leases = Leases(places.storage(), lambda _: False, places.now, 900.0)
    leases.take(ROUTES, Owner(OTHER, 0, 1), stage="")
    with pytest.raises(RunFailed, match="lease"):
        plan_drop(flights, ROUTES, data=True, environment="prod")
    with pytest.raises(RunFailed, match="its last call may still be at work"):
        drop(flights, ROUTES, data=True, environment="prod")
    assert lease(aws)["execution"] == OTHER


def test_a_command_holds_the_lease_by_renewing_it(flights: Path, aws: Aws) -> None:
    """Step Functions knows no such execution: only the lease's age says that it is held."""
    places = open_environment(flights, "prod", now=lambda: datetime.now(UTC))
    with holding(places, ROUTES, verb="drop", every_s=0.02) as owner:
        first = lease(aws)
        assert first["execution"] == owner.execution
        assert owner.execution.startswith(
            "arn:aws:states:eu-west-1:123456789012:execution:flights-prod-runner-drop:"
        )
        assert not places.is_running(owner.execution)
        _until(lambda: lease(aws)["at"] > first["at"])
        keeper = Leases(places.storage(), places.is_running, places.now, 900.0)
        with pytest.raises(Exception, match="may still be at work"):
            keeper.take(ROUTES, Owner(OTHER, 0, 1), stage="")
    left = aws.stored()
    assert "_runner/leases/marts/route_summary.json" not in left


def test_a_lease_that_was_taken_away_is_told(flights: Path, aws: Aws) -> None:
    places = open_environment(flights, "prod", now=lambda: datetime.now(UTC))
    later = places.now() + timedelta(hours=1)
    taker = Leases(places.storage(), lambda _: False, lambda: later, 900.0)

    def taken() -> bool:
        """Try until no renewal comes between."""
        with suppress(LeaseHeld):
            taker.take(ROUTES, Owner(OTHER, 0, 1), stage="")
            return True
        return False

    def take_it_away() -> None:
        with holding(places, ROUTES, verb="drop", every_s=0.02):
            _until(taken)
            time.sleep(0.2)

    with pytest.raises(RunFailed, match="table-busy"):
        take_it_away()
    assert lease(aws)["execution"] == OTHER


def test_gc_deletes_what_a_dead_run_left(flights: Path, aws: Aws) -> None:
    """Its execution is not known to Step Functions any more; an hour is long enough ago."""
    key = "_runner/stage/marts/route_summary/flights-prod-daily.dead/0/1/part-0"
    aws.s3.put_object(Bucket="lake", Key=key, Body=b"x")

    def later() -> datetime:
        return datetime.now(UTC) + timedelta(hours=3)

    keep = timedelta(hours=1)
    found = find_garbage(flights, environment="prod", keep=keep, now=later)
    assert key in {name for item in found.items for name in item.keys}
    clean(found)
    left = aws.stored()
    assert key not in left


def test_a_protected_environment_is_not_changed(flights: Path, aws: Aws, cli: Cli) -> None:
    path = flights / "config.yaml"
    path.write_text(path.read_text("utf-8") + "    protected: true\n", "utf-8")
    before = aws.stored()
    said = cli("drop", ROUTES, "--data", "--yes", "--env", "prod")
    assert said.status == 2
    assert "say --confirm prod" in said.err
    with pytest.raises(UsageError, match="not-confirmed"):
        drop(flights, ROUTES, data=True, environment="prod", confirm="dev")
    garbage = find_garbage(flights, environment="prod")
    with pytest.raises(UsageError, match="not-confirmed"):
        clean(garbage)
    assert aws.stored() == before
    named = cli("drop", ROUTES, "--data", "--yes", "--env", "prod", "--confirm", "prod")
    assert named.status == 0, named.err


def _until(met: Callable[[], bool], *, patience_s: float = 10.0) -> None:
    end = time.monotonic() + patience_s
    while not met():
        assert time.monotonic() < end
        time.sleep(0.01)
