"""What SQL files and config.yaml say about each other.

In: tables' names and headers, the setting.  Out: faults.  SEMANTICS 27.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import Fault
from runner.model.nearest import listed, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.checks import Subject
    from runner.model.names import TableName
    from runner.project.configuration import Setting


def source_faults(setting: Setting, names: Mapping[TableName, str]) -> Iterator[Fault]:
    """Refuse a table of the project that is named like a source."""
    for name, path in names.items():
        if str(name) in setting.sources:
            yield Fault(
                setting.places.key("sources", str(name)),
                "table-is-source",
                f"the source {name}, which is a table of the project too ({path})",
                "a table of the project, or a source outside it",
                "remove it from `sources`, or rename the file",
            )


def mart_faults(subjects: Sequence[Subject], setting: Setting) -> Iterator[Fault]:
    """Refuse loads into marts that the environment does not have."""
    if setting.environment is None:
        return
    marts = setting.environment.marts
    for subject in subjects:
        load = subject.table.header.load
        if load is not None and load.mart not in marts:
            advice = "add it under `marts` of the environment"
            yield Fault(
                subject.places.value("load", "mart"),
                "unknown-mart",
                f"the mart `{load.mart}`, which the environment {setting.environment_name} lacks",
                f"one of {listed(marts)}" if marts else "a mart; the environment has none",
                suggestion(load.mart, marts, otherwise=f"{advice}, or name another"),
            )
