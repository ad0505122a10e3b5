"""AWS's JSON 1.1 protocol: the operation stands in a header, refusals are JSON with a type.

In: requests, and functions by operation.  Out: responses; instants are numbers (epoch seconds),
as botocore's parser of this protocol wants them.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runner.local.wire.messages import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.local.wire.messages import Request

    Operation = Callable[[Mapping[str, Any]], Mapping[str, Any]]
MOST_BYTES = 64 << 20
"""Of one request: far more than any that is valid."""
CONTENT_TYPE = "application/x-amz-json-1.1"


class Refusal(Exception):
    """A request that is refused: AWS's code, and its message."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Take the error; `details` are members that the error's shape has beside the message."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.details = dict(details or {})


class Json11:
    """Answers with the function of the operation that `X-Amz-Target` names."""

    def __init__(self, prefix: str, operations: Mapping[str, Operation]) -> None:
        """Take the target's prefix, e.g. `AmazonAthena`, and the functions.

        A function takes the request's members and gives the answer's; it raises Refusal.
        """
        self._prefix = f"{prefix}."
        self._operations = operations

    def answer(self, request: Request) -> Response:
        """Do the operation; what is wrong with the request is a 400, a defect here a 500."""
        try:
            found = self._call(request)
        except Refusal as refusal:
            body = {"__type": refusal.code, "Message": refusal.message, **refusal.details}
            return _response(refusal.status, body, code=refusal.code)
        return _response(200, found)

    def _call(self, request: Request) -> Mapping[str, Any]:
        target = request.headers.get("x-amz-target", "")
        operation = self._operations.get(target.removeprefix(self._prefix))
        if operation is None:
            raise Refusal("UnknownOperationException", f"{target} is not served here")
        if request.length > MOST_BYTES:
            message = f"The request is larger than {MOST_BYTES} bytes"
            raise Refusal("RequestEntityTooLargeException", message, status=413)
        try:
            members = json.loads(request.body.read() or b"{}")
        except (ValueError, RecursionError) as error:
            raise Refusal("SerializationException", f"The body is not JSON: {error}") from error
        if not isinstance(members, dict):
            raise Refusal("SerializationException", "The body is not a JSON object")
        return operation(members)


def _response(status: int, members: Mapping[str, Any], *, code: str = "") -> Response:
    headers = {"Content-Type": CONTENT_TYPE}
    if code:
        headers["x-amzn-ErrorType"] = code
    return Response(status, headers, json.dumps(members, default=_plain).encode())


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
