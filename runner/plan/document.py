"""A whole backfill plan, and the JSON that is stored in the lake for whoever carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.plan.sizes import money

if TYPE_CHECKING:
    from runner.plan.backfill import Gap, PlannedTable

FORMAT = 1


@dataclass(frozen=True, slots=True)
class BackfillPlan:
    """What a backfill will write, in which order, and what it is expected to cost."""

    name: str
    created: str
    """Stamp of the plan; what was published from then on is done."""
    workflow: str
    """The workflow that was named; empty when tables were."""
    grain: str
    """Grain of `start` and `end`."""
    start: str
    end: str
    tables: tuple[PlannedTable, ...]
    """Upstream first; empty when there is nothing to do."""
    gaps: tuple[Gap, ...]
    """What the planned tables read, is not there, and is not written either."""
    loads: tuple[str, ...] = ()
    """Marts' tables that are loaded afterwards, as mart:table."""
    price_per_tb: float = 0.0
    continued: bool = False
    """The plan was stored before; the tables hold what is left of it."""

    @property
    def bytes(self) -> int:
        """Give what the statements will scan."""
        return sum(table.bytes for table in self.tables)

    @property
    def money(self) -> float:
        """Give the price of the scan."""
        return money(self.bytes, self.price_per_tb)

    @property
    def chunks(self) -> int:
        """Count the statements that write."""
        return sum(table.chunks for table in self.tables)

    @property
    def periods(self) -> int:
        """Count the partitions."""
        return sum(table.periods for table in self.tables)


def document(plan: BackfillPlan) -> dict[str, Any]:
    """Write the plan as it is stored at `_runner/backfills/<name>.json`."""
    return {
        "format": FORMAT,
        "name": plan.name,
        "created": plan.created,
        "workflow": plan.workflow,
        "grain": plan.grain,
        "start": plan.start,
        "end": plan.end,
        "tables": {
            table.physical: {
                "name": table.name,
                "fingerprint": table.fingerprint,
                "refresh": table.refresh,
                "windows": [list(window) for window in table.windows],
            }
            for table in plan.tables
        },
    }
