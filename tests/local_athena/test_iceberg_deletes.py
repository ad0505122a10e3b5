"""Delete files of Iceberg tables, which other engines write: those that list positions are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from runner.local.athena.icebergs import manifests as files
from runner.local.athena.icebergs.document import Document
from tests.local_athena.test_iceberg_files import body, document, entries, make

if TYPE_CHECKING:
    from tests.local_athena.conftest import World


def delete_rows(world: World, rows: dict[str, list[int]], *, content: int = 1) -> None:
    """Commit a file of deletes, as an engine does that merges on read."""
    pairs = ", ".join(f"('{url}', {row}::BIGINT)" for url, found in rows.items() for row in found)
    url = f"s3://b/t/data/deletes-{len(document(world)['snapshots'])}.parquet"
    duckdb.sql(
        f"COPY (SELECT * FROM (VALUES {pairs}) AS v(file_path, pos)) TO '{world.s3.path_of(url)}' "
        "(FORMAT parquet, FIELD_IDS {file_path: 2147483546, pos: 2147483545})"
    )
    found = Document(document(world))
    parent = found.current()
    assert parent is not None
    snapshot = parent._replace(
        id=parent.id + 1,
        parent=parent.id,
        sequence=parent.sequence + 1,
        made_ms=parent.made_ms + 1,
        manifest_list=parent.manifest_list + ".deletes",
    )
    file = files.DataFile(url, (), 1, 1, files.Counts({}, {}, {}, {}, {}), "PARQUET", content)
    entry = files.Entry(files.ADDED, snapshot.id, snapshot.sequence, file)
    manifest = files.write_manifest(found, found.spec_id, [entry])
    place = f"{snapshot.manifest_list}.manifest"
    world.s3.path_of(place).write_bytes(manifest)
    described = files.describe_manifest(
        place, len(manifest), spec=found.spec_id, snapshot=snapshot, entries=[entry], terms=()
    )
    listed = [*files.read_list(body(world, parent.manifest_list)), described._replace(content=1)]
    world.s3.path_of(snapshot.manifest_list).write_bytes(files.write_list(snapshot, listed))
    table = world.catalog.get_table(DatabaseName="db", Name="t")["Table"]
    metadata = table["Parameters"]["metadata_location"]
    world.s3.path_of(metadata).write_bytes(found.with_snapshot(snapshot).dump())


def data_urls(world: World) -> list[str]:
    return [
        each["data_file"]["file_path"]
        for each in entries(world)
        if "deletes" not in each["data_file"]["file_path"]
    ]


def test_deleted_positions_are_not_read(world: World) -> None:
    make(world, "id int, name string")
    world.run("INSERT INTO t VALUES (0, 'a'), (1, 'b'), (2, 'c'), (3, 'd')")
    (first,) = data_urls(world)
    delete_rows(world, {first: [1, 3], "s3://b/t/data/gone.parquet": [0]})
    assert world.rows("SELECT * FROM t ORDER BY id") == [(0, "a"), (2, "c")]
    delete_rows(world, {first: [0]})
    assert world.rows("SELECT name, count(*) FROM t GROUP BY name") == [("c", 1)]
    assert world.rows('SELECT "$path", id FROM t') == [(first, 2)]
    assert world.rows("SELECT id FROM t WHERE id < 2") == []
    for sql in ("DELETE FROM t WHERE id = 2", "INSERT INTO t VALUES (9, 'z')", "VACUUM t"):
        assert "NOT_SUPPORTED: Anything but a query of an Iceberg table with delete files" in (
            world.failure(sql)
        )
    assert world.rows("SELECT count(*) FROM t") == [(1,)]


def test_deletes_are_for_older_files_alone(world: World) -> None:
    make(world, "id int")
    world.run("INSERT INTO t VALUES (0), (1)")
    world.run("INSERT INTO t VALUES (5), (6)")
    newest = document(world)["snapshots"][-1]["sequence-number"]
    by_age = sorted(entries(world), key=lambda each: each["sequence_number"] or newest)
    older, newer = (each["data_file"]["file_path"] for each in by_age)
    delete_rows(world, {older: [0], newer: [1]})
    assert world.rows("SELECT id FROM t ORDER BY id") == [(1,), (5,)]


def test_other_deletes_are_refused_by_name(world: World) -> None:
    make(world, "id int")
    world.run("INSERT INTO t VALUES (1)")
    delete_rows(world, {data_urls(world)[0]: [0]}, content=2)
    assert world.failure("SELECT * FROM t").startswith(
        "NOT_SUPPORTED: A file of equality deletes in PARQUET is not supported"
    )
