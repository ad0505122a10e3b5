"""Results of headers' tests over the newest record of each partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle
from runner.app.inspect import find_table
from runner.app.kept_tests import KeptTests, kept_tests
from runner.app.local_places import open_places
from tests.semantics.little import NOW, go, insert, project, sql

if TYPE_CHECKING:
    from pathlib import Path

FILTER = "WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
TESTS = "tests: [{range: {n: [0, 9]}, severity: warn}, {min_rows: 1, severity: warn}]"


def table(*rows: tuple[int, str]) -> str:
    values = ", ".join(f"({n}, '{dt}')" for n, dt in rows)
    return insert(f"SELECT n, dt FROM (VALUES {values}) AS t (n, dt) {FILTER}", TESTS)


def kept(root: Path, name: str = "marts.t") -> KeptTests:
    bundle = open_bundle(root)
    return kept_tests(open_places(root, bundle, now=lambda: NOW), find_table(bundle, name))


def numbers(found: KeptTests) -> list[tuple[str, str, int, int, int, tuple[str, ...]]]:
    return [(t.test, t.status, t.partitions, t.rows, t.offending, t.where) for t in found.tests]


def test_nothing_is_kept_of_what_was_not_published(tmp_path: Path) -> None:
    root = project(tmp_path, {"marts/t": table((1, "2024-01-01"))})
    assert kept(root) == KeptTests("marts.t", ())


def test_records_are_added_up_and_replaced_partitions_left_out(tmp_path: Path) -> None:
    first = table((99, "2024-01-01"), (5, "2024-01-02"), (77, "2024-01-02"), (1, "2024-01-03"))
    root = project(tmp_path, {"marts/t": first})
    go(root, "2024-01-01", "2024-01-03")
    assert numbers(kept(root)) == [
        ("range: n", "warned", 3, 4, 2, ("2024-01-01", "2024-01-02")),
        ("min_rows: 1", "passed", 3, 4, 0, ()),
    ]
    (root / "sql/marts/t.sql").write_text(table((3, "2024-01-02"), (88, "2024-01-04")))
    go(root, "2024-01-02")
    assert numbers(kept(root)) == [
        ("range: n", "warned", 3, 3, 1, ("2024-01-01",)),
        ("min_rows: 1", "passed", 3, 3, 0, ()),
    ]
    go(root, "2024-01-04", "2024-01-05")
    found = kept(root)
    assert numbers(found)[0] == ("range: n", "warned", 4, 4, 2, ("2024-01-01", "2024-01-04"))
    assert numbers(found)[1] == ("min_rows: 1", "warned", 5, 4, 1, ("2024-01-05",))
    assert found.run.startswith("daily-")
    assert found.published_at.startswith("2024-03-05T04:30:00")
    assert found.stopped == ""


def test_a_whole_table_names_no_places(tmp_path: Path) -> None:
    files = {"marts/t": sql("SELECT 12 AS n", TESTS)}
    root = project(tmp_path, files)
    go(root, "2024-01-01")
    assert numbers(kept(root)) == [
        ("range: n", "warned", 1, 1, 1, ()),
        ("min_rows: 1", "passed", 1, 1, 0, ()),
    ]
