"""Where functions of a local run reach services of AWS: a port of this machine.

In: the local services.  Out: environment variables that lead AWS's clients to them.  The port opens
when the first function asks for it, and closes with the services.
"""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

from runner.local import dynamodb, secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.local.athena import LocalAthena
    from runner.local.dynamodb import DynamoDb
    from runner.local.glue import GlueCatalog
    from runner.local.s3 import FolderS3
    from runner.local.secrets import Secrets
    from runner.local.wire.registry import Registry
    from runner.local.wire.server import WireServer
    from runner.model.ports import Service

SERVED = ("ATHENA", "DYNAMODB", "FIREHOSE", "GLUE", "S3", "SECRETS_MANAGER", "SNS", "STS")
_POLL_S = 0.05
_REGION = "us-east-1"


class FunctionEndpoint:
    """A wire server that opens late."""

    def __init__(
        self,
        s3: FolderS3,
        *,
        open_catalog: Callable[[], GlueCatalog],
        open_athena: Callable[[], LocalAthena],
        more: Mapping[str, Service],
        registry: Path,
        dynamodb: DynamoDb,
        secrets: Secrets,
        signed: Callable[[str], None] | None = None,
    ) -> None:
        """Take the services; `more` are `sns` and `firehose`, `signed` hears who calls them."""
        self._dynamodb, self._secrets = dynamodb, secrets
        self._signed = signed
        self._s3 = s3
        self._open_catalog = open_catalog
        self._open_athena = open_athena
        self._more = more
        self._path = registry
        self._lock = threading.Lock()
        self._server: WireServer | None = None
        self._registry: Registry | None = None

    def variables(self) -> dict[str, str]:
        """Open the port if need be; gives what a function's environment gets."""
        with self._lock:
            if self._server is None:
                self._server = self._open()
            url = self._server.url
        return {
            **{f"AWS_ENDPOINT_URL_{name}": url for name in SERVED},
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_REGION": _REGION,
        }

    def _open(self) -> WireServer:
        from runner.local.wire.endpoint import open_wire  # noqa: PLC0415 - only for such functions
        from runner.local.wire.json11 import Json11  # noqa: PLC0415
        from runner.local.wire.registry import Registry  # noqa: PLC0415

        self._registry = Registry(self._path)
        server = open_wire(
            self._s3,
            self._open_catalog(),
            self._open_athena(),
            registry=self._registry,
            more=self._more,
            targets={
                dynamodb.TARGET: Json11(dynamodb.TARGET, self._dynamodb.operations),
                secrets.TARGET: Json11(secrets.TARGET, self._secrets.operations),
            },
            signed=self._signed,
        )
        threading.Thread(target=server.serve_forever, args=(_POLL_S,), daemon=True).start()
        return server

    def close(self) -> None:
        """Close the port."""
        with self._lock:
            server, self._server = self._server, None
            registry, self._registry = self._registry, None
        if server is not None:
            server.shutdown()
            server.server_close()
        self._dynamodb.close()
        if registry is not None:
            with closing(registry):
                pass
