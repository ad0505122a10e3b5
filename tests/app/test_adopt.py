"""`adopt`: a table that somebody else made becomes ours, or every reason why not is listed."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.adopt import adopt, plan_adopt
from runner.app.drop import drop
from runner.app.inspect import show_table
from runner.app.tenure import holding
from runner.errors import RunFailed, UsageError
from runner.local.glue import GlueCatalog
from tests.semantics.little import go, insert, project, read, records, rows_of, sql, statuses
from tests.support.little_lake import files, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = rows_of((1, "2024-01-01"), (2, "2024-01-02"), (3, "2024-01-04"))
WINDOW = "dt BETWEEN '{{ start }}' AND '{{ end }}'"
DAILY = insert(f"SELECT id, dt FROM {ROWS} WHERE {WINDOW}")
FILES = {
    "marts/daily": DAILY,
    "marts/whole": sql("SELECT count(*) AS n FROM marts.daily"),
    "marts/seen": sql("SELECT n FROM marts.whole", "kind: view"),
}
DAYS = {"2024-01-01": 1, "2024-01-02": 1, "2024-01-03": 0, "2024-01-04": 1}
COUNT = "SELECT count(*) FROM marts.daily WHERE dt > ''"


class Theirs:
    """A project whose tables somebody else seems to have made, in a folder of their own."""

    def __init__(self, root: Path) -> None:
        """Run everything, then forget that it was us."""
        self.root = root
        assert go(root, "2024-01-01", "2024-01-04").status == "SUCCEEDED"
        lake = root / ".runner/s3/lake"
        shutil.copytree(lake / "marts/daily/g=1", lake / "old/daily")
        (whole,) = (lake / "_runner/stage/marts/whole").rglob("data")
        shutil.copytree(whole, lake / "old/whole")
        shutil.rmtree(lake / "_runner")
        shutil.rmtree(lake / "marts")
        for name in ("daily", "whole"):
            self.change(name, location=f"s3://lake/old/{name}", parameters={"made.by": "them"})
        self.register()

    def table(self, name: str) -> dict[str, Any]:
        catalog = GlueCatalog(self.root / ".runner" / "catalog.sqlite")
        try:
            found: dict[str, Any] = catalog.get_table(DatabaseName="marts", Name=name)["Table"]
        finally:
            catalog.close()
        return found

    def change(
        self,
        name: str,
        *,
        location: str = "",
        parameters: dict[str, str] | None = None,
        storage: dict[str, Any] | None = None,
        keys: list[dict[str, str]] | None = None,
    ) -> None:
        """Change a table in the catalogue."""
        table = self.table(name)
        same = ("Name", "TableType", "PartitionKeys")
        given: dict[str, Any] = {key: table[key] for key in same if key in table}
        given["Parameters"] = table["Parameters"] if parameters is None else parameters
        given["StorageDescriptor"] = {**table["StorageDescriptor"], **(storage or {})}
        if location:
            given["StorageDescriptor"]["Location"] = location
        if keys is not None:
            given["PartitionKeys"] = keys
        catalog = GlueCatalog(self.root / ".runner" / "catalog.sqlite")
        catalog.update_table(DatabaseName="marts", TableInput=given)
        catalog.close()

    def register(self, *days: str, where: str = "s3://lake/old/daily/dt={}/") -> None:
        """Register partitions, as whoever does not use projection has to."""
        storage = self.table("daily")["StorageDescriptor"]
        catalog = GlueCatalog(self.root / ".runner" / "catalog.sqlite")
        for day in days or ("2024-01-01", "2024-01-02", "2024-01-04"):
            given = {
                "Values": [day],
                "StorageDescriptor": {**storage, "Location": where.format(day)},
            }
            catalog.create_partition(DatabaseName="marts", TableName="daily", PartitionInput=given)
        catalog.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Theirs(project(tmp_path_factory.mktemp("theirs"), FILES)).root


@pytest.fixture
def theirs(made: Path, tmp_path: Path) -> Theirs:
    found = Theirs.__new__(Theirs)
    found.root = tmp_path / "project"
    shutil.copytree(made, found.root)
    return found


def test_an_adopted_table_is_ours_and_a_run_replaces_just_its_window(theirs: Theirs) -> None:
    root = theirs.root
    assert read(root, COUNT) == [(3,)]
    assert statuses(go(root, "2024-01-02"))["marts.daily"] == "failed"  # NotOurs
    plan = plan_adopt(root, "marts.daily")
    assert [period for period, _, _ in plan.periods] == ["2024-01-01", "2024-01-02", "2024-01-04"]
    assert (plan.owner, plan.known_types, plan.location) == ("", True, "s3://lake/old/daily")
    assert records(root, "marts.daily") == {}
    before = files(root)
    assert adopt(root, "marts.daily").rows == 3
    assert {key for key in files(root) if not key.startswith("_runner/")} == {
        key for key in before if not key.startswith("_runner/")
    }
    adopted = {"2024-01-01": 1, "2024-01-02": 1, "2024-01-04": 1}
    assert records(root, "marts.daily") == adopted
    shown = show_table(root, "marts.daily").published
    assert [(one.period, one.rows) for one in shown] == list(adopted.items())
    table = theirs.table("daily")
    assert table["Parameters"]["runner.project"] == "little"
    assert table["Parameters"]["made.by"] == "them"
    assert table["Parameters"]["projection.enabled"] == "true"
    assert table["StorageDescriptor"]["Location"] == "s3://lake/old/daily/"
    assert read(root, COUNT) == [(3,)]
    adopt(root, "marts.whole")
    kept = {key for key in files(root) if "/dt=2024-01-02/" not in key and key.startswith("old/")}
    ended = go(root, "2024-01-02")
    assert statuses(ended)["marts.daily"] == "published"
    assert read(root, COUNT) == [(3,)]
    assert kept <= files(root)
    day = [key for key in files(root) if "/dt=2024-01-02/" in key]
    assert len(day) == 1
    assert "_" in day[0].rpartition("/")[2]
    adopt(root, "marts.seen")
    assert go(root, "2024-01-01", "2024-01-04").status == "SUCCEEDED"
    assert records(root, "marts.daily") == DAYS


def test_a_whole_table_and_a_view_are_adopted_and_written_from_then_on(theirs: Theirs) -> None:
    root = theirs.root
    assert adopt(root, "marts.whole").rows == 1
    assert records(root, "marts.whole") == {"all": 1}
    adopt(root, "marts.seen")
    assert records(root, "marts.seen") == {"all": 0}
    adopt(root, "marts.daily")
    ended = go(root, "2024-01-01")
    assert statuses(ended) == {
        "marts.daily": "published",
        "marts.whole": "published",
        "marts.seen": "unchanged",
    }
    assert read(root, "SELECT n FROM marts.seen") == [(3,)]


def test_gc_and_drop_delete_only_the_files_that_were_adopted(theirs: Theirs) -> None:
    root = theirs.root
    adopt(root, "marts.daily")
    (root / ".runner/s3/lake/old/daily/readme.txt").write_text("not a partition's")
    drop(root, "marts.daily", data=True)
    assert [key for key in files(root) if key.startswith("old/daily/")] == ["old/daily/readme.txt"]


def faults(root: Path, name: str = "marts.daily", **more: Any) -> list[str]:  # noqa: ANN401
    """Give what is wrong; nothing is changed, by the plan or by trying all the same."""
    before = files(root)
    with pytest.raises(RunFailed) as planned:
        plan_adopt(root, name, **more)
    with pytest.raises(RunFailed) as done:
        adopt(root, name, **more)
    assert done.value.faults == planned.value.faults
    assert files(root) == before
    return [fault.found for fault in planned.value.faults]


def bad_paths(theirs: Theirs) -> list[str]:
    folder = theirs.root / ".runner/s3/lake/old/daily"
    for name in ("dt=2024-1-5", "dt=2023-12-31", "day=2024-01-05", "dt=2024-01-05/x=1"):
        (folder / name).mkdir(parents=True)
        (folder / name / "part").write_bytes(b"x")
    (folder / "loose").write_bytes(b"x")
    (folder / "_SUCCESS").write_bytes(b"")
    return [
        "files in day=2024-01-05/",
        "files in dt=2023-12-31/",
        "files in dt=2024-01-05/x=1/",
        "files in dt=2024-1-5/",
        "files in no partition/",
    ]


def bad_types(theirs: Theirs) -> list[str]:
    columns = [{"Name": "id", "Type": "string"}, {"Name": "more", "Type": "int"}]
    theirs.change("daily", storage={"Columns": columns})
    return ["column id is string in the table and int in the query", "column more int is gone"]


def bad_keys(theirs: Theirs) -> list[str]:
    theirs.change("daily", keys=[{"Name": "dt", "Type": "date"}])
    return ["partition column dt date"]


def bad_format(theirs: Theirs) -> list[str]:
    serde = {"SerializationLibrary": "x.JsonSerDe", "Parameters": {"field.delim": ","}}
    theirs.change("daily", storage={"InputFormat": "text", "SerdeInfo": serde})
    return ["InputFormat text", "SerDe property field.delim=','", "SerDe x.JsonSerDe"]


def bad_bucket(theirs: Theirs) -> list[str]:
    theirs.change("daily", location="s3://elsewhere/daily/")
    return ["location s3://elsewhere/daily/", *_moved("s3://elsewhere/daily")]


def whole_bucket(theirs: Theirs) -> list[str]:
    theirs.change("daily", location="s3://lake/")
    return ["location s3://lake/", *_moved("s3://lake")]


def _moved(_: str) -> list[str]:
    days = ("2024-01-01", "2024-01-02", "2024-01-04")
    return [f"partition {day} in s3://lake/old/daily/dt={day}/" for day in days]


def shared(theirs: Theirs) -> list[str]:
    theirs.change("whole", location="s3://lake/old/daily/dt=2024-01-01/")
    return ["marts.whole lies in s3://lake/old/daily/dt=2024-01-01/"]


def unregistered(theirs: Theirs) -> list[str]:
    source = theirs.root / ".runner/s3/lake/old/daily/dt=2024-01-04"
    shutil.copytree(source, source.with_name("dt=2024-01-09"))
    theirs.register("2024-01-06", where="s3://lake/somewhere/{}/")
    return [
        "files of 2024-01-09, which the catalogue does not know",
        "partition 2024-01-06 in s3://lake/somewhere/2024-01-06/",
    ]


@pytest.mark.parametrize(
    "spoil",
    [
        bad_paths,
        bad_types,
        bad_keys,
        bad_format,
        bad_bucket,
        whole_bucket,
        shared,
        unregistered,
    ],
)
def test_every_fault_is_listed_and_nothing_changed(
    theirs: Theirs, spoil: Callable[[Theirs], list[str]]
) -> None:
    wanted = spoil(theirs)
    before = theirs.table("daily")
    assert sorted(faults(theirs.root)) == sorted(wanted)
    assert theirs.table("daily") == before
    assert records(theirs.root, "marts.daily") == {}


def test_another_projects_table_has_to_be_given_away(theirs: Theirs) -> None:
    theirs.change("daily", parameters={"runner.project": "old"})
    assert faults(theirs.root) == ["a table of project old"]
    assert faults(theirs.root, owner="older") == ["a table of project old"]
    assert adopt(theirs.root, "marts.daily", owner="old").owner == "old"
    assert faults(theirs.root) == ["a table of this very project"]
    assert faults(theirs.root, "marts.whole", owner="old") == ["a table that belongs to nobody"]


def test_a_kind_that_is_another_is_a_fault(theirs: Theirs) -> None:
    root = project(theirs.root.parent, {"marts/seen": sql("SELECT n FROM marts.whole")})
    assert faults(root, "marts.seen") == ["a view in the catalogue"]
    root = project(
        theirs.root.parent,
        {"marts/whole": sql("SELECT count(*) AS n FROM marts.daily", "kind: view")},
    )
    assert faults(root, "marts.whole") == ["EXTERNAL_TABLE in the catalogue"]


def test_new_columns_of_the_query_are_added_by_the_next_run(theirs: Theirs) -> None:
    query = f"SELECT id, 2 * id AS twice, dt FROM {ROWS} WHERE {WINDOW}"
    root = project(theirs.root.parent, {"marts/daily": insert(query)})
    adopt(root, "marts.daily")
    adopt(root, "marts.whole")
    adopt(root, "marts.seen")
    assert go(root, "2024-01-02").status == "SUCCEEDED"
    found = read(root, "SELECT id, twice FROM marts.daily WHERE dt > '' ORDER BY 1")
    assert found == [(1, None), (2, 4), (3, None)]


def test_a_death_before_the_claim_leaves_a_table_that_can_be_adopted_again(
    theirs: Theirs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records are written first; the table is refused as before until it is ours."""

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(GlueCatalog, "update_table", die)
        with pytest.raises(KeyboardInterrupt):
            adopt(theirs.root, "marts.daily")
    assert statuses(go(theirs.root, "2024-01-02"))["marts.daily"] == "failed"
    adopt(theirs.root, "marts.daily")
    adopt(theirs.root, "marts.whole")
    assert statuses(go(theirs.root, "2024-01-02"))["marts.daily"] == "published"
    assert read(theirs.root, COUNT) == [(3,)]


def test_a_table_that_is_written_or_absent_is_refused(theirs: Theirs) -> None:
    with (
        holding(opened(theirs.root), "marts.daily", verb="drop"),
        pytest.raises(RunFailed, match="table-busy"),
    ):
        adopt(theirs.root, "marts.daily")
    project(theirs.root.parent, {"marts/new": sql("SELECT 1 AS one")})
    with pytest.raises(UsageError, match="a table that exists"):
        plan_adopt(theirs.root, "marts.new")
    with pytest.raises(UsageError, match="unknown-table"):
        plan_adopt(theirs.root, "marts.nothing")
    assert os.listdir(theirs.root / ".runner/commands") == []  # noqa: PTH208 - names
