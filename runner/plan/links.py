"""Where to look in AWS's console: addresses, computed from names.

In: a Region and an account, then names and ids.  Out: URLs, names encoded; right for China,
GovCloud and the other partitions too.  Nothing is asked of AWS.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from runner.model.regions import console_host, partition_of


@dataclass(frozen=True, slots=True)
class Console:
    """The console of one account in one Region."""

    region: str
    account: str

    def machine_arn(self, name: str) -> str:
        """Give the ARN of a state machine.

        >>> Console("cn-north-1", "123456789012").machine_arn("flights-prod-daily")
        'arn:aws-cn:states:cn-north-1:123456789012:stateMachine:flights-prod-daily'
        """
        return f"{self._states}:stateMachine:{name}"

    def execution_arn(self, machine: str, name: str) -> str:
        """Give the ARN of an execution."""
        return f"{self._states}:execution:{machine}:{name}"

    def execution(self, arn: str) -> str:
        """Address an execution.

        >>> arn = "arn:aws:states:eu-west-1:123456789012:execution:flights-prod-daily:daily-1"
        >>> Console("eu-west-1", "123456789012").execution(arn).partition("#")[2]
        '/v2/executions/details/arn:aws:states:eu-west-1:123456789012:execution:flights-prod-daily:daily-1'
        """
        return self._page("states/home", f"/v2/executions/details/{_plain(arn)}")

    def machine(self, name: str) -> str:
        """Address a state machine."""
        return self._page("states/home", f"/statemachines/view/{_plain(self.machine_arn(name))}")

    def query(self, query_id: str) -> str:
        """Address a statement of Athena."""
        return self._page("athena/home", f"/query-editor/history/{quote(query_id, safe='')}")

    def log_group(self, name: str) -> str:
        """Address a log group; CloudWatch wants its name encoded twice, with $ for %.

        >>> Console("eu-west-1", "1").log_group("/aws/lambda/x").rpartition("/")[2]
        '$252Faws$252Flambda$252Fx'
        """
        twice = quote(quote(name, safe=""), safe="").replace("%", "$")
        return self._page("cloudwatch/home", f"logsV2:log-groups/log-group/{twice}")

    def stack(self, name: str) -> str:
        """Address a stack of CloudFormation, by name or ARN."""
        return self._page(
            "cloudformation/home", f"/stacks/stackinfo?stackId={quote(name, safe='')}"
        )

    def task(self, cluster: str, task: str) -> str:
        """Address a task of ECS, by its id or ARN."""
        short = quote(task.rpartition("/")[2], safe="")
        name = quote(cluster.rpartition("/")[2], safe="")
        return self._page(f"ecs/v2/clusters/{name}/tasks/{short}")

    @property
    def _states(self) -> str:
        return f"arn:{partition_of(self.region)}:states:{self.region}:{self.account}"

    def _page(self, path: str, fragment: str = "") -> str:
        base = f"https://{console_host(self.region)}/{path}?region={self.region}"
        return f"{base}#{fragment}" if fragment else base


def _plain(arn: str) -> str:
    """Encode what an ARN may hold beside letters; the console reads colons as they are."""
    return quote(arn, safe=":/-_.")
