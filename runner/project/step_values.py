"""Personal data in the values of `sql` steps.

In: what the steps ask, and where tagged columns are.  Out: faults.  The value of a
step is written into the execution's history, which everybody reads who may look at a run, and goes
on into payloads, messages and requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.pii import value_fault
from runner.model.project import Column
from runner.project.personal import lost_fault, may_read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runner.errors import Fault, Place
    from runner.model.project import PersonalStep, Table
    from runner.project.configuration import Setting
    from runner.project.personal import Personal
    from runner.project.step_queries import Asked


def schemas_of(tables: Sequence[Table], setting: Setting) -> dict[str, tuple[Column, ...]]:
    """Give the columns of everything that a query may read, as far as they are known."""
    known = {str(table.name): table.columns for table in tables if table.columns}
    return known | {
        name: tuple(map(Column, columns)) for name, columns in setting.sources.items() if columns
    }


def value_faults(
    asked: Sequence[Asked],
    personal: Personal,
    schemas: Mapping[str, tuple[Column, ...]],
    place_of_step: Callable[[PersonalStep], Place],
) -> Iterator[Fault]:
    """Refuse queries of steps whose rows hold personal data without a mask."""
    for one in asked:
        reads = {*map(str, one.query.reads), *one.query.sources}
        if may_read(one.rendered, reads, personal):
            yield from _faults(one, personal, schemas, place_of_step)


def _faults(
    asked: Asked,
    personal: Personal,
    schemas: Mapping[str, tuple[Column, ...]],
    place_of_step: Callable[[PersonalStep], Place],
) -> Iterator[Fault]:
    from runner.query import trace  # noqa: PLC0415 - sqlglot, for projects with tagged columns

    lineage = trace(asked.rendered, asked.analysis, tagged=personal.tagged, schemas=schemas)
    if lineage.lost:
        lost = (lineage.lost, lineage.lost_at)
        yield lost_fault(asked.rendered, asked.analysis, lost, personal)
    for carried in lineage.carried:
        place = asked.rendered.locate(carried.offset)
        for before in personal.columns[carried.table][carried.column]:
            yield value_fault(asked.step, carried.output, before, place, place_of_step)
