"""What `init` and `new` write is valid, complete, and never in place of something else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from runner.app.scaffold import init_project, new_lambda, new_sql, new_workflow, project_name
from runner.errors import UsageError
from runner.model.config import Config
from runner.model.header import Header, Kind
from runner.model.workflow import Workflow
from runner.project import load_project
from runner.query.source import split_header

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    init_project(folder, name="shop")
    return folder


def header_of(path: Path) -> Header:
    split = split_header(path.read_text("utf-8"), file=path.name)
    return Header.model_validate(yaml.safe_load(split.header_yaml))


def test_init_writes_every_part_of_a_project(tmp_path: Path) -> None:
    written = init_project(tmp_path / "new" / "shop", name="shop")
    assert written == (
        ".gitignore",
        "README.md",
        "config.yaml",
        "data/orders/dt=2024-01-01/orders.json",
        "data/orders/dt=2024-01-02/orders.json",
        "data/orders/dt=2024-01-03/orders.json",
        "lambdas/report/handler.py",
        "sql/macros/time.sql",
        "sql/marts/customers.sql",
        "sql/marts/daily_orders.sql",
        "sql/raw/orders.sql",
        "sql/staging/orders.sql",
        "tests/sql/marts.daily_orders.yaml",
        "workflows/daily.yaml",
    )
    assert all((tmp_path / "new" / "shop" / path).is_file() for path in written)


def test_what_init_writes_is_valid(project: Path) -> None:
    config = Config.model_validate(yaml.safe_load((project / "config.yaml").read_text("utf-8")))
    assert config.project == "shop"
    workflow = yaml.safe_load((project / "workflows/daily.yaml").read_text("utf-8"))
    assert list(Workflow.model_validate(workflow).steps) == ["tables", "loads", "report"]
    kinds = {path.stem: header_of(path).resolved_kind() for path in project.glob("sql/m*/d*.sql")}
    assert kinds == {"daily_orders": Kind.INSERT}
    rows = [
        json.loads(line)
        for path in sorted(project.glob("data/orders/*/orders.json"))
        for line in path.read_text("utf-8").splitlines()
    ]
    assert [row["id"] for row in rows] == list(range(1, 13))


def test_the_account_that_init_leaves_out_is_valid_too(project: Path) -> None:
    """It stands in comments: to fill in, take the comment signs away."""
    path = project / "config.yaml"
    text = path.read_text("utf-8")
    before, sign, block = text.partition("  # prod:\n")
    assert sign
    path.write_text(before + re.sub(r"(?m)^  # ", "  ", sign + block), "utf-8")
    assert load_project(project, environment="prod", cache_dir=project / "c").tables


def test_init_leaves_no_placeholder(project: Path) -> None:
    texts = [path.read_text("utf-8") for path in project.rglob("*") if path.is_file()]
    assert not [text for text in texts if "__PROJECT__" in text]


def test_init_beside_other_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    init_project(tmp_path, name="shop")
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "config.yaml").is_file()


def test_init_names_every_file_in_the_way_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine")
    (tmp_path / "workflows").write_text("a file where a folder is needed")
    with pytest.raises(UsageError) as caught:
        init_project(tmp_path, name="shop")
    assert [(fault.code, fault.place.file) for fault in caught.value.faults] == [
        ("file-exists", "config.yaml"),
        ("file-exists", "workflows/daily.yaml"),
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml", "workflows"]
    assert (tmp_path / "config.yaml").read_text() == "mine"


@pytest.mark.parametrize("name", ["", "Shop", "my_shop", "1shop", "shop\n", "s" * 41])
def test_init_refuses_names_that_the_config_would_refuse(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        init_project(tmp_path, name=name)
    assert caught.value.faults[0].code == "bad-name"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("my_platform", "my-platform"),
        ("Shop", "shop"),
        ("2024 Shop!", "shop"),
        ("数据", "my-platform"),
        ("x" * 50, "x" * 40),
    ],
)
def test_a_folder_gives_a_project_its_name(folder: str, name: str) -> None:
    assert project_name(folder) == name


def test_a_new_table_reads_a_window_of_a_partitioned_one(project: Path) -> None:
    path = new_sql(project, "marts.my_table")
    assert path == project / "sql/marts/my_table.sql"
    header = header_of(path)
    assert header.resolved_kind() is Kind.INSERT
    assert header.partition["dt"].model_dump(exclude_none=True) == {
        "type": "date",
        "format": "yyyy-MM-dd",
        "range": "2024-01-01,NOW+1DAYS",
    }
    body = split_header(path.read_text("utf-8"), file="").body
    assert "FROM staging.orders\nWHERE dt BETWEEN '{{ start }}' AND '{{ end }}'" in body
    assert "__" not in path.read_text("utf-8")


def test_a_new_table_of_an_empty_project_has_constant_rows(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("project: x")
    path = new_sql(tmp_path, "marts.my_table")
    assert header_of(path).resolved_kind() is Kind.CTAS
    assert "VALUES" in path.read_text("utf-8")


def test_a_new_table_passes_over_broken_files(project: Path) -> None:
    (project / "sql/staging/a.sql").write_text("/*---\npartition: [\n---*/\nSELECT 1")
    (project / "sql/staging/b.sql").write_text("/*---\nno_such_key: 1\n---*/\nSELECT 1")
    (project / "sql/staging/c.sql").write_text("/*--- never closed")
    (project / "sql/staging/d.sql").write_bytes(b"\xff\xfe")
    assert "FROM staging.orders" in new_sql(project, "marts.my_table").read_text("utf-8")


def test_a_new_workflow_is_valid(project: Path) -> None:
    path = new_workflow(project, "hourly_check")
    assert path == project / "workflows/hourly_check.yaml"
    workflow = Workflow.model_validate(yaml.safe_load(path.read_text("utf-8")))
    assert list(workflow.steps) == ["tables", "loads"]


def test_a_new_function_answers(project: Path) -> None:
    path = new_lambda(project, "check-sizes")
    assert path == project / "lambdas/check-sizes/handler.py"
    call = "import handler; print(handler.handler({'results': [1, 2]}, None))"
    done = subprocess.run(  # noqa: PLW1510 - the output tells more than an exception
        [sys.executable, "-c", call], cwd=path.parent, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("{'entries': 2}\n", "")


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (new_sql, "my_table"),
        (new_sql, "marts.My_Table"),
        (new_sql, "../x.y"),
        (new_sql, "marts.a.b"),
        (new_workflow, "Daily"),
        (new_workflow, "../daily"),
        (new_lambda, "../x"),
        (new_lambda, ""),
    ],
)
def test_names_that_are_none_are_refused(project: Path, make: object, name: str) -> None:
    before = sorted(project.rglob("*"))
    assert callable(make)
    with pytest.raises(UsageError) as caught:
        make(project, name)
    assert [fault.code for fault in caught.value.faults] == ["bad-name"]
    assert sorted(project.rglob("*")) == before


def test_nothing_new_replaces_a_file(project: Path) -> None:
    before = (project / "sql/marts/customers.sql").read_text("utf-8")
    for make, name in (
        (new_sql, "marts.customers"),
        (new_workflow, "daily"),
        (new_lambda, "report"),
    ):
        with pytest.raises(UsageError) as caught:
            make(project, name)
        assert [fault.code for fault in caught.value.faults] == ["file-exists"]
    assert (project / "sql/marts/customers.sql").read_text("utf-8") == before


def test_outside_a_project_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        new_sql(tmp_path, "marts.my_table")
    assert [fault.code for fault in caught.value.faults] == ["no-project"]
    assert "runner init" in str(caught.value)
