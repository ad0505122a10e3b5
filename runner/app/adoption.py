"""Whether a table that somebody else made can be ours: every fault of it, and its partitions.

In: what the file says, what the catalogue says, the objects below the table's location.  Out:
partitions with their files, and faults.  Pure: it is told what was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.errors import Fault, Place
from runner.keeper import schema, windows
from runner.keeper.catalog import is_iceberg, location_of
from runner.keeper.faults import SchemaChanged
from runner.keeper.publish import is_data, partition_values
from runner.keeper.records import WHOLE
from runner.keeper.spec import Spec, hive_escape, is_allowed
from runner.query.projection import read_date

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runner.keeper.storage import Stored

Columns = tuple[tuple[str, str], ...]
_SEPARATOR = "'|'"


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was found of the table."""

    entry: dict[str, Any]
    """Glue's description."""
    inferred: Columns
    """Names and Hive types of the query's columns, partition columns too; empty: not known."""
    others: dict[str, list[str]]
    """Locations of other tables, and who uses them."""
    lake: str
    """The lake's URI."""
    base: str
    """Key prefix of the table's location; empty when it is not in the lake's bucket."""
    objects: tuple[Stored, ...]
    """Below the location."""
    registered: dict[tuple[str, ...], str]
    """Values of the partitions in the catalogue, and where they lie."""


@dataclass(frozen=True, slots=True)
class Partitions:
    """Files by period and by values, in order."""

    files: dict[str, tuple[dict[str, Any], ...]]
    """Files of each period (`all` for a table without time partitions), as records list them."""
    values: dict[tuple[str, ...], str]
    """Values of every partition that has files, and its period."""


class Judge:
    """Collects the faults of one table."""

    def __init__(self, file: str, spec: Spec, found: Found) -> None:
        """Take the table's file, what it says and what was found."""
        self._place = Place(file)
        self._spec = spec
        self._found = found
        self.faults: list[Fault] = []

    def add(self, found: str, expected: str, advice: str) -> None:
        """Note a fault."""
        self.faults.append(Fault(self._place, "not-adoptable", found, expected, advice))

    def definition(self) -> None:
        """Compare a view or an external table with the file: only what it is counts."""
        kind = self._found.entry.get("TableType", "")
        if (kind == "VIRTUAL_VIEW") != (self._spec.kind == "view"):
            self.add(f"{kind or 'a table'} in the catalogue", f"a {self._spec.kind}", _KIND)

    def table(self) -> Partitions:
        """Compare a table that the project would write; gives its partitions."""
        entry = self._found.entry
        if entry.get("TableType") == "VIRTUAL_VIEW":
            self.add("a view in the catalogue", f"a table ({self._spec.kind})", _KIND)
            return Partitions({}, {})
        if is_iceberg(entry):
            self.add("an Iceberg table", "a Hive table", "leave it to whoever writes it")
        self._storage(entry)
        self._columns(entry)
        self._location()
        return self._partitions()

    def _storage(self, entry: dict[str, Any]) -> None:
        have, want = entry["StorageDescriptor"], self._spec.storage
        serde = (have.get("SerdeInfo") or {}).get("SerializationLibrary")
        for name, is_, should in (
            ("InputFormat", have.get("InputFormat"), want["InputFormat"]),
            ("OutputFormat", have.get("OutputFormat"), want["OutputFormat"]),
            ("SerDe", serde, want["SerdeInfo"]["SerializationLibrary"]),
        ):
            if is_ != should:
                self.add(f"{name} {is_}", str(should), "give the header the table's `format`")
        settings = (have.get("SerdeInfo") or {}).get("Parameters") or {}
        for name in sorted(set(settings) - {"serialization.format", *_HARMLESS}):
            self.add(
                f"SerDe property {name}={settings[name]!r}",
                "a table that is read as we write it",
                "new files would not have it: leave the table to whoever writes it",
            )

    def _columns(self, entry: dict[str, Any]) -> None:
        keys = tuple(key["Name"] for key in entry.get("PartitionKeys", ()))
        if keys != self._spec.partitions:
            self.add(
                f"partition columns {', '.join(keys) or '(none)'}",
                ", ".join(self._spec.partitions) or "(none)",
                "give the header the table's partition columns, in their order",
            )
        for key in entry.get("PartitionKeys", ()):
            if key["Type"] != "string":
                advice = "partitions of ours are text: make the table anew under another name"
                self.add(f"partition column {key['Name']} {key['Type']}", "string", advice)
        if not self._found.inferred or keys != self._spec.partitions:
            return
        inferred = [{"Name": name, "Type": kind} for name, kind in self._found.inferred]
        bare = {**entry, "Parameters": {}}
        try:
            schema.merge_columns(self._spec, bare, schema.data_columns(self._spec, inferred))
        except SchemaChanged as error:
            text = str(error).removeprefix(f"{self._spec.name}: ")
            problems = text.partition(". Nothing was written")[0]
            for problem in problems.split("; "):
                self.add(problem, "the query's columns, by name and type", _COLUMNS)

    def _location(self) -> None:
        location = location_of(self._found.entry)
        if not self._found.base:
            self.add(
                f"location {location or '(none)'}",
                f"a folder of its own in the bucket of {self._found.lake}",
                "copy the files into the lake and make a table there",
            )
            return
        uri = location.rstrip("/") + "/"
        for other, users in sorted(self._found.others.items()):
            theirs = other.rstrip("/") + "/"
            if theirs.startswith(uri) or uri.startswith(theirs):
                self.add(
                    f"{', '.join(users)} lies in {other}",
                    f"nobody else in {uri}",
                    "a window that is emptied would empty theirs: move one of the two",
                )
        runner = self._found.lake.rstrip("/") + "/_runner/"
        if uri.startswith(runner) or runner.startswith(uri):
            self.add(f"location {location}", "a folder beside _runner/", "move the table")

    def _partitions(self) -> Partitions:
        files: dict[str, list[dict[str, Any]]] = {}
        values: dict[tuple[str, ...], str] = {}
        wrong: dict[str, None] = {}
        for stored in self._found.objects:
            if not is_data(stored.key):
                continue
            relative = stored.key.removeprefix(self._found.base)
            folder = relative.rpartition("/")[0]
            partition = partition_values(relative)
            texts = tuple(partition.values())
            period = self._period(folder, partition)
            if not period:
                wrong[folder] = None
                continue
            values[texts] = period
            files.setdefault(period, []).append(
                {
                    "key": stored.key,
                    "size": stored.size,
                    "etag": stored.etag,
                    "partition": partition,
                }
            )
        for folder in wrong:
            self.add(f"files in {folder or 'no partition'}/", self._example(), _PATHS)
        self._registered(values)
        return Partitions({period: tuple(files[period]) for period in sorted(files)}, values)

    def _period(self, folder: str, partition: Mapping[str, str]) -> str:
        """Give the period of a partition's folder; empty when it is no partition of ours."""
        spec = self._spec
        written = "/".join(f"{name}={hive_escape(value)}" for name, value in partition.items())
        if tuple(partition) != spec.partitions or folder != written:
            return ""
        allowed = all(
            is_allowed(partition[name], spec.allowed.get(name)) for name in spec.other_columns()
        )
        if not allowed:
            return ""
        return WHOLE if spec.grain is None else self._civil(partition)

    def _civil(self, partition: Mapping[str, str]) -> str:
        spec = self._spec
        text = "|".join(partition[column] for column, _ in spec.time)
        moment = read_date(text, _SEPARATOR.join(pattern for _, pattern in spec.time))
        if moment is None:
            return ""
        period = windows.write_civil(moment, str(spec.grain))
        return period if self._in_range(partition) else ""

    def _in_range(self, partition: Mapping[str, str]) -> bool:
        """Tell whether projection would show the partition; NOW has no bound here."""
        for column, pattern in self._spec.time:
            bounds = self._spec.parameters.get(f"projection.{column}.range", ",").split(",")
            value = read_date(partition[column], pattern)
            first, last = (read_date(bound.strip(), pattern) for bound in (bounds[0], bounds[-1]))
            if value is not None and first is not None and value < first:
                return False
            if value is not None and last is not None and value > last:
                return False
        return True

    def _example(self) -> str:
        columns = "/".join(f"{name}=..." for name in self._spec.partitions)
        formats = ", ".join(f"{column} as {pattern}" for column, pattern in self._spec.time)
        return f"{columns or 'files beside each other'}{f' ({formats})' if formats else ''}"

    def _registered(self, values: Mapping[tuple[str, ...], str]) -> None:
        """Compare the catalogue's partitions with the folders, unless the table is projected."""
        entry, keys = self._found.entry, self._spec.partitions
        if not keys or (entry.get("Parameters") or {}).get("projection.enabled") == "true":
            return
        base = location_of(entry).rstrip("/") + "/"
        for texts, uri in sorted(self._found.registered.items()):
            folder = "/".join(f"{n}={hive_escape(v)}" for n, v in zip(keys, texts, strict=False))
            if uri.rstrip("/") != f"{base}{folder}":
                self.add(f"partition {'/'.join(texts)} in {uri}", f"{base}{folder}/", _PATHS)
        for texts in sorted(set(values) - set(self._found.registered)):
            advice = "register it (MSCK REPAIR TABLE), or delete its files"
            self.add(
                f"files of {'/'.join(texts)}, which the catalogue does not know",
                "only partitions that readers see",
                advice,
            )


