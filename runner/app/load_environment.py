"""The environment of a container that loads: what the task definition and the workflow say.

In: environment variables.  Out: a `LoadTask`, or every variable that is missing or wrong, at once.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from runner.local.loader import MysqlTarget
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSWORD = "RUNNER_MART_PASSWORD"  # noqa: S105 - a variable's name
_NEEDED = (
    "RUNNER_LOAD_MANIFEST",
    "RUNNER_MART",
    "RUNNER_MART_HOST",
    "RUNNER_MART_DATABASE",
    "RUNNER_MART_USER",
    PASSWORD,
)
_TLS = ("verify", "off")


@dataclass(frozen=True, slots=True)
class LoadTask:
    """What the environment asks for."""

    manifest_uri: str
    mart: str
    target: MysqlTarget
    rows_uri: str | None
    """Athena's result for Embulk; without one the files' rows are written as Athena would."""
    embulk_home: str | None
    secrets: str | None
    """A folder in memory, for Embulk's configuration with the password in it."""
    environ: Mapping[str, str] = field(repr=False)
    """The rest of the environment, without any secret of the mart."""


def read_task(environ: Mapping[str, str]) -> LoadTask:
    """Read the environment; every variable that is missing or wrong is named at once."""
    wrong = [f"{name} is not set" for name in _NEEDED if not environ.get(name)]
    owner, asked = environ.get("RUNNER_TASK_MART"), environ.get("RUNNER_MART")
    if owner and asked and owner != asked:
        wrong.append(f"the task definition is for mart {owner}, RUNNER_MART says {asked}")
    tls = environ.get("RUNNER_MART_TLS") or _TLS[0]
    if tls not in _TLS:
        wrong.append(f"RUNNER_MART_TLS is {tls!r}, expected {' or '.join(_TLS)}")
    ca = environ.get("RUNNER_MART_CA") or _system_ca()
    if tls == "verify" and not (ca and Path(ca).is_file()):
        wrong.append(f"RUNNER_MART_CA: there is no file {ca} in this image")
    port = environ.get("RUNNER_MART_PORT") or "3306"
    if not port.isdigit():
        wrong.append("RUNNER_MART_PORT is not a number")
    if wrong:
        raise ServiceError("Load.InvalidTask", "; ".join(wrong))
    # References, not values: they are put in when the connection is opened and nowhere else.
    target = MysqlTarget(
        database="${env:RUNNER_MART_DATABASE}",
        environ={name: text for name, text in environ.items() if name.startswith("RUNNER_MART_")},
        host="${env:RUNNER_MART_HOST}",
        port=port,
        user="${env:RUNNER_MART_USER}",
        password=f"${{env:{PASSWORD}}}",
        tls=tls == "verify",
        ca=ca,
    )
    return LoadTask(
        manifest_uri=environ["RUNNER_LOAD_MANIFEST"],
        mart=environ["RUNNER_MART"],
        target=target,
        rows_uri=environ.get("RUNNER_LOAD_ROWS") or None,
        embulk_home=environ.get("EMBULK_HOME") or None,
        secrets=environ.get("RUNNER_SECRETS") or None,
        environ={name: text for name, text in environ.items() if not name.startswith("RUNNER_")},
    )


def _system_ca() -> str | None:
    """Give the system's bundle by name: without a name PyMySQL would not compare host names."""
    found = ssl.get_default_verify_paths()
    return found.cafile or found.openssl_cafile
