"""`${env:NAME}` and `${ssm:/name}` in an environment on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import ProjectError
from runner.model.config import AwsEnvironment
from runner.project import load_project

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """\
project: shop
environments:
  local: {engine: local}
  dev:
    engine: aws
    region: eu-west-1
    account: "${ssm:/shop/account}"
    lake: s3://${ssm:/shop/bucket}/${env:SHOP_USER}/
    results: s3://results/
    database_suffix: _${env:SHOP_USER}
  prod: {engine: aws, region: eu-west-1, account: "123456789012", lake: s3://l/, results: s3://r/}
"""
SQL = "SELECT 1 AS a\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "sql" / "marts").mkdir(parents=True)
    (tmp_path / "sql" / "marts" / "one.sql").write_text(SQL)
    return tmp_path


def _aws(root: Path, environment: str, values: dict[str, str] | None = None) -> AwsEnvironment:
    found = load_project(root, environment=environment, values=values).environment
    assert isinstance(found, AwsEnvironment)
    return found


def test_a_developers_suffix_comes_from_the_environment(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_USER", "alice")
    project = load_project(shop, environment="dev")
    assert project.tables[0].database == "marts_alice"
    found = _aws(shop, "dev")
    assert (found.lake, found.account) == (
        "s3://${ssm:/shop/bucket}/alice/",
        "${ssm:/shop/account}",
    )


def test_values_take_the_place_of_parameters(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_USER", "alice")
    values = {"ssm:/shop/account": "210987654321", "ssm:/shop/bucket": "lake"}
    found = _aws(shop, "dev", values)
    assert (found.account, found.lake) == ("210987654321", "s3://lake/alice/")


def test_another_user_is_another_project_in_the_caches(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in ("alice", "bob", "alice"):
        monkeypatch.setenv("SHOP_USER", user)
        project = load_project(shop, environment="dev", cache_dir=shop / ".runner" / "cache")
        assert project.tables[0].database == f"marts_{user}"


def test_a_suffix_that_is_not_set_is_a_fault_of_that_environment_only(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_USER", raising=False)
    assert load_project(shop, environment="prod").tables[0].database == "marts"
    with pytest.raises(ProjectError) as refused:
        load_project(shop, environment="dev")
    (fault,) = refused.value.faults
    assert (fault.code, str(fault.place)) == ("variable-not-set", "config.yaml:10:22")
    assert fault.advice == "export SHOP_USER=..."


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("s3://${ssm:/shop/bucket}/${env:SHOP_USER}/", "s3://${ssm:}/", 8),
        ("s3://${ssm:/shop/bucket}/${env:SHOP_USER}/", "s3://${aws:x}/", 8),
        ("_${env:SHOP_USER}", "_${ssm:/shop/suffix}", 10),
        ('account: "${ssm:/shop/account}"', 'account: "12345"', 7),
        ("results: s3://results/", "results: /tmp/results", 9),
    ],
)
def test_what_is_no_reference_is_refused_where_it_stands(
    shop: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, line: int
) -> None:
    monkeypatch.setenv("SHOP_USER", "alice")
    (shop / "config.yaml").write_text(CONFIG.replace(old, new))
    with pytest.raises(ProjectError) as refused:
        load_project(shop, environment="dev")
    assert {fault.place.line for fault in refused.value.faults} == {line}


def test_no_password_of_this_machine_is_put_into_the_project(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mart = "marts: {m: {engine: mysql, database: d, password: '${env:SHOP_USER}'}}"
    local = f"local:\n    engine: local\n    {mart}\n  # prod:\n  #   engine: aws"
    (shop / "config.yaml").write_text(CONFIG.replace("local: {engine: local}", local))
    monkeypatch.setenv("SHOP_USER", "canary")
    found = load_project(shop, values={"env:SHOP_USER": "canary"}).environment.marts["m"]
    assert found.engine == "mysql"
    assert found.password == "${env:SHOP_USER}"


def test_a_value_of_this_machine_is_one_variable_whole(shop: Path) -> None:
    mart = 'marts: {m: {engine: mysql, database: d, host: "a-${env:H}"}}'
    (shop / "config.yaml").write_text(
        CONFIG.replace("{engine: local}", f"{{engine: local, {mart}}}")
    )
    with pytest.raises(ProjectError) as refused:
        load_project(shop)
    assert [(fault.code, fault.place.line) for fault in refused.value.faults] == [
        ("wrong-value", 3)
    ]
