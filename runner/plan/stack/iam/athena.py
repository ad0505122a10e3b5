"""What Athena does on behalf of a state machine: it has the rights of who starts a statement.

Reading is allowed on exactly what the statements read, writing on the stage of what they write; an
Iceberg table is written where it is.  Glue's calls are authorised on the catalogue, the database
and the table each.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.plan.stack.iam.statements import Spot, Statement, allow, grouped
from runner.plan.stack.names import STAGE_SUFFIX, Arns, bucket_and_key, bucket_arn, objects_arn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runner.plan.stack.facts import Access, MachineFacts, StackFacts
    from runner.plan.stack.iam.uses import Call

_CATALOGUE = "AwsDataCatalog"
_DEFAULT = "default"
"""A database that Athena looks at even when no statement names it."""
_GLUE_READ = (
    "glue:BatchGetPartition",
    "glue:GetDatabase",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
)
_GLUE_STAGE = (
    "glue:BatchCreatePartition",
    "glue:CreatePartition",
    "glue:CreateTable",
    "glue:UpdatePartition",
    "glue:UpdateTable",
)
"""Of CTAS and INSERT: they make the table and register what they write."""
_GLUE_MAKE = {
    "ddl": ("glue:CreateTable",),
    "iceberg": ("glue:CreateTable", "glue:UpdateTable"),
    "view": ("glue:CreateTable", "glue:UpdateTable"),
}
"""Of targets that a statement makes or changes, by how they are written."""
_WRITE_OBJECTS = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject")
_STAGED = frozenset({"ctas", "insert", "iceberg"})
_IN_PLACE = "iceberg"
_EXTERNAL = "ddl"
_START = "startQueryExecution"


@dataclass(frozen=True, slots=True)
class Scene:
    """A machine, and what is known of what it calls."""

    facts: StackFacts
    machine: MachineFacts
    arns: Arns
    calls: tuple[Call, ...]
    kinds: Mapping[str, str]
    """How each written table is written, by `database.table`."""
    exports: tuple[str, ...] = ()
    """Folders below the lake that statements unload into."""

    def kind(self, table: Access) -> str:
        """Tell how a table is written; as an insert table where nothing says otherwise."""
        return self.kinds.get(f"{table.database}.{table.table}", "insert")

    def of(self, service: str) -> tuple[Call, ...]:
        """Give the calls of a service."""
        return tuple(call for call in self.calls if call.service == service)


def athena_statements(scene: Scene) -> Iterator[Statement]:
    """Allow the calls of Athena on exactly the workgroups, and what statements do."""
    found = scene.of("athena")
    if not found:
        return
    named = {call.known("WorkGroup") for call in found} - {""}
    groups = [
        scene.arns.arn("athena", f"workgroup/{name}") for name in named or {scene.facts.workgroup}
    ]
    catalogue = scene.arns.arn("athena", f"datacatalog/{_CATALOGUE}")
    yield allow("Athena", _athena_actions(found), [*groups, catalogue])
    if any(call.action == _START for call in found):
        yield from _s3_statements(scene)


def _athena_actions(found: Iterable[Call]) -> Iterator[str]:
    for call in found:
        yield f"athena:{call.action[0].upper()}{call.action[1:]}"
        if call.action == _START:
            yield "athena:GetDataCatalog"
        if call.pattern.startswith("sync"):
            yield "athena:GetQueryExecution"
            # Without it a stopped execution leaves its statements running, and billed.
            yield "athena:StopQueryExecution"


# --- S3 -------------------------------------------------------------------------------------------


def _s3_statements(scene: Scene) -> Iterator[Statement]:
    facts = scene.facts
    results = {
        Spot(call.known("ResultConfiguration.OutputLocation") or facts.results)
        for call in scene.of("athena")
        if call.action == _START
    }
    written = {*results, *_written(scene)}
    everything = {*_read(scene), *written}
    yield from grouped(
        "Objects",
        [
            (("s3:GetObject",), (*_objects(everything), *_folders(scene))),
            (_WRITE_OBJECTS, _objects(written)),
        ],
    )
    buckets: dict[str, set[Spot]] = defaultdict(set)
    for spot in everything:
        buckets[bucket_arn(spot.exact)].add(_prefixes(spot))
    for number, (bucket, prefixes) in enumerate(sorted(buckets.items()), start=1):
        listed = tuple(sorted(prefixes))
        yield Statement(f"List{number}", ("s3:ListBucket",), (Spot(bucket),), prefixes=listed)
    yield from grouped(
        "Buckets",
        [
            (("s3:GetBucketLocation",), map(Spot, buckets)),
            (
                ("s3:ListBucketMultipartUploads",),
                {Spot(bucket_arn(spot.exact)) for spot in written},
            ),
        ],
    )
    # Allows nothing by itself: Lake Formation decides, where it governs a location.
    yield allow("LakeFormation", ["lakeformation:GetDataAccess"], ["*"])
    if facts.keys.data:
        yield allow("DataKey", ["kms:Decrypt", "kms:GenerateDataKey"], [facts.keys.data])
    foreign = {key for table in scene.machine.reads for key in table.keys} - {facts.keys.data}
    if foreign:  # of exports, which RDS encrypts
        yield allow("ReadKeys", ["kms:Decrypt"], foreign)


def _read(scene: Scene) -> Iterator[Spot]:
    """Give the locations that statements read."""
    external = [one for one in scene.machine.writes if scene.kind(one) == _EXTERNAL]
    for table in (*scene.machine.reads, *external):
        for location in table.locations:
            yield _located(scene.facts, table.database, location)


def _written(scene: Scene) -> Iterator[Spot]:
    """Give the locations that statements write: stages, exports, Iceberg tables themselves."""
    for folder in scene.exports:
        yield Spot(f"{scene.facts.lake}{folder}", f"{scene.facts.lake}{_above(folder)}")
    stages = f"{scene.facts.lake}_runner/stage/"
    for table in scene.machine.writes:
        kind = scene.kind(table)
        if kind in _STAGED:
            below = f"{stages}{table.database}/"
            yield Spot(f"{below}{table.table}/", below)
        if kind == _IN_PLACE:
            for location in table.locations:
                yield _located(scene.facts, table.database, location)


def _above(folder: str) -> str:
    """Give the folder around a folder.

    >>> _above("exports/daily/out/marts.x/")
    'exports/daily/out/'
    """
    return folder.rstrip("/").rpartition("/")[0] + "/"


def _located(facts: StackFacts, database: str, location: str) -> Spot:
    """Give a table's location; its database's folder covers it, of tables or of stages.

    The files of a ctas table lie where they were staged.
    """
    for folder in (f"{facts.lake}{database}/", f"{facts.lake}_runner/stage/{database}/"):
        if location.startswith(folder):
            return Spot(location, folder)
    return Spot(location)


def _objects(spots: Iterable[Spot]) -> Iterator[Spot]:
    for spot in spots:
        yield Spot(objects_arn(spot.exact), objects_arn(spot.broad) if spot.broad else "")


def _folders(scene: Scene) -> Iterator[Spot]:
    """Give the folders of external tables as keys without a slash.

    `CREATE EXTERNAL TABLE` looks at its location through Hadoop, which asks for that key first.
    """
    for table in scene.machine.writes:
        if scene.kind(table) == _EXTERNAL:
            for location in table.locations:
                bucket, key = bucket_and_key(location.rstrip("/"))
                if key:
                    yield Spot(f"arn:aws:s3:::{bucket}/{key}")


def _prefixes(spot: Spot) -> Spot:
    broad = f"{bucket_and_key(spot.broad)[1]}*" if spot.broad else ""
    return Spot(f"{bucket_and_key(spot.exact)[1]}*", broad)


# --- Glue -----------------------------------------------------------------------------------------


def glue_statements(scene: Scene) -> Iterator[Statement]:
    """Allow what Athena and the machine itself do in the catalogue."""
    return grouped("Catalogue", (*_forwarded(scene), *_called(scene)))


def _forwarded(scene: Scene) -> Iterator[tuple[Sequence[str], Iterable[Spot]]]:
    """Give what statements do: read, make stage tables, make views and the like."""
    if not any(call.action == _START for call in scene.of("athena")):
        return
    machine = scene.machine
    yield ("glue:GetDatabase",), [Spot(scene.arns.database(_DEFAULT))]
    for table in (*machine.reads, *machine.writes):
        yield _GLUE_READ, _table(scene, table.database, table.table)
    for table in machine.writes:
        kind = scene.kind(table)
        if kind in _STAGED:
            stage = _table(scene, table.database + STAGE_SUFFIX, "*")
            yield (*_GLUE_READ, *_GLUE_STAGE), stage
        if kind in _GLUE_MAKE:
            yield _GLUE_MAKE[kind], _table(scene, table.database, table.table)


def _called(scene: Scene) -> Iterator[tuple[Sequence[str], Iterable[Spot]]]:
    """Give the machine's own calls on tables."""
    for call in scene.of("glue"):
        if is_on_tables(call):
            database = call.known("DatabaseName")
            action = f"glue:{call.action[0].upper()}{call.action[1:]}"
            for table in _tables(scene, call, database):
                yield (action,), _table(scene, database, table)


def is_on_tables(call: Call) -> bool:
    """Tell whether a call of Glue is about tables of a database that is known."""
    words = ("Table", "Partition")
    return bool(call.known("DatabaseName")) and any(word in call.action for word in words)


def _tables(scene: Scene, call: Call, database: str) -> Iterable[str]:
    """Name a call's table; where its name comes at run time, what the machine writes there."""
    name = call.known("Name") or call.known("TableName") or call.known("TableInput.Name")
    if name:
        return [name]
    if database.endswith(STAGE_SUFFIX):
        return ["*"]
    of_this = [one for one in scene.machine.writes if one.database == database]
    ours = [one.table for one in of_this if scene.kind(one) in ("ctas", "insert")]
    return ours or ["*"]


def _table(scene: Scene, database: str, table: str) -> tuple[Spot, ...]:
    arns = scene.arns
    return (
        Spot(arns.catalogue()),
        Spot(arns.database(database)),
        Spot(arns.table(database, table), arns.table(database, "*")),
    )
