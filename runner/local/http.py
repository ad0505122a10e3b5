"""`http:invoke` on this machine: a real request, as Step Functions makes it.

In: the arguments of an HTTP task; for its connection, what the environment's `connections` say.
Out: {Headers, ResponseBody, StatusCode, StatusText}.  An answer outside of 200 to 299 is
`States.Http.StatusCode.<code>`, no answer is `States.Http.Socket`, credentials that are not here
are an error that says where they are to be named.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message
    from http.client import HTTPMessage

    from runner.model.ports import Json
    from runner.model.steps_flow import LocalConnection

_TIMEOUT_S = 60
_MOST_BYTES = 262_144
_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_CONNECTION = re.compile(r"arn:aws[a-z-]*:events:[^:]*:[^:]*:connection/([^/]+)/")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_NO_TEXT = ("application/octet-stream", "audio/", "image/", "video/")
_GOOD = range(200, 300)


@dataclass(frozen=True, slots=True)
class Http:
    """HTTP tasks of one environment."""

    connections: Mapping[str, LocalConnection]
    environ: Mapping[str, str]

    def __call__(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Serve `invoke`."""
        if action != "invoke":
            raise ServiceError("States.Runtime", f"http:{action} is not known locally; invoke is")
        request = self._request(arguments)
        try:
            with _OPENER.open(request, timeout=_TIMEOUT_S) as answer:
                return _told(answer.status, answer.reason, answer.headers, _body(answer))
        except urllib.error.HTTPError as error:
            with error:
                body = _body(error)
            cause = body.decode("utf-8", "replace") or str(error.reason)
            raise ServiceError(f"States.Http.StatusCode.{error.code}", cause) from error
        except (OSError, HTTPException) as error:
            where = urllib.parse.urlsplit(request.full_url)
            told = f"{where.scheme}://{where.netloc}: {error}"
            raise ServiceError("States.Http.Socket", told) from error

    def _request(self, arguments: Mapping[str, Json]) -> urllib.request.Request:
        connection = self._connection(arguments)
        url = _address(arguments, connection)
        headers = {"User-Agent": "Amazon|StepFunctions|HttpInvoke|local"}
        data, kind = _sent(arguments)
        if kind:
            headers["Content-Type"] = kind
        headers |= {name: str(value) for name, value in (arguments.get("Headers") or {}).items()}
        headers |= {n: self._filled(text) for n, text in connection.headers.items()}
        if connection.user is not None:
            user, password = self._filled(connection.user), self._filled(connection.password or "")
            word = base64.b64encode(f"{user}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {word}"
        method = str(arguments.get("Method", "GET"))
        return urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - checked

    def _connection(self, arguments: Mapping[str, Json]) -> LocalConnection:
        given = arguments.get("Authentication") or arguments.get("InvocationConfig") or {}
        arn = str(given.get("ConnectionArn", ""))
        match = _CONNECTION.match(arn)
        name = match[1] if match else arn
        if name not in self.connections:
            known = ", ".join(sorted(self.connections)) or "none"
            told = (
                f"no connection {name!r} on this machine (known: {known}); add it to "
                f"`connections` of the local environment, or let a mock answer the state"
            )
            raise ServiceError("Events.ConnectionResource.ResourceNotFound", told)
        return self.connections[name]

    def _filled(self, text: str) -> str:
        """Put values of environment variables into a text."""

        def value(match: re.Match[str]) -> str:
            if match[1] not in self.environ:
                told = f"the environment variable {match[1]}, which a connection names, is not set"
                raise ServiceError("Events.ConnectionResource.InvalidConnectionState", told)
            return self.environ[match[1]]

        return _REFERENCE.sub(value, text)


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirect without the credentials where it leads to another host."""

    def redirect_request(  # noqa: PLR0917 - as the standard library has it
        self,
        req: urllib.request.Request,
        fp: Any,  # noqa: ANN401
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        new = super().redirect_request(req, fp, code, msg, headers, newurl)
        if new is not None and new.host != req.host:
            for name in list(new.headers):
                if name.title() not in ("User-Agent", "Accept"):
                    new.remove_header(name)
        return new


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _SameHost)


def _address(arguments: Mapping[str, Json], connection: LocalConnection) -> str:
    """Give the address with its query; the connection's host takes the place of the endpoint's."""
    parts = urllib.parse.urlsplit(str(arguments.get("ApiEndpoint", "")))
    if connection.url is not None:
        other = urllib.parse.urlsplit(connection.url)
        parts = parts._replace(scheme=other.scheme, netloc=other.netloc)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not secure or not parts.netloc:
        told = f"{parts.geturl()!r} is no https:// address; http:// is for this machine only"
        raise ServiceError("States.Runtime", told)
    query = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
    for name, value in (arguments.get("QueryParameters") or {}).items():
        query += [(name, _scalar(one)) for one in (value if isinstance(value, list) else [value])]
    return parts._replace(query=urllib.parse.urlencode(query)).geturl()


def _sent(arguments: Mapping[str, Json]) -> tuple[bytes | None, str]:
    """Give the body and its type."""
    body = arguments.get("RequestBody")
    if body is None:
        return None, ""
    encoding = (arguments.get("Transform") or {}).get("RequestBodyEncoding", "NONE")
    if encoding == "URL_ENCODED" and isinstance(body, dict):
        pairs = [(name, _scalar(value)) for name, value in body.items()]
        return urllib.parse.urlencode(pairs).encode(), "application/x-www-form-urlencoded"
    if isinstance(body, str):
        return body.encode(), "text/plain; charset=UTF-8"
    return json.dumps(body, ensure_ascii=False).encode(), "application/json; charset=UTF-8"


def _scalar(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _body(answer: Any) -> bytes:  # noqa: ANN401 - a response or an error of urllib
    body: bytes = answer.read(_MOST_BYTES + 1)
    if len(body) > _MOST_BYTES:
        told = f"the answer has more than {_MOST_BYTES:,} bytes"
        raise ServiceError("States.DataLimitExceeded", told)
    return body


def _told(status: int, reason: str, headers: Message, body: bytes) -> Json:
    kind = headers.get_content_type() if "Content-Type" in headers else ""
    if status not in _GOOD:
        raise ServiceError(f"States.Http.StatusCode.{status}", body.decode("utf-8", "replace"))
    if kind.startswith(_NO_TEXT):
        told = f"an answer of type {kind}, which Step Functions does not take"
        raise ServiceError("States.Runtime", told)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise ServiceError("States.Runtime", "an answer that is no text") from error
    found: Json = text
    if kind == "application/json" or kind.endswith("+json"):
        try:
            found = json.loads(text)
        except ValueError:
            found = text
    told_headers: dict[str, list[str]] = {}
    for name, value in headers.items():
        told_headers.setdefault(name.lower(), []).append(value)
    return {
        "Headers": told_headers,
        "ResponseBody": found,
        "StatusCode": status,
        "StatusText": reason,
    }
