"""The ECS task that loads a mart: its definition, and what its two roles may do.

In: what the environment says.  Out: JSON as ECS and IAM take it.  A secret is only ever named, by
its ARN: ECS fetches the value with the execution role when the task starts (SEMANTICS 32).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model.ports import Json

CONTAINER = "load"
"""The container's name, which a state machine's overrides use."""
USER = "10001:10001"
WORK = "/var/lib/runner"
"""The folder on the ephemeral disk; the image's one volume."""
SECRET_FILES = "/run/runner"  # noqa: S105 - a folder's name
"""A file system in memory: where Embulk's configuration with the password stands."""
_BUCKETS = "arn:aws:s3:::"
_TMPFS_MIB = 16
_STOP_S = 60
_SIZES = {"native": ("1024", "2048"), "embulk": ("2048", "4096")}
_GIVEN_DISK_GIB = 20
"""What Fargate gives without being asked; naming it is refused below 21."""


@dataclass(frozen=True, slots=True)
class LoadTask:
    """A task definition's facts."""

    family: str
    """Also what the names of its two roles begin with."""
    mart: str
    engine: str
    """native or embulk."""
    region: str
    account: str
    image: str
    lake: str
    """`s3://bucket/prefix/`."""
    results: str
    host: str
    port: str
    database: str
    user: str | None
    """None: the key `username` of the secret."""
    secret: str | None
    """ARN of a secret whose JSON has the key `password`."""
    tls: bool
    ca: str | None
    disk_gib: int = _GIVEN_DISK_GIB

    @property
    def log_group(self) -> str:
        """Name the log group."""
        return f"/ecs/{self.family}"

    @property
    def repository(self) -> str:
        """Name the image's repository, without registry and tag."""
        return self.image.partition("/")[2].partition(":")[0]


def task_definition(task: LoadTask) -> dict[str, Json]:
    """Write the argument of `aws ecs register-task-definition --cli-input-json`."""
    cpu, memory = _SIZES[task.engine]
    role = f"arn:aws:iam::{task.account}:role/{task.family}"
    definition: dict[str, Json] = {
        "family": task.family,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "cpu": cpu,
        "memory": memory,
        "executionRoleArn": f"{role}-execution",
        "taskRoleArn": f"{role}-task",
        "volumes": [{"name": "work"}],
        "containerDefinitions": [_container(task)],
    }
    if task.disk_gib > _GIVEN_DISK_GIB:
        definition["ephemeralStorage"] = {"sizeInGiB": task.disk_gib}
    return definition


def _container(task: LoadTask) -> dict[str, Json]:
    return {
        "name": CONTAINER,
        "image": task.image,
        "essential": True,
        "user": USER,
        "readonlyRootFilesystem": True,
        "stopTimeout": _STOP_S,
        "environment": [
            {"name": name, "value": value} for name, value in _environment(task).items()
        ],
        "secrets": [{"name": name, "valueFrom": arn} for name, arn in _secrets(task).items()],
        "mountPoints": [{"sourceVolume": "work", "containerPath": WORK, "readOnly": False}],
        "linuxParameters": {
            "initProcessEnabled": True,
            "capabilities": {"drop": ["ALL"]},
            "tmpfs": [{"containerPath": SECRET_FILES, "size": _TMPFS_MIB}],
        },
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": task.log_group,
                "awslogs-region": task.region,
                "awslogs-stream-prefix": CONTAINER,
            },
        },
    }


def _environment(task: LoadTask) -> dict[str, str]:
    """Give the plain variables; RUNNER_MART and RUNNER_LOAD_MANIFEST come from the workflow."""
    found = {
        "RUNNER_TASK_MART": task.mart,
        "RUNNER_MART_HOST": task.host,
        "RUNNER_MART_PORT": task.port,
        "RUNNER_MART_DATABASE": task.database,
        "RUNNER_MART_TLS": "verify" if task.tls else "off",
    }
    if task.user is not None:
        found["RUNNER_MART_USER"] = task.user
    if task.ca is not None:
        found["RUNNER_MART_CA"] = task.ca
    return found


def _secrets(task: LoadTask) -> dict[str, str]:
    """Give the variables that ECS fills; `ARN:key::` takes one key of the secret's JSON."""
    if task.secret is None:
        return {}
    found = {"RUNNER_MART_PASSWORD": f"{task.secret}:password::"}
    if task.user is None:
        found["RUNNER_MART_USER"] = f"{task.secret}:username::"
    return found


def execution_policy(task: LoadTask) -> dict[str, Json]:
    """Write what ECS itself needs: to pull the image, to write the log, to fetch the secret."""
    registry = f"arn:aws:ecr:{task.region}:{task.account}:repository/{task.repository}"
    logs = f"arn:aws:logs:{task.region}:{task.account}:log-group:{task.log_group}:*"
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    statements = [
        _allow("ImageLogin", ["ecr:GetAuthorizationToken"], "*"),
        _allow("Image", pull, registry),
        _allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], logs),
    ]
    if task.secret is not None:
        secret = task.secret
        statements.append(_allow("Secret", ["secretsmanager:GetSecretValue"], secret))
    return {"Version": "2012-10-17", "Statement": statements}


def task_policy(task: LoadTask) -> dict[str, Json]:
    """Write what the load itself needs: to read the lake, to write its outcome."""
    lake = _objects(task.lake)
    statements = [
        _allow("ReadLake", ["s3:GetObject"], f"{lake}*"),
        _allow("WriteOutcome", ["s3:PutObject"], f"{lake}_runner/loads/*.outcome.json"),
    ]
    if task.engine == "embulk":
        results = _objects(task.results)
        bucket, _, prefix = results.removeprefix(_BUCKETS).partition("/")
        listed = _allow("ListResults", ["s3:ListBucket"], f"{_BUCKETS}{bucket}")
        # Embulk lists before it reads.
        listed["Condition"] = {"StringLike": {"s3:prefix": f"{prefix}*"}}
        statements += [_allow("ReadResults", ["s3:GetObject"], f"{results}*"), listed]
    return {"Version": "2012-10-17", "Statement": statements}


def trust_policy(task: LoadTask) -> dict[str, Json]:
    """Write who may take the two roles: tasks of this account."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": task.account}},
            }
        ],
    }


def _allow(name: str, actions: list[str], resource: str) -> dict[str, Json]:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resource}


def _objects(uri: str) -> str:
    """Give the ARN of what is below a URI.

    >>> _objects("s3://lake/prod")
    'arn:aws:s3:::lake/prod/'
    """
    return _BUCKETS + uri.removeprefix("s3://").rstrip("/") + "/"
