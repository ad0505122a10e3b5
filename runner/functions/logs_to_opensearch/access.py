"""Who asks OpenSearch: a signature of AWS, a name and a password, or nobody.

In: the domain's address and, if there is one, its secret.  Out: the headers of a request.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from botocore.credentials import Credentials

_AWS = re.compile(r"\.([a-z0-9-]+)\.(es|aoss)\.amazonaws\.com(?:\.cn)?\Z")
_TYPE = {"Content-Type": "application/x-ndjson"}


class Access(Protocol):
    """Makes a request's headers."""

    def headers(self, path: str, body: bytes) -> dict[str, str]:
        """Give the headers for a body."""


class Anonymous:
    """Nobody in particular."""

    def headers(self, path: str, body: bytes) -> dict[str, str]:  # noqa: ARG002 - what `Access` says
        """Give the headers that every request has."""
        return dict(_TYPE)


class Basic:
    """A name and a password."""

    def __init__(self, secret: str) -> None:
        """Read {"username", "password"}; ValueError, which shows nothing of it."""
        try:
            said = json.loads(secret)
            pair = f"{said['username']}:{said['password']}"
        except (ValueError, KeyError, TypeError):
            raise ValueError('JSON like {"username": ..., "password": ...}') from None
        self._said = f"Basic {base64.b64encode(pair.encode()).decode()}"

    def headers(self, path: str, body: bytes) -> dict[str, str]:  # noqa: ARG002 - what `Access` says
        """Give the headers with the password."""
        return {**_TYPE, "Authorization": self._said}


class Signed:
    """A role of AWS: each request carries its signature, version 4."""

    def __init__(
        self, endpoint: str, credentials: Credentials, *, service: str, region: str
    ) -> None:
        """Take whose signature it is and for what."""
        self._endpoint, self._credentials = endpoint.rstrip("/"), credentials
        self._service, self._region = service, region

    def headers(self, path: str, body: bytes) -> dict[str, str]:
        """Sign a body; the time is part of it."""
        from botocore.auth import SigV4Auth  # noqa: PLC0415 - slow, and only where AWS is asked
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - likewise

        # Serverless collections ask for the digest as a header.
        digest = {"X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest()}
        request = AWSRequest("POST", f"{self._endpoint}{path}", {**_TYPE, **digest}, body)
        frozen = self._credentials.get_frozen_credentials()
        SigV4Auth(frozen, self._service, self._region).add_auth(request)
        return dict(request.headers.items())


def service_of(endpoint: str) -> tuple[str, str]:
    """Give service and region of an address of AWS; two empty texts for any other.

    >>> service_of("https://search-x-1.eu-west-1.es.amazonaws.com")
    ('es', 'eu-west-1')
    """
    match = _AWS.search(urlsplit(endpoint).hostname or "")
    return (match[2], match[1]) if match else ("", "")
