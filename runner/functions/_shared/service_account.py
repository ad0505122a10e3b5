"""Access tokens of a Google service account, from the JSON of its key.

In: the key, as Secrets Manager keeps it.  Out: a token, asked for anew shortly before it expires.

The request is signed with RSA and SHA-256 (RS256, RFC 7518), which Python's integers do as they
are: Google's library would bring 60 MB of packages for these few lines.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import threading
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING or __package__:
    from .wire import BUSY, UnreachableError
else:  # in Lambda the folder itself is on the path
    from wire import BUSY, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .wire import Wire

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFETIME_S, _EARLY_S = 3600, 120
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
"""How RFC 8017 (9.2) names SHA-256 in a signature."""
_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30
_LONG = 0x80
_EXPECTED = "the JSON of a service account's key (client_email, private_key, token_uri)"


class Key(NamedTuple):
    """An RSA key; the names are those of RFC 8017."""

    n: int
    e: int
    p: int
    q: int
    dp: int
    dq: int
    qinv: int

    def sign(self, message: bytes) -> bytes:
        """Sign as RSASSA-PKCS1-v1_5 with SHA-256."""
        size = (self.n.bit_length() + 7) // 8
        told = _SHA256 + hashlib.sha256(message).digest()
        padded = b"\0\1" + b"\xff" * (size - len(told) - 3) + b"\0" + told
        number = int.from_bytes(padded, "big")
        first, second = pow(number, self.dp, self.p), pow(number, self.dq, self.q)
        signature = second + self.q * (self.qinv * (first - second) % self.p)
        if pow(signature, self.e, self.n) != number:
            raise ValueError("the private key is damaged: its numbers do not belong together")
        return signature.to_bytes(size, "big")


class ServiceAccount(NamedTuple):
    """Who asks, and where."""

    email: str
    key_id: str
    key: Key
    token_uri: str


def read_account(text: str) -> ServiceAccount:
    """Read the JSON of a key; ValueError, which never shows any of it."""
    try:
        said = json.loads(text)
        email, pem, uri = said["client_email"], said["private_key"], said["token_uri"]
        key = _read_key(pem)
        return ServiceAccount(str(email), str(said.get("private_key_id", "")), key, str(uri))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        # The cause would quote the key.
        raise ValueError(f"{_EXPECTED}; {type(error).__name__}") from None


def _read_key(pem: str) -> Key:
    """Read a key as PKCS #8 writes it (RFC 5208, RFC 8017 A.1.2)."""
    lines = [line.strip() for line in pem.strip().splitlines()]
    if lines[0] != "-----BEGIN PRIVATE KEY-----" or lines[-1] != "-----END PRIVATE KEY-----":
        raise ValueError("no private key")
    try:
        der = base64.b64decode("".join(lines[1:-1]), validate=True)
    except binascii.Error:
        raise ValueError("no base64") from None
    (outer,) = _elements(der, _SEQUENCE)
    (inner,) = _elements(outer, _OCTETS)
    (numbers,) = _elements(inner, _SEQUENCE)
    _, n, e, _, p, q, dp, dq, qinv = (
        int.from_bytes(one, "big") for one in _elements(numbers, _INTEGER)
    )
    return Key(n, e, p, q, dp, dq, qinv)


def _elements(der: bytes, tag: int) -> list[bytes]:
    """Give the contents of the elements with a tag."""
    found, at = [], 0
    while at < len(der):
        kind, size, at = der[at], der[at + 1], at + 2
        if size & _LONG:
            octets = size & ~_LONG
            size, at = int.from_bytes(der[at : at + octets], "big"), at + octets
        if at + size > len(der):
            raise ValueError("cut off")
        if kind == tag:
            found.append(der[at : at + size])
        at += size
    return found


class Tokens:
    """Gives the token of an account."""

    def __init__(
        self,
        account: ServiceAccount,
        wire: Wire,
        *,
        scope: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take whose tokens they are, the way to `token_uri`, and what they are for."""
        self.wire = wire
        self._account, self._scope, self._now = account, scope, now
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def get(self) -> str:
        """Give a token that is valid for a while yet.

        PermissionError if Google refuses one, UnreachableError if it cannot say.
        """
        with self._lock:
            if self._now() >= self._until:
                self._token, lifetime = self._ask()
                self._until = self._now() + lifetime - _EARLY_S
            return self._token

    def forget(self) -> None:
        """Ask for a new one next time: the one at hand was refused."""
        with self._lock:
            self._until = 0.0

    def _ask(self) -> tuple[str, float]:
        form = urlencode({"grant_type": _GRANT, "assertion": self._assertion()}).encode()
        parts = urlsplit(self._account.token_uri)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.wire.post(parts.path or "/", form, lambda: headers)
        if answer.status != 200:  # noqa: PLR2004 - HTTP's number
            refusal = UnreachableError if answer.status in BUSY else PermissionError
            raise refusal(
                f"{self._account.token_uri} gives {self._account.email} no token: "
                f"{answer.status} {answer.text}"
            )
        said = json.loads(answer.body)
        return str(said["access_token"]), float(said.get("expires_in", _LIFETIME_S))

    def _assertion(self) -> str:
        issued = int(self._now())
        head = {"alg": "RS256", "typ": "JWT", "kid": self._account.key_id}
        claims = {
            "iss": self._account.email,
            "scope": self._scope,
            "aud": self._account.token_uri,
            "iat": issued,
            "exp": issued + _LIFETIME_S,
        }
        signed = f"{_url64(json.dumps(head).encode())}.{_url64(json.dumps(claims).encode())}"
        return f"{signed}.{_url64(self._account.key.sign(signed.encode()))}"


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
