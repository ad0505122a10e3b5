"""Deploys, over real HTTP, against an account of moto's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runner.app.deploy import Deployed, DeployRequest, deploy
from runner.app.destroy import destroy, plan_destroy
from runner.app.guards import existing_databases
from runner.app.plan_changes import differences
from runner.app.stack_changes import deployed_commit, deployed_stack, preview_changes
from runner.errors import CloudRefused, UsageError
from tests.support.aws_projects import ROLE, Watching, cloud_of, template, wanted, write_project

if TYPE_CHECKING:
    from pathlib import Path

    from runner.app.cloud import Cloud
    from tests.support.aws import Aws

HOME = "dev/_runner/artifacts/"


@pytest.fixture
def cloud(aws: Aws, tmp_path: Path) -> Cloud:
    del aws
    return cloud_of(write_project(tmp_path / "shop"))


def go(cloud: Cloud, watcher: Watching | None = None, **changes: object) -> Deployed:
    stack = template(**changes)  # type: ignore[arg-type]
    return deploy(cloud, wanted(cloud, stack), DeployRequest(), watcher=watcher or Watching())


def definition(aws: Aws) -> str:
    machines = aws.client("stepfunctions").list_state_machines()["stateMachines"]
    [arn] = [one["stateMachineArn"] for one in machines]
    found: str = aws.client("stepfunctions").describe_state_machine(stateMachineArn=arn)[
        "definition"
    ]
    return found


def test_a_first_deploy_uploads_makes_and_follows(aws: Aws, cloud: Cloud) -> None:
    watcher = Watching()
    done = go(cloud, watcher)
    assert (done.stack, done.status, done.succeeded) == ("shop-dev", "CREATE_COMPLETE", True)
    [pending] = watcher.asked
    assert {(one.action, one.logical_id) for one in pending.changes} == {
        ("Add", "Role"),
        ("Add", "Daily"),
        ("Add", "Kept"),
    }
    assert pending.uploads == tuple(
        f"s3://lake/{HOME}{name}" for name in ("a.json", "b.zip", "manifest-none.json")
    )
    keys = aws.stored()
    assert {f"{HOME}a.json", f"{HOME}b.zip", f"{HOME}manifest-none.json"} <= set(keys)
    assert [key for key in keys if key.startswith(f"{HOME}templates/")] != []
    assert [event.status for event in watcher.events if event.of_stack] == [
        "CREATE_IN_PROGRESS",
        "CREATE_COMPLETE",
    ]
    assert watcher.began_with == [done.stack_id]
    [stack] = aws.cloudformation.describe_stacks(StackName="shop-dev")["Stacks"]
    assert stack["Tags"] == [{"Key": "team", "Value": "data"}]
    assert '"Seconds": 1' in definition(aws)


def test_a_deploy_without_a_change_does_nothing_and_asks_nothing(aws: Aws, cloud: Cloud) -> None:
    go(cloud)
    keys = aws.stored()
    watcher = Watching()
    done = go(cloud, watcher)
    assert (done.status, done.succeeded, done.uploaded) == ("NO_CHANGES", True, ())
    assert watcher == Watching()
    assert aws.stored() == keys
    assert aws.cloudformation.list_change_sets(StackName="shop-dev")["Summaries"][1:] == []


def test_what_is_missing_in_the_bucket_is_stored_again(aws: Aws, cloud: Cloud) -> None:
    go(cloud)
    aws.s3.delete_object(Bucket="lake", Key=f"{HOME}a.json")
    watcher = Watching()
    done = go(cloud, watcher)
    assert (done.status, done.succeeded) == ("STORED", True)
    assert done.uploaded == (f"s3://lake/{HOME}a.json",)
    assert f"{HOME}a.json" in aws.stored()


def test_an_update_changes_what_changed_and_uploads_only_that(aws: Aws, cloud: Cloud) -> None:
    go(cloud)
    watcher = Watching()
    done = go(cloud, watcher, seconds=2)
    assert (done.status, done.succeeded) == ("UPDATE_COMPLETE", True)
    assert [(one.action, one.logical_id) for one in done.changes] == [("Modify", "Daily")]
    assert done.uploaded == ()  # but for the template, which is stored to compute the changes
    assert len([key for key in aws.stored() if key.startswith(f"{HOME}templates/")]) == 2
    assert [event.status for event in watcher.events if event.of_stack] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE",
    ]
    assert '"Seconds": 2' in definition(aws)


def test_no_means_that_nothing_is_left(aws: Aws, cloud: Cloud) -> None:
    done = go(cloud, Watching(agrees=False))
    assert (done.status, done.succeeded) == ("DECLINED", False)
    assert aws.cloudformation.describe_stacks()["Stacks"] == []
    assert f"{HOME}a.json" not in aws.stored()
    go(cloud)
    assert go(cloud, Watching(agrees=False), seconds=3).status == "DECLINED"
    assert '"Seconds": 1' in definition(aws)


def test_an_interrupted_question_leaves_nothing_either(aws: Aws, cloud: Cloud) -> None:
    class Interrupted(Watching):
        def agreed(self, _: object) -> bool:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(cloud, Interrupted())
    assert aws.cloudformation.describe_stacks()["Stacks"] == []


def test_a_preview_leaves_no_stack_and_no_change_set(aws: Aws, cloud: Cloud) -> None:
    pending = preview_changes(cloud, wanted(cloud), pause=lambda: None)
    assert {one.logical_id for one in pending.changes} == {"Role", "Daily", "Kept"}
    assert aws.cloudformation.describe_stacks()["Stacks"] == []
    go(cloud)
    pending = preview_changes(cloud, wanted(cloud, template(5)), pause=lambda: None)
    assert [(one.action, one.logical_id) for one in pending.changes] == [("Modify", "Daily")]
    assert not pending.nothing
    assert preview_changes(cloud, wanted(cloud), pause=lambda: None).nothing
    assert '"Seconds": 1' in definition(aws)


def test_a_resource_that_cannot_be_made_fails_the_deploy(cloud: Cloud) -> None:
    # moto refuses the whole change set at once; CloudFormation's own rollback is scripted in
    # test_failing_deploys.py.
    with pytest.raises(CloudRefused) as caught:
        go(cloud, Second=ROLE)
    [fault] = caught.value.faults
    assert fault.code == "aws-exists"
    assert "shop-daily already exists" in fault.found
    assert fault.expected == "to carry out the change set"


def test_destroy_deletes_the_stack_and_keeps_databases_and_objects(aws: Aws, cloud: Cloud) -> None:
    aws.glue.create_database(DatabaseInput={"Name": "marts"})
    aws.s3.put_object(Bucket="lake", Key="dev/marts/one/data.parquet", Body=b"PAR1")
    go(cloud)
    plan = plan_destroy(cloud)
    assert [one.logical_id for one in plan.stays] == ["Kept"]
    assert sorted(one.logical_id for one in plan.goes) == ["Daily", "Role"]
    assert plan.places == (
        ("tables and records", "s3://lake/dev/"),
        ("query results", "s3://lake/results/"),
        ("artifacts", "s3://lake/dev/_runner/artifacts/"),
    )
    before = aws.stored()
    watcher = Watching()
    ended = destroy(cloud, plan, watcher=watcher)
    assert ended.status == "DELETE_COMPLETE"
    assert [event.status for event in watcher.events] == ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
    assert deployed_stack(cloud) is None
    assert aws.client("stepfunctions").list_state_machines()["stateMachines"] == []
    assert aws.client("logs").describe_log_groups()["logGroups"][0]["logGroupName"] == "kept"
    assert aws.glue.get_database(Name="marts")["Database"]["Name"] == "marts"
    assert aws.stored() == before


def test_destroy_names_executions_that_are_at_work(aws: Aws, cloud: Cloud) -> None:
    go(cloud, seconds=1000)
    [listed] = aws.client("stepfunctions").list_state_machines()["stateMachines"]
    machine = listed["stateMachineArn"]
    aws.client("stepfunctions").start_execution(stateMachineArn=machine, name="run-1")
    assert plan_destroy(cloud).running == ("run-1",)
    aws.client("stepfunctions").stop_execution(
        executionArn=f"{machine.replace(':stateMachine:', ':execution:')}:run-1"
    )


def test_there_is_nothing_to_destroy(cloud: Cloud) -> None:
    with pytest.raises(UsageError) as caught:
        plan_destroy(cloud)
    assert [fault.code for fault in caught.value.faults] == ["not-deployed"]


def test_the_deployed_commit_is_read_back(cloud: Cloud) -> None:
    assert deployed_commit(cloud, None) == ""
    deploy(cloud, wanted(cloud, commit="a" * 40), DeployRequest(), watcher=Watching())
    assert deployed_commit(cloud, deployed_stack(cloud)) == "a" * 40


def test_what_is_deployed_may_be_forgotten(aws: Aws, cloud: Cloud) -> None:
    """Somebody emptied the artifacts: a plan and a deploy go on, a guard does not."""
    desired = wanted(cloud, commit="a" * 40)
    deploy(cloud, desired, DeployRequest(), watcher=Watching())
    for key in aws.stored():
        aws.s3.delete_object(Bucket="lake", Key=key)
    assert deployed_commit(cloud, deployed_stack(cloud)) is None
    (tables, *_) = differences(cloud, desired).changes
    assert tables.name == "all tables"
    done = deploy(cloud, desired, DeployRequest(), watcher=Watching())
    assert done.status == "STORED"
    assert deployed_commit(cloud, deployed_stack(cloud)) == "a" * 40


def test_databases_outside_the_stack(aws: Aws, cloud: Cloud) -> None:
    assert existing_databases(cloud) == frozenset()
    aws.glue.create_database(DatabaseInput={"Name": "marts"})
    assert existing_databases(cloud) == {"marts"}
    go(cloud)
    assert existing_databases(cloud) == {"marts"}


def test_another_account_is_refused_before_anything_is_asked_of_it(
    aws: Aws, tmp_path: Path
) -> None:
    root = write_project(tmp_path / "shop")
    with pytest.raises(CloudRefused) as caught:
        cloud_of(root, "other")
    [fault] = caught.value.faults
    assert fault.code == "other-account"
    assert "123456789012" in fault.found
    assert aws.cloudformation.describe_stacks()["Stacks"] == []


def test_the_template_is_stored_as_it_is_deployed(aws: Aws, cloud: Cloud) -> None:
    go(cloud)
    [key] = [key for key in aws.stored() if key.startswith(f"{HOME}templates/")]
    stored = json.loads(aws.s3.get_object(Bucket="lake", Key=key)["Body"].read())
    assert stored == wanted(cloud).template
