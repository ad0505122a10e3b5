"""A protected environment wants its name, and a clean checkout after what is deployed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from runner.app.cloud import Cloud
from runner.app.deploy import DeployRequest, deploy
from runner.app.destroy import plan_destroy
from runner.app.guards import existing_databases, refuse_checkout, refuse_unconfirmed
from runner.errors import UsageError
from tests.support.aws import stubbed
from tests.support.aws_projects import (
    Scripted,
    Watching,
    cloud_of,
    commit,
    git,
    wanted,
    write_project,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.aws import Aws

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
CONFIRMED = DeployRequest(confirm="prod")


@pytest.fixture
def root(aws: Aws, tmp_path: Path) -> Path:
    del aws
    root = write_project(tmp_path / "shop")
    git(root, "init", "--quiet")
    (root / ".gitignore").write_text(".runner/\n")
    return root


def codes(call: Callable[[], object]) -> list[str]:
    with pytest.raises(UsageError) as caught:
        call()
    return [fault.code for fault in caught.value.faults]


# --- names ----------------------------------------------------------------------------------------


def test_a_name_must_be_given_or_asked_for(root: Path) -> None:
    cloud = cloud_of(root, "prod")
    refuse_unconfirmed(cloud, confirm="prod", can_ask=False)
    refuse_unconfirmed(cloud, confirm=None, can_ask=True)
    assert codes(lambda: refuse_unconfirmed(cloud, confirm=None, can_ask=False)) == [
        "not-confirmed"
    ]
    assert codes(lambda: refuse_unconfirmed(cloud, confirm="dev", can_ask=True)) == [
        "not-confirmed"
    ]


def test_an_environment_that_is_not_protected_needs_none_but_no_wrong_one(root: Path) -> None:
    cloud = cloud_of(root, "dev")
    refuse_unconfirmed(cloud, confirm=None, can_ask=False)
    assert codes(lambda: refuse_unconfirmed(cloud, confirm="prod", can_ask=True)) == [
        "not-confirmed"
    ]


def test_unconfirmed_nothing_is_done(aws: Aws, root: Path) -> None:
    cloud = cloud_of(root, "prod")
    before = aws.stored()
    watcher = Watching()
    assert codes(
        lambda: deploy(cloud, wanted(cloud), DeployRequest(any_checkout=True), watcher=watcher)
    ) == ["not-confirmed"]
    assert codes(lambda: plan_destroy(cloud)) == ["not-confirmed"]
    assert (aws.stored(), watcher) == (before, Watching())
    assert aws.cloudformation.describe_stacks()["Stacks"] == []


# --- checkouts ------------------------------------------------------------------------------------


def test_from_a_clean_checkout_and_then_a_later_one(root: Path) -> None:
    cloud = cloud_of(root, "prod")
    first = commit(root, "a.txt", "1")
    done = deploy(cloud, wanted(cloud, commit=first), CONFIRMED, watcher=Watching())
    assert done.status == "CREATE_COMPLETE"
    second = commit(root, "a.txt", "2")
    done = deploy(cloud, wanted(cloud, commit=second), CONFIRMED, watcher=Watching())
    assert done.succeeded


def test_not_from_an_older_one(aws: Aws, root: Path) -> None:
    cloud = cloud_of(root, "prod")
    first = commit(root, "a.txt", "1")
    second = commit(root, "a.txt", "2")
    deploy(cloud, wanted(cloud, commit=second), CONFIRMED, watcher=Watching())
    git(root, "checkout", "--quiet", first)
    before = aws.stored()
    older = wanted(cloud, commit=first)
    with pytest.raises(UsageError) as caught:
        deploy(cloud, older, CONFIRMED, watcher=Watching())
    [fault] = caught.value.faults
    assert fault.code == "checkout-older"
    assert fault.found == (
        f"{first[:12]}, which does not come after {second[:12]}, which is deployed"
    )
    assert aws.stored() == before
    anyway = DeployRequest(confirm="prod", any_checkout=True)
    assert deploy(cloud, older, anyway, watcher=Watching()).succeeded


def test_not_from_a_clone_that_does_not_know_what_is_deployed(root: Path) -> None:
    cloud = cloud_of(root, "prod")
    commit(root, "a.txt", "1")
    with pytest.raises(UsageError) as caught:
        refuse_checkout(cloud, "f" * 40)
    [fault] = caught.value.faults
    assert fault.code == "checkout-older"
    assert "git fetch --unshallow" in fault.advice


def test_not_when_nobody_knows_what_is_deployed(root: Path) -> None:
    commit(root, "a.txt", "1")
    with pytest.raises(UsageError) as caught:
        refuse_checkout(cloud_of(root, "prod"), None)
    [fault] = caught.value.faults
    assert fault.code == "checkout-unknown"
    assert "--any-checkout" in fault.advice


def test_not_with_what_nobody_committed(root: Path) -> None:
    cloud = cloud_of(root, "prod")
    commit(root, "a.txt", "1")
    for number in range(7):
        (root / f"{number}.sql").write_text("SELECT 1")
    with pytest.raises(UsageError) as caught:
        refuse_checkout(cloud, "")
    [fault] = caught.value.faults
    assert fault.code == "checkout-dirty"
    assert fault.found == "not committed: 0.sql, 1.sql, 2.sql, 3.sql, 4.sql and 2 more"


def test_not_behind_the_branch(root: Path, tmp_path: Path) -> None:
    first = commit(root, "a.txt", "1")
    ours = tmp_path / "ours"
    git(tmp_path, "clone", "--quiet", str(root), str(ours))
    commit(root, "b.txt", "2")
    git(ours, "fetch", "--quiet")
    assert codes(lambda: refuse_checkout(cloud_of(ours, "prod"), first)) == ["checkout-behind"]


def test_not_without_git_unless_it_is_said(aws: Aws, tmp_path: Path) -> None:
    del aws
    cloud = cloud_of(write_project(tmp_path / "plain"), "prod")
    call = lambda: deploy(cloud, wanted(cloud), CONFIRMED, watcher=Watching())  # noqa: E731
    assert codes(call) == ["checkout-missing"]
    anyway = DeployRequest(confirm="prod", any_checkout=True)
    assert deploy(cloud, wanted(cloud), anyway, watcher=Watching()).succeeded


def test_an_environment_that_is_not_protected_is_deployed_from_anything(root: Path) -> None:
    cloud = cloud_of(root, "dev")
    (root / "new.sql").write_text("SELECT 1")
    for commit_ in ("f" * 40, "e" * 40):
        done = deploy(cloud, wanted(cloud, commit=commit_), DeployRequest(), watcher=Watching())
        assert done.succeeded


# --- databases ------------------------------------------------------------------------------------


def listed(status: str) -> dict[str, object]:
    stack = {
        "StackId": "arn:1",
        "StackName": "shop-dev",
        "StackStatus": status,
        "CreationTime": "2026-11-25T00:00:00Z",
    }
    return {"Stacks": [stack]}


def test_databases_of_the_stack_are_not_outside_it(root: Path) -> None:
    own = {
        "LogicalResourceId": "Marts",
        "PhysicalResourceId": "marts_dev",
        "ResourceType": "AWS::Glue::Database",
        "LastUpdatedTimestamp": "2026-11-25T00:00:00Z",
        "ResourceStatus": "CREATE_COMPLETE",
    }
    left = {**own, "PhysicalResourceId": "raw_dev", "ResourceStatus": "DELETE_SKIPPED"}
    known = cloud_of(root, "dev")
    databases = [{"Name": name} for name in ("marts_dev", "raw_dev", "theirs")]
    for status, expected in (
        ("UPDATE_COMPLETE", {"raw_dev", "theirs"}),
        ("ROLLBACK_COMPLETE", {"marts_dev", "raw_dev", "theirs"}),
    ):
        with stubbed("glue") as (glue, catalogue), stubbed("cloudformation") as (client, script):
            catalogue.add_response("get_databases", {"DatabaseList": databases})
            script.add_response("describe_stacks", listed(status))
            if status == "UPDATE_COMPLETE":
                rows = {"StackResourceSummaries": [own, left]}
                script.add_response("list_stack_resources", rows)
            session = Scripted(glue=glue, cloudformation=client)
            assert existing_databases(Cloud(root, known.bundle, session)) == expected
