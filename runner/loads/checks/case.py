"""What a check looks at, and what it says.

In: a manifest and what was found in the mart and in the files.  Out: findings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runner.loads.target import wanted_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runner.loads.shapes import Engine, MartServer, MartTable, SourceFacts
    from runner.model.loads import LoadColumn, LoadManifest
    from runner.model.ports import Json

Severity = Literal["error", "warning"]
Sees = Literal["shapes", "facts", "job", "counts"]
"""What a check cannot do without: only the mart's shape, a scan of the files, the generated
configuration of Embulk, or the counts after the load."""

MERGES = ("merge", "merge_direct")
DIRECT = ("insert_direct", "merge_direct")
OWN_TABLES = "_runner_"
"""What the names of the loader's own tables in a mart begin with."""
LEDGER = "_runner_loads"


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of the load's window in the mart (of its table, without a window)."""

    before: int | None
    """None when they were not counted."""
    after: int


@dataclass(frozen=True, slots=True)
class LoadCase:
    """One load and all that is known about it."""

    manifest: LoadManifest
    table: MartTable | None
    """The mart's table; None when there is none."""
    server: MartServer
    facts: SourceFacts | None = None
    engine: Engine = "native"
    job: Mapping[str, Json] | None = None
    """Embulk's configuration before its secrets are filled in."""
    counted: Counted | None = None

    @property
    def name(self) -> str:
        """Name the mart's table."""
        return self.manifest.key.mart_table

    @property
    def merges(self) -> bool:
        """Tell whether rows with the keys of a row take its place."""
        return self.manifest.mode in MERGES

    @property
    def lite(self) -> bool:
        """Tell whether the mart is a SQLite file."""
        return self.server.product == "sqlite"

    @property
    def keys(self) -> str:
        """List the keys."""
        return ", ".join(self.manifest.keys)

    def quoted(self, name: str) -> str:
        """Quote an identifier as the mart does."""
        mark = '"' if self.lite else "`"
        return f"{mark}{name.replace(mark, mark * 2)}{mark}"

    def quoted_keys(self) -> str:
        """List the keys for a statement."""
        return ", ".join(map(self.quoted, self.manifest.keys))

    def wanted(self, column: LoadColumn) -> str:
        """Give the type that a column would have in a new table."""
        return wanted_type(self.manifest, column, self.server.product)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a load, or may be."""

    check: str
    severity: Severity
    error: str
    """The load's error name: `Load.SchemaDrift`."""
    message: str
    """Where, what was found, and what was expected; begins with a lower-case word or a name."""
    advice: str
    """What to do next."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a check found, before it has the check's name."""

    error: str
    message: str
    advice: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked for before, or after, a load."""

    name: str
    purpose: str
    """Why it matters; the reference page is made of it."""
    engines: tuple[Engine, ...]
    sees: tuple[Sees, ...]
    """It runs when one of these is known."""
    find: Callable[[LoadCase], Iterator[Said]]

    def runs(self, case: LoadCase) -> bool:
        """Tell whether the check has something to look at."""
        known = {
            "shapes": True,
            "facts": case.facts is not None,
            "job": case.job is not None,
            "counts": case.counted is not None,
        }
        return case.engine in self.engines and any(known[one] for one in self.sees)


BOTH: tuple[Engine, ...] = ("native", "embulk")
EMBULK: tuple[Engine, ...] = ("embulk",)
DRIFT = "Load.SchemaDrift"
REFUSED = "Load.Refused"
UNFIT = "Load.ValuesDoNotFit"
