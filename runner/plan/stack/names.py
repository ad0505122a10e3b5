"""Names and ARNs of a stack's parts, computed from names alone: no part waits to hear of another.

A logical id holds a hash of the name that it stands for, so that it stays what it is when other
parts come and go.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.plan.stack.facts import StackFacts

MAX_NAME = 64
"""Of roles, rules, schedules and their groups."""
_HASH = 8
_MOST_WORDS = 120
STAGE_SUFFIX = "__stage"


def logical_id(kind: str, name: str) -> str:
    """Give the logical id of the part of that kind for that name.

    >>> logical_id("Machine", "flights-prod-daily")
    'MachineFlightsProdDaily53861876'
    """
    words = "".join(word.capitalize() for word in re.findall(r"[A-Za-z0-9]+", name))
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
    return f"{kind}{words[:_MOST_WORDS]}{digest}"


def fitting(name: str, most: int = MAX_NAME) -> str:
    """Cut a name that is too long; it then ends in a hash.

    >>> fitting("flights-prod-daily-machine")
    'flights-prod-daily-machine'
    >>> len(fitting("x" * 90))
    64
    """
    if len(name) <= most:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
    return f"{name[: most - _HASH - 1]}-{digest}"


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Split `s3://bucket/key`.

    >>> bucket_and_key("s3://lake/prod/")
    ('lake', 'prod/')
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def objects_arn(uri: str) -> str:
    """Give the ARN of everything whose URI begins so.

    >>> objects_arn("s3://lake/prod/")
    'arn:aws:s3:::lake/prod/*'
    """
    bucket, key = bucket_and_key(uri)
    return f"arn:aws:s3:::{bucket}/{key}*"


_WHOLE_SECRET = re.compile(r"-[A-Za-z0-9]{6}\Z")


def secret_arn(arn: str) -> str:
    """Give what IAM compares: a secret's ARN ends in six characters, with which no name of it does.

    >>> secret_arn("arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/api")[-15:]
    'shop/api-??????'
    """
    return arn if _WHOLE_SECRET.search(arn) else f"{arn}-??????"


def bucket_arn(uri: str) -> str:
    """Give the ARN of a URI's bucket.

    >>> bucket_arn("s3://lake/prod/")
    'arn:aws:s3:::lake'
    """
    return f"arn:aws:s3:::{bucket_and_key(uri)[0]}"


@dataclass(frozen=True, slots=True)
class Arns:
    """ARNs in one account and Region."""

    region: str
    account: str

    @classmethod
    def of(cls, facts: StackFacts) -> Arns:
        """Take account and Region of an environment."""
        return cls(facts.region, facts.account)

    def arn(self, service: str, resource: str) -> str:
        """Give the ARN of a resource of a regional service."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def role(self, name: str) -> str:
        """Give a role's ARN; its name is cut to what IAM takes."""
        return f"arn:aws:iam::{self.account}:role/{fitting(name)}"

    def machine(self, name: str) -> str:
        """Give a state machine's ARN."""
        return self.arn("states", f"stateMachine:{name}")

    def executions(self, name: str) -> str:
        """Give the pattern of a state machine's executions."""
        return self.arn("states", f"execution:{name}:*")

    def function(self, name: str) -> str:
        """Give a function's ARN."""
        return self.arn("lambda", f"function:{name}")

    def queue(self, name: str) -> str:
        """Give a queue's ARN."""
        return self.arn("sqs", name)

    def topic(self, name: str) -> str:
        """Give a topic's ARN."""
        return self.arn("sns", name)

    def log_group(self, name: str) -> str:
        """Give the ARN of a log group and its streams."""
        return self.arn("logs", f"log-group:{name}:*")

    def catalogue(self) -> str:
        """Give the ARN of Glue's catalogue."""
        return self.arn("glue", "catalog")

    def database(self, name: str) -> str:
        """Give the ARN of a database in the catalogue."""
        return self.arn("glue", f"database/{name}")

    def table(self, database: str, table: str) -> str:
        """Give the ARN of a table in the catalogue."""
        return self.arn("glue", f"table/{database}/{table}")

    def rule(self, bus: str, name: str) -> str:
        """Give the ARN of an EventBridge rule; the bus is a name or an ARN."""
        bus = bus.rpartition("/")[2]
        return self.arn("events", f"rule/{name}" if bus == "default" else f"rule/{bus}/{name}")


def machine_role(machine: str) -> str:
    """Name the role of a state machine."""
    return f"{machine}-machine"


def function_role(function: str) -> str:
    """Name the role of a function."""
    return f"{function}-function"


def dead_letters(facts: StackFacts) -> str:
    """Name the queue of starts and notifications that could not be delivered."""
    return fitting(f"{facts.prefix}-dead-letters", 80)


def alarm_topic(facts: StackFacts) -> str:
    """Give the ARN of the topic that alarms go to."""
    return facts.alarm_topic or Arns.of(facts).topic(f"{facts.prefix}-alarms")
