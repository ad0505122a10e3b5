"""The ECS tasks that load an environment's marts, from what config.yaml says.

In: a bundle of an environment on AWS.  Out: a `LoadTask` for each mart and engine that its tables
use.  The image is the environment's own, or the one in the repository that the stack makes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import runner
from runner.errors import Fault, Place
from runner.plan.load_tasks import LoadTask

if TYPE_CHECKING:
    from runner.app.bundle import Bundle

_ROOT = "root"
"""The user that config.yaml gives when it names none: then the secret holds the name."""


def repository(bundle: Bundle) -> str:
    """Name the repository that the stack makes; empty where images come from elsewhere."""
    return "" if bundle.environment["image"] else f"{bundle.prefix}-load"


def image_uri(bundle: Bundle, engine: str) -> str:
    """Give the image that loads with an engine."""
    environment = bundle.environment
    if environment["image"]:
        return str(environment["image"]).replace("{engine}", engine)
    registry = f"{environment['account']}.dkr.ecr.{environment['region']}.amazonaws.com"
    return f"{registry}/{repository(bundle)}:{engine}-{runner.__version__}"


def mart_tasks(bundle: Bundle) -> tuple[LoadTask, ...]:
    """Give the tasks that the tables' loads need: one for each mart and engine."""
    default = bundle.environment["loader"]
    wanted = {
        (table.load_mart, table.load_engine or default)
        for table in bundle.tables
        if table.load_mart
    }
    return tuple(mart_task(bundle, engine, mart) for mart, engine in sorted(wanted))


def mart_task(bundle: Bundle, engine: str, name: str) -> LoadTask:
    """Give the task that loads a mart with an engine; the mart is one of the environment's."""
    environment = bundle.environment
    mart: dict[str, Any] = environment["marts"][name]
    return LoadTask(
        family=f"{bundle.prefix}-{'embulk' if engine == 'embulk' else 'load'}-{name}",
        mart=name,
        engine=engine,
        region=environment["region"],
        account=environment["account"],
        image=image_uri(bundle, engine),
        lake=environment["lake"],
        results=environment["results"],
        host=mart["host"],
        port=str(mart["port"]),
        database=mart["database"],
        user=None if mart["user"] == _ROOT else mart["user"],
        secret=mart["secret"],
        tls=mart["tls"],
        ca=mart["ca"],
    )


def mart_faults(bundle: Bundle, name: str) -> tuple[Fault, ...]:
    """Find what only this machine knows: the task gets plain values and one secret."""
    mart = bundle.environment["marts"][name]
    path = f"environments.{bundle.environment_name}.marts.{name}"
    wrong = [
        Fault(
            Place("config.yaml"),
            "wrong-value",
            f"{path}.{key}: {mart[key]}",
            "a plain value, or a reference that a deploy resolves: the task does not have this "
            "machine's environment",
            "write the value itself",
        )
        for key in ("host", "port", "database", "user")
        if "${" in str(mart[key])
    ]
    if mart["secret"] is None:
        wrong.append(
            Fault(
                Place("config.yaml"),
                "missing-key",
                f"no {path}.secret",
                "the ARN of the secret that holds the mart's password",
                "store {username, password} in Secrets Manager and write its ARN as `secret`",
            )
        )
    return tuple(wrong)
