"""What an environment on AWS should be, from the files: facts, template, artifacts, manifest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.desired import Desired, desired
from runner.errors import ProjectError

if TYPE_CHECKING:
    from pathlib import Path

    from runner.plan.stack.facts import Access, MachineFacts

CONFIG = """\
project: shop
sources:
  crm.customers: {columns: {id: bigint}, locations: ["s3://crm/customers"]}
environments:
  local: {engine: local}
  prod:
    engine: aws
    region: eu-west-1
    account: "123456789012"
    lake: s3://lake/prod
    results: s3://results/
    network: {subnets: [subnet-1], security_groups: [sg-1]}
    loader: native
    marts:
      main:
        engine: mysql
        host: mart.example
        user: loader
        database: m
        secret: arn:aws:secretsmanager:eu-west-1:123456789012:secret:m-AbCdEf
"""
FILES = {
    "sql/raw/orders.sql": "/*---\nkind: ddl\n---*/\nCREATE EXTERNAL TABLE raw.orders (id bigint, "
    "customer bigint)\nSTORED AS PARQUET\nLOCATION 's3://raw/orders/'\n",
    "sql/marts/known.sql": "/*---\nkind: view\n---*/\nSELECT o.id FROM raw.orders AS o JOIN "
    "crm.customers AS c ON c.id = o.customer\n",
    "sql/marts/counts.sql": "/*---\nload: {mode: replace}\n---*/\n"
    "SELECT count(*) AS n FROM marts.known\n",
    "sql/marts/copies.sql": "SELECT n FROM marts.counts\n",
    "workflows/daily.yaml": "schedule: {cron: '0 3 * * ? *', timezone: Asia/Tokyo}\n"
    "triggers:\n"
    "  arrived: {type: object, bucket: raw, prefix: orders/, period: 'dt={year}-{month}-{day}/'}\n"
    "steps:\n"
    "  tables: {type: tables}\n"
    "  loads: {type: loads, needs: [tables]}\n"
    "  tell: {type: sns, topic: news, message: done, needs: [loads]}\n"
    "on_failure: {type: sns, topic: alerts}\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for path, text in {"config.yaml": CONFIG, **FILES}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def _desired(root: Path, existing: frozenset[str] = frozenset()) -> Desired:
    return desired(root, open_bundle(root, "prod"), existing=existing, commit="abc")


def _machine(found: Desired, name: str) -> MachineFacts:
    return next(one for one in found.facts.machines if one.name == name)


def _shown(accesses: tuple[Access, ...]) -> dict[str, tuple[str, ...]]:
    return {f"{one.database}.{one.table}": one.locations for one in accesses}


def test_every_machine_has_its_accesses(shop: Path) -> None:
    found = _desired(shop)
    assert [one.name for one in found.facts.machines] == [
        "shop-prod-daily",
        "shop-prod-backfill",
        "shop-prod-load",
    ]
    daily = _machine(found, "shop-prod-daily")
    written = {
        "marts.copies": (
            "s3://lake/prod/marts/copies/",
            "s3://lake/prod/_runner/stage/marts/copies/",
        ),
        "marts.counts": (
            "s3://lake/prod/marts/counts/",
            "s3://lake/prod/_runner/stage/marts/counts/",
        ),
        "marts.known": (),
        "raw.orders": ("s3://raw/orders/",),
    }
    assert _shown(daily.writes) == written
    # A reader of the view reads what stands behind it, the source of the view included.
    assert _shown(daily.reads) == {**written, "crm.customers": ("s3://crm/customers/",)}


def test_a_machine_that_only_loads_reads_only_what_it_loads(shop: Path) -> None:
    load = _machine(_desired(shop), "shop-prod-load")
    assert list(_shown(load.reads)) == ["marts.counts"]
    assert load.writes == ()


def test_a_query_reads_what_it_names_and_a_task_gets_its_roles(shop: Path) -> None:
    role = "arn:aws:iam::123456789012:role/scorer"
    (shop / "workflows/watch.yaml").write_text(
        "steps:\n"
        "  q: {type: sql, sql: SELECT count(*) AS n FROM marts.known}\n"
        "  job: {type: ecs_task, task_definition: scorer, container: main, cluster: jobs, "
        f"roles: ['{role}']}}\n"
    )
    watch = _machine(_desired(shop), "shop-prod-watch")
    assert _shown(watch.reads) == {
        "crm.customers": ("s3://crm/customers/",),
        "marts.known": (),
        "raw.orders": ("s3://raw/orders/",),
    }
    assert watch.writes == ()
    assert [(one.actions, one.resources) for one in watch.grants] == [(("iam:PassRole",), (role,))]


def test_schedule_trigger_topics_and_failure_are_the_workflows(shop: Path) -> None:
    found = _desired(shop)
    daily = _machine(found, "shop-prod-daily")
    assert daily.schedule is not None
    assert (daily.schedule.cron, daily.schedule.timezone) == ("0 3 * * ? *", "Asia/Tokyo")
    (trigger,) = daily.triggers
    assert (trigger.name, trigger.with_key) == ("arrived", True)
    assert trigger.pattern["detail"] == {
        "bucket": {"name": ["raw"]},
        "object": {"key": [{"prefix": "orders/dt="}]},
    }
    assert found.facts.topics == ("alerts", "news")
    assert daily.failure_topic.endswith(":shop-prod-alerts")
    assert _machine(found, "shop-prod-backfill").schedule is None


def test_the_template_names_what_is_uploaded(shop: Path) -> None:
    found = _desired(shop)
    uris = {artifact.uri for artifact in found.artifacts}
    assert found.template["Metadata"]["Runner"]["manifest"] in uris
    assert found.facts.keeper.code_uri in uris
    assert all(one.definition_uri in uris for one in found.facts.machines if one.definition_uri)
    assert all(uri.startswith("s3://lake/prod/_runner/artifacts/") for uri in uris)


def test_the_same_files_give_the_same_bytes(shop: Path) -> None:
    first, second = _desired(shop), _desired(shop)
    assert json.dumps(first.template) == json.dumps(second.template)
    assert first.artifacts == second.artifacts


def test_a_changed_table_changes_only_its_own_artifacts(shop: Path) -> None:
    before = {one.uri for one in _desired(shop).artifacts}
    (shop / "sql/marts/copies.sql").write_text("SELECT n + 1 AS n FROM marts.counts\n")
    after = {one.uri for one in _desired(shop).artifacts}
    kinds = sorted(uri.split("/")[-2] for uri in after - before)
    assert kinds == ["definitions", "definitions", "manifests"]


def test_existing_databases_are_left_alone(shop: Path) -> None:
    assert _desired(shop).facts.databases == ("marts", "marts__stage", "raw", "raw__stage")
    assert _desired(shop, frozenset({"raw", "other"})).facts.databases == (
        "marts",
        "marts__stage",
        "raw__stage",
    )


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (', locations: ["s3://crm/customers"]', "", "source-without-location"),
        ("    network: {subnets: [subnet-1], security_groups: [sg-1]}\n", "", "missing-key"),
        ("mart.example", "${ssm:/mart}", "wrong-value"),
    ],
)
def test_what_a_deploy_cannot_do_without_is_said(shop: Path, old: str, new: str, code: str) -> None:
    (shop / "config.yaml").write_text(CONFIG.replace(old, new))
    with pytest.raises(ProjectError) as refused:
        _desired(shop)
    assert [fault.code for fault in refused.value.faults] == [code]


def test_what_exists_is_used_and_not_made(shop: Path) -> None:
    text = "    workgroup: shared\n    cluster: ours\n    image: registry.example/load:{engine}\n"
    (shop / "config.yaml").write_text(CONFIG.replace("    loader:", f"{text}    loader:"))
    facts = _desired(shop).facts
    assert (facts.workgroup, facts.scan_limit_bytes) == ("shared", None)
    assert (facts.cluster, facts.own_cluster, facts.repository) == ("ours", False, "")
    assert [one.image for one in facts.loads] == ["registry.example/load:native"]
    types = {one["Type"] for one in _desired(shop).template["Resources"].values()}
    assert not types & {
        "AWS::Athena::WorkGroup",
        "AWS::ECS::Cluster",
        "AWS::ECR::Repository",
    }


def test_what_comes_near_a_quota_is_a_warning(shop: Path) -> None:
    assert _desired(shop).warnings == ()
    values = ", ".join(f"'{number:08}'" for number in range(17_500))
    query = f"SELECT n FROM marts.counts WHERE cast(n AS varchar) NOT IN ({values})\n"
    assert 200_000 < len(query) < 262_144
    (shop / "sql/marts/copies.sql").write_text(query)
    warnings = _desired(shop).warnings
    assert {fault.place.file for fault in warnings} == {"sql/marts/copies.sql"}
    assert "bytes" in warnings[0].found


@pytest.mark.parametrize(
    ("bus", "refused"),
    [
        ("orders", False),
        ("arn:aws:events:eu-west-1:123456789012:event-bus/orders", False),
        ("arn:aws:events:eu-west-1:210987654321:event-bus/orders", True),
        ("arn:aws:events:us-east-1:123456789012:event-bus/orders", True),
    ],
)
def test_a_rule_stands_where_its_bus_is(shop: Path, bus: str, refused: bool) -> None:  # noqa: FBT001
    path = shop / "workflows" / "daily.yaml"
    event = f"  shop: {{type: event, pattern: {{source: [shop]}}, bus: '{bus}'}}\n"
    path.write_text(path.read_text().replace("triggers:\n", f"triggers:\n{event}"))
    if not refused:
        _desired(shop)
        return
    with pytest.raises(ProjectError) as caught:
        _desired(shop)
    assert [fault.code for fault in caught.value.faults] == ["trigger-bus"]


def test_arns_are_those_of_one_partition(shop: Path) -> None:
    path = shop / "config.yaml"
    path.write_text(path.read_text().replace("region: eu-west-1", "region: cn-north-1"))
    with pytest.raises(ProjectError) as caught:
        _desired(shop)
    assert "which is in the partition aws-cn" in caught.value.faults[0].found


def test_an_execution_that_loads_writes_no_table(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables and loads that are cut off into machines of their own keep their rights apart."""
    monkeypatch.setattr("runner.asl.compile.NEST_ABOVE_BYTES", 0)
    monkeypatch.setattr("runner.asl.compile.CHILD_BYTES", 12_000)
    monkeypatch.setattr("runner.asl.steps.loads._MOST_BYTES", 0)
    (shop / "config.yaml").write_text(CONFIG.replace("loader: native", "loader: embulk"))
    found = _desired(shop)
    parts = {one.child: one for one in found.facts.machines if one.workflow == "daily"}
    loading = [one for name, one in parts.items() if name.startswith("loads-")]
    writing = [one for name, one in parts.items() if name.startswith("tables-")]
    assert loading
    assert writing
    assert [(one.writes, list(_shown(one.reads))) for one in loading] == [((), ["marts.counts"])]
    assert sorted(name for one in writing for name in _shown(one.writes)) == [
        "marts.copies",
        "marts.counts",
        "marts.known",
        "raw.orders",
    ]
    assert (parts[""].writes, parts[""].reads) == ((), ())
