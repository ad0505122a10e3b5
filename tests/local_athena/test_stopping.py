"""StopQueryExecution while a statement is still being translated."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.athena import LocalAthena
from runner.local.athena.errors import AthenaFailure
from runner.local.athena.translate import translate_query
from runner.local.glue import GlueCatalog

if TYPE_CHECKING:
    from runner.local.athena.engine import Handle
    from tests.local_athena.conftest import World


class Slow(GlueCatalog):
    """A catalogue that keeps whoever asks for a table waiting."""

    def __init__(self, world: World) -> None:
        super().__init__(world.root / "catalog.sqlite")
        self.asked, self.go_on = threading.Event(), threading.Event()

    def get_table(self, **given: Any) -> dict[str, Any]:  # noqa: ANN401
        self.asked.set()
        assert self.go_on.wait(60)
        return super().get_table(**given)


def test_a_stopped_statement_is_cancelled_at_once_and_leaves_nothing(world: World) -> None:
    world.run("CREATE EXTERNAL TABLE t (a int) LOCATION 's3://b/t/'")
    catalog = Slow(world)
    slow = replace(world, catalog=catalog)
    slow.athena = LocalAthena(world.s3, catalog, world.root / "athena.sqlite", results="s3://r/")
    identity = slow.athena.start_query_execution(
        QueryString="SELECT * FROM t", QueryExecutionContext={"Database": "db"}
    )["QueryExecutionId"]
    assert catalog.asked.wait(60)
    running = slow.athena.running(identity)
    assert running is not None
    slow.athena.stop_query_execution(QueryExecutionId=identity)
    end = time.monotonic() + 60
    while running.cursor is None or not running.cursor.is_given_up():
        assert time.monotonic() < end
        time.sleep(0.001)
    for ended in (False, True):
        found = slow.athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]
        assert running.ended.is_set() is ended
        assert found["Status"]["State"] == "CANCELLED"
        assert found["Status"]["StateChangeReason"] == "Query cancelled by user"
        assert found["Status"]["CompletionDateTime"]
        catalog.go_on.set()
        running.ended.wait(60)
    slow.athena.close()
    catalog.close()
    assert world.s3.list_objects_v2(Bucket="r")["KeyCount"] == 0


def test_a_translation_asks_between_its_steps_whether_to_go_on() -> None:
    asked: list[None] = []
    translate_query(
        "SELECT 1", database="db", lookup=lambda *_: None, check=lambda: asked.append(None)
    )
    for last in range(len(asked)):
        left = [None] * last

        def check(left: list[None] = left) -> None:
            if not left:
                raise AthenaFailure("USER_CANCELED", "Query cancelled by user")
            left.pop()

        with pytest.raises(AthenaFailure, match="USER_CANCELED"):
            translate_query("SELECT 1", database="db", lookup=lambda *_: None, check=check)


def test_what_was_told_cancelled_is_never_running_again(world: World) -> None:
    def stopped_while_translating(handle: Handle) -> None:
        with handle.translating():
            handle.interrupt()
            assert handle.is_given_up()

    with world.athena._engine.cursor() as handle:  # noqa: SLF001 - nothing public gives one
        with pytest.raises(AthenaFailure, match="cancelled"):
            stopped_while_translating(handle)
        assert handle.is_given_up()
