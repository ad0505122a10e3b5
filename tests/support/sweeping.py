"""A lake and a catalogue for tests of what `gc`, `drop` and `adopt` do, at the present time.

Objects carry the time at which they are written, so these tests live now: the world of a sweep is
one that looks back from some days later.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.keeper import gc, records, sweep
from runner.keeper.catalog import Catalog
from tests.support.lake import ARN, LAKE, Lake, Turn, ctas_spec, insert_spec, target

if TYPE_CHECKING:
    from collections.abc import Mapping

STAGES = ("marts", "marts__stage")
SPEC = insert_spec()
WHOLE = ctas_spec()
COLUMNS = [{"Name": "a", "Type": "bigint"}]


@dataclass
class Sweeping:
    """A lake with tables, and what a sweep of it finds."""

    lake: Lake
    glue: Any

    def world(self, days: float = 8, client: Any = None, **more: Any) -> gc.World:  # noqa: ANN401
        """Look at the lake some days after now."""
        return gc.World(
            storage=self.lake.keeper(client).storage,
            catalog=Catalog(self.glue),
            is_running=lambda execution: execution in self.lake.running,
            execution_of=lambda run: sweep.execution_arn(ARN.removesuffix("daily:"), run),
            project="flights",
            now=self.lake.now + dt.timedelta(days=days),
            **more,
        )

    def plan(self, days: float = 8, **more: Any) -> dict[str, list[str]]:  # noqa: ANN401
        """Give what would go, names by class; prefixes without the lake's."""
        found = gc.by_kind(gc.plan(self.world(days, **more)))
        return {
            kind: [item.name.removeprefix("prod/") for item in items]
            for kind, items in found.items()
        }

    def clean(self, days: float = 8, client: Any = None, **more: Any) -> int:  # noqa: ANN401
        """Plan and delete; gives the number of items that went."""
        world = self.world(days, client, **more)
        return sum(sweep.apply(world, item) for item in gc.plan(world))

    def turn(self, name: str, spec: Mapping[str, Any] = SPEC, **more: Any) -> Turn:  # noqa: ANN401
        """Begin a run's turn at a table, when the last call before it has surely ended."""
        self.lake.now += dt.timedelta(minutes=20)
        return Turn(self.lake, dict(spec), execution=ARN + name, **more)

    def write(self, name: str, days: Mapping[str, str]) -> None:
        """Write the daily insert table by a whole run over the days."""
        turn = self.turn(name, start=min(days), end=max(days))
        turn.write(days)
        self.put_table(target(turn.spec))

    def begin(self, name: str, days: Mapping[str, str]) -> tuple[Turn, dict[str, Any]]:
        """Come as far as the publish of the first chunk; gives its event."""
        turn = self.turn(name, start=min(days), end=max(days))
        plan = turn.prepare()
        chunk = plan["chunks"][0]
        result = turn.stage_days(chunk, days)
        event = {"op": "publish", "plan": plan, "chunk": chunk, "result": result, "scanned": 1}
        return turn, event

    def flip(self, name: str, text: str) -> str:
        """Write the whole table by a run and flip to it; gives its location."""
        turn, change = self.accept(name, text)
        self.put_table({**target(turn.spec), **change["table_input"]})
        turn.call("finish", change=change, scanned=5)
        return str(change["location"])

    def accept(self, name: str, text: str) -> tuple[Turn, dict[str, Any]]:
        """Come as far as the flip of the whole table."""
        turn = self.turn(name, WHOLE)
        found = Catalog(self.glue).table("marts.routes")
        have = json.loads(json.dumps(found, default=str))
        plan = turn.call("prepare", window=turn.window, target=have)
        result = turn.stage(plan["stage"], {"data/part-0": text}, [[len(text)]])
        staged = {"StorageDescriptor": {"Columns": COLUMNS}}
        change = turn.call("accept", plan=plan, target=have, staged=staged, result=result)
        return turn, change

    def put_table(self, table: Mapping[str, Any], database: str = "marts") -> None:
        """Make a table in the catalogue, or change it."""
        allowed = ("Name", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")
        given = {name: table[name] for name in allowed if name in table}
        if Catalog(self.glue).table(f"{database}.{given['Name']}") is None:
            self.glue.create_table(DatabaseName=database, TableInput=given)
        else:
            self.glue.update_table(DatabaseName=database, TableInput=given)

    def stage_table(self, name: str, location: str) -> None:
        """Make a stage table."""
        storage = {"Columns": COLUMNS, "Location": location}
        self.put_table({"Name": name, "StorageDescriptor": storage}, "marts__stage")

    def published(self, table: str = "marts.daily", grain: str | None = "day") -> dict[str, str]:
        """Give the run that counts for each published period."""
        found = records.newest(records.entries(self.lake.storage, table), grain)
        return {period: entry.run for period, entry in found.items() if entry.published}

    def counted_files(self) -> set[str]:
        """Give every key that a record which counts lists."""
        files: set[str] = set()
        for table, grain in (("marts.daily", "day"), ("marts.routes", None)):
            storage = self.lake.storage
            latest = records.newest(records.entries(storage, table), grain)
            for body in records.bodies(storage, set(latest.values())).values():
                files |= {file.get("from", file["key"]) for file in body["files"]}
        return files


__all__ = ["ARN", "LAKE", "SPEC", "STAGES", "WHOLE", "Sweeping"]
