"""What an environment provides, by the names that a definition uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from runner.model.config import AwsEnvironment, LocalEnvironment
from runner.model.names import deployed_name
from runner.model.regions import partition_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.model.project import Project


@dataclass(frozen=True, slots=True)
class Network:
    """Where an ECS task runs."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    assign_public_ip: bool


@dataclass(frozen=True, slots=True)
class Target:
    """Names of the deployed parts; on this machine the same names, served by local parts."""

    prefix: str
    """`<project>-<environment>`: what every deployed name begins with."""
    lake: str
    results: str
    workgroup: str
    cluster: str
    network: Network | None
    region: str
    account: str
    data_key: str = ""
    """ARN of the KMS key that encrypts what statements write; empty for the bucket's default."""
    connections: Mapping[str, str] = field(default_factory=dict)
    """ARNs of connections of EventBridge by the names that steps call them."""

    @property
    def keeper(self) -> str:
        """Name the keeper function."""
        return f"{self.prefix}-keeper"

    def function(self, name: str) -> str:
        """Name a function of lambdas/ (or a bundled one, `builtin:name`)."""
        return f"{self.prefix}-{name.replace(':', '-')}"

    def workflow_machine(self, workflow: str) -> str:
        """Name the machine of a workflow, in 80 characters.

        >>> target = Target("flights-prod", "", "", "", "", None, "eu-west-1", "123456789012")
        >>> target.workflow_machine("daily")
        'flights-prod-daily'
        """
        return deployed_name(self.prefix, workflow)

    def machine(self, workflow: str, child: str) -> str:
        """Name the machine that a workflow starts for some of its tables, in 80 characters.

        >>> target = Target("flights-prod", "", "", "", "", None, "eu-west-1", "123456789012")
        >>> target.machine("daily", "tables-1-1")
        'flights-prod-daily-tables-1-1'
        """
        return deployed_name(self.prefix, workflow, child)

    def machine_arn(self, name: str) -> str:
        """Give a state machine's ARN."""
        partition = partition_of(self.region)
        return f"arn:{partition}:states:{self.region}:{self.account}:stateMachine:{name}"

    def connection(self, name: str) -> str:
        """Give a connection's ARN; an ARN stays as it is."""
        if name.startswith("arn:"):
            return name
        partition = partition_of(self.region)
        local = f"arn:{partition}:events:{self.region}:{self.account}:connection/{name}/local"
        return self.connections.get(name, local)

    def load_task(self, mart: str, engine: str) -> str:
        """Name the ECS task definition that loads a mart."""
        return f"{self.prefix}-{'embulk' if engine == 'embulk' else 'load'}-{mart}"

    def topic(self, name: str) -> str:
        """Give a topic's ARN; an ARN is a topic that exists and stays as it is."""
        if name.startswith("arn:"):
            return name
        partition = partition_of(self.region)
        return f"arn:{partition}:sns:{self.region}:{self.account}:{self.prefix}-{name}"


def target_of(project: Project) -> Target:
    """Name the parts of the project's environment."""
    environment = project.environment
    prefix = f"{project.config.project}-{project.environment_name}"
    match environment:
        case LocalEnvironment():
            region, account = "local", "0" * 12
            network: Network | None = None
            data_key, connections = "", {}
            workgroup, cluster = "primary", f"{prefix}-loads"
        case AwsEnvironment():
            region, account = environment.region, environment.account
            workgroup = environment.workgroup or prefix
            cluster = environment.cluster or f"{prefix}-loads"
            network, data_key = _network(environment), environment.keys.data or ""
            connections = environment.connections
        case _:
            assert_never(environment)
    return Target(
        prefix=prefix,
        lake=_folder(environment.lake),
        results=_folder(environment.results),
        workgroup=workgroup,
        cluster=cluster,
        network=network,
        region=region,
        account=account,
        data_key=data_key,
        connections=connections,
    )


def _network(environment: AwsEnvironment) -> Network | None:
    found = environment.network
    if found is None:
        return None
    return Network(found.subnets, found.security_groups, found.assign_public_ip)


def _folder(uri: str) -> str:
    return uri if uri.endswith("/") else uri + "/"
