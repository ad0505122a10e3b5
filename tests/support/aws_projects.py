"""A project with environments on AWS, small stacks for it, and who watches its deploys."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.app.cloud import Cloud, open_cloud
from runner.app.desired import Desired
from runner.app.stack_following import Wish
from runner.aws.session import Session
from runner.model.artifacts import Artifact
from runner.plan.stack.facts import FunctionFacts, StackFacts
from runner.plan.stack.manifest import Manifest
from tests.support.aws import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.app.stack_changes import Pending
    from runner.model.stacks import StackEvent

CONFIG = f"""
project: shop
environments:
  local: {{engine: local}}
  dev: {{engine: aws, region: {REGION}, account: "{ACCOUNT}", lake: "s3://lake/dev/",
        results: "s3://lake/results/", database_suffix: _dev}}
  prod: {{engine: aws, region: {REGION}, account: "{ACCOUNT}", lake: "s3://lake/prod/",
         results: "s3://lake/results/", protected: true}}
  other: {{engine: aws, region: {REGION}, account: "210987654321", lake: "s3://lake/other/",
          results: "s3://lake/results/", database_suffix: _other}}
"""
DEFINITION = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "RoleName": "shop-daily",
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "states.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        },
    },
}
KEPT = {
    "Type": "AWS::Logs::LogGroup",
    "DeletionPolicy": "Retain",
    "Properties": {"LogGroupName": "kept"},
}
"""What stands for the databases, which moto does not make: the template says that it stays."""


def template(seconds: int = 1, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Write a stack of one machine, its role, and something that stays."""
    waits = {"Type": "Wait", "Seconds": seconds, "Next": "Done"}
    definition = {"StartAt": "Wait", "States": {"Wait": waits, **DEFINITION["States"]}}  # type: ignore[dict-item]
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": "shop-daily",
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "DefinitionString": json.dumps(definition),
        },
    }
    resources = {"Role": ROLE, "Daily": machine, "Kept": KEPT, **more}
    outputs = {"Machine": {"Value": {"Ref": "Daily"}}}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, "Outputs": outputs}


def facts(bundle: Bundle) -> StackFacts:
    environment, lake = bundle.environment, bundle.environment["lake"]
    return StackFacts(
        project="shop",
        environment=bundle.environment_name,
        prefix=bundle.prefix,
        version="0",
        region=environment["region"],
        account=environment["account"],
        lake=lake,
        results=environment["results"],
        artifacts=f"{lake}_runner/artifacts/",
        manifest_uri=f"{lake}_runner/artifacts/manifest.json",
        workgroup="",
        scan_limit_bytes=None,
        cluster="",
        own_cluster=False,
        repository="",
        databases=(),
        keeper=FunctionFacts("shop-keeper", "handler.handler", f"{lake}_runner/artifacts/k.zip"),
        functions=(),
        machines=(),
        loads=(),
        topics=(),
        alarm_topic="",
        tags=(("team", "data"),),
    )


def wanted(
    cloud: Cloud | Bundle,
    stack: dict[str, Any] | None = None,
    *,
    artifacts: Mapping[str, bytes] | None = None,
    commit: str = "",
) -> Desired:
    """Say what an environment is to become; the manifest is stored as another artifact."""
    known = facts(cloud.bundle if isinstance(cloud, Cloud) else cloud)
    manifest = Manifest("shop", known.environment, "0", commit, (), ())
    account = f"{known.artifacts}manifest-{commit or 'none'}.json"
    bodies = artifacts if artifacts is not None else {"a.json": b"a", "b.zip": b"b"}
    stored = [Artifact(f"{known.artifacts}{name}", body) for name, body in bodies.items()]
    stored.append(Artifact(account, json.dumps({"commit": commit}).encode()))
    whole = {
        "Metadata": {"Runner": {"manifest": account}},
        **(stack if stack is not None else template()),
    }
    return Desired(known, whole, tuple(stored), manifest)


def write_project(root: Path) -> Path:
    """Write a project of one table with environments on AWS."""
    (root / "sql" / "marts").mkdir(parents=True)
    (root / "config.yaml").write_text(CONFIG, "utf-8")
    (root / "sql" / "marts" / "one.sql").write_text("SELECT 1 AS n\n", "utf-8")
    return root


def cloud_of(root: Path, environment: str = "dev") -> Cloud:
    return open_cloud(root, environment)


@dataclass(slots=True)
class Watching:
    """Agrees or not, waits no time, and remembers everything."""

    agrees: bool = True
    wishes: list[Wish] = field(default_factory=list)
    asked: list[Pending] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    events: list[StackEvent] = field(default_factory=list)
    uploaded: list[str] = field(default_factory=list)
    began_with: list[str] = field(default_factory=list)
    kept: int = 0

    def agreed(self, pending: Pending) -> bool:
        self.asked.append(pending)
        return self.agrees

    def began(self, stack_id: str) -> None:
        self.began_with.append(stack_id)

    def stored(self, uploaded: tuple[str, ...], kept: int) -> None:
        self.uploaded += uploaded
        self.kept = kept

    def note(self, text: str) -> None:
        self.notes.append(text)

    def event(self, event: StackEvent) -> None:
        self.events.append(event)

    def wait(self) -> Wish:
        return self.wishes.pop(0) if self.wishes else Wish.GO_ON


class Scripted(Session):
    """A session some of whose clients are given."""

    def __init__(self, **clients: Any) -> None:  # noqa: ANN401 - boto3 makes its classes at run time
        super().__init__(REGION)
        self._clients.update(clients)


def git(root: Path, *words: str) -> str:
    """Type a git command as somebody whose name does not matter."""
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    done = subprocess.run([*command, *words], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(root: Path, file: str, text: str) -> str:
    """Write a file, commit everything, and give the commit."""
    (root / file).write_text(text, "utf-8")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", file)
    return git(root, "rev-parse", "HEAD")