_KIND = "give the header the `kind` that the catalogue says"
_COLUMNS = "change the SELECT, or make the table anew under another name"
_PATHS = "correct the header's `partition`, or move the files and try again"
_HARMLESS = ("parquet.ignore.statistics",)


def joined(periods: Iterable[str], grain: str | None, *, most: int) -> Iterator[tuple[str, ...]]:
    """Put periods that follow each other together, at most so many."""
    group: list[str] = []
    for period in sorted(periods):
        if group and (len(group) >= most or not _follows(group[-1], period, grain)):
            yield tuple(group)
            group = []
        group.append(period)
    if group:
        yield tuple(group)


def _follows(first: str, second: str, grain: str | None) -> bool:
    if grain is None:
        return False
    after = windows.add(windows.parse_civil(first, grain), f"{grain}s", 1)
    return windows.write_civil(after, grain) == second


def count_query(spec: Spec) -> str:
    """Write the query that counts the rows of every partition."""
    keys = ", ".join(f'"{name}"' for name in spec.partitions)
    name = f'"{spec.database}"."{spec.table}"'
    if not keys:
        return f"SELECT count(*) FROM {name}"
    return f"SELECT {keys}, count(*) FROM {name} GROUP BY {keys}"


def rows_by_period(
    partitions: Partitions, counted: Sequence[Sequence[object]]
) -> tuple[dict[str, int], list[tuple[str, ...]]]:
    """Add up counted rows by period; and give the values of which no files are known."""
    rows = dict.fromkeys(partitions.files, 0)
    unknown = []
    for *values, number in counted:
        texts = tuple(str(value) for value in values)
        period = partitions.values.get(texts) or (WHOLE if not texts else "")
        if not period:
            unknown.append(texts)
            continue
        rows[period] = rows.get(period, 0) + int(str(number))
    return rows, unknown
