"""SNS on the wire: Publish, for functions that tell people something.

In: requests of AWS's query protocol (a form).  Out: XML.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from runner.local.wire.messages import Response
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from runner.local.wire.messages import Request
    from runner.model.ports import Service

_NAMESPACE = "https://sns.amazonaws.com/doc/2010-03-31/"
_MEMBERS = ("TopicArn", "TargetArn", "Subject", "Message", "MessageStructure")


class SnsOnTheWire:
    """Answers Publish with the local topics; other actions are refused."""

    def __init__(self, sns: Service) -> None:
        """Take the local SNS."""
        self._sns = sns

    def answer(self, request: Request) -> Response:
        """Do the action of the form."""
        given = parse_qs(request.body.read().decode("utf-8", errors="replace"))
        form = {name: values[0] for name, values in given.items()}
        action = form.get("Action", "")
        if action != "Publish":
            return _refusal("InvalidAction", f"{action} is not served here")
        try:
            found = self._sns("publish", {name: form[name] for name in _MEMBERS if name in form})
        except ServiceError as error:
            code = error.error.removeprefix("SNS.").removesuffix("Exception")
            return _refusal(code, error.cause)
        return _xml(
            200,
            f'<PublishResponse xmlns="{_NAMESPACE}"><PublishResult><MessageId>'
            f"{found['MessageId']}</MessageId></PublishResult><ResponseMetadata><RequestId>"
            f"{uuid.uuid4()}</RequestId></ResponseMetadata></PublishResponse>",
        )


def _refusal(code: str, message: str) -> Response:
    return _xml(
        400,
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>{escape(code)}</Code>'
        f"<Message>{escape(message)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>",
    )


def _xml(status: int, text: str) -> Response:
    return Response(status, {"Content-Type": "text/xml"}, text.encode())
