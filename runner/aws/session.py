"""One session with an account: clients of its services, and refusals in plain words.

In: a Region.  Out: clients of boto3, made once each, with retries; every error of botocore leaves
as `CloudRefused`, through `refusals`.  Credentials and endpoints are boto3's own business
(`AWS_PROFILE`, `AWS_ENDPOINT_URL` and the like).
"""

from __future__ import annotations

import threading
from typing import Any

from runner.aws.refusals import refusals

_TRIES = 8
_CONNECT_S = 10
_POOL = 16
_AGENT = "athena-runner"


class Session:
    """Clients of one Region, by the names that boto3 gives the services."""

    def __init__(self, region: str) -> None:
        """Take the Region; nothing is asked of AWS before a client is used."""
        self.region = region
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._session: Any = None

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its classes at run time
        """Give the client of a service; the callers name its stub's type."""
        with self._lock, refusals(f"get ready to talk to {service}"):
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def boto(self) -> Any:  # noqa: ANN401 - likewise
        """Give boto3's own session, for libraries that make their clients themselves."""
        with self._lock:
            return self._opened()

    def _opened(self) -> Any:  # noqa: ANN401 - likewise
        import boto3  # noqa: PLC0415 - 0.1 s, and only what talks to AWS needs it

        if self._session is None:
            self._session = boto3.session.Session(region_name=self.region)
        return self._session

    def _make(self, service: str) -> Any:  # noqa: ANN401 - likewise
        return self._opened().client(service, config=self.config())

    @staticmethod
    def config() -> Any:  # noqa: ANN401 - likewise
        """Give the settings of every client."""
        from botocore.config import Config  # noqa: PLC0415 - only what talks to AWS needs it

        return Config(
            retries={"mode": "standard", "max_attempts": _TRIES},
            connect_timeout=_CONNECT_S,
            max_pool_connections=_POOL,
            user_agent_extra=_AGENT,
        )
