"""AWS's query protocol: a form asks for an action, the answer is XML.

In: requests, and what an action gives.  Out: the form's fields; responses.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from runner.local.wire.messages import Response

if TYPE_CHECKING:
    from runner.local.wire.messages import Request


def read_form(request: Request) -> dict[str, str]:
    """Give the form's fields; of one that is there twice the first."""
    given = parse_qs(request.body.read().decode("utf-8", errors="replace"))
    return {name: values[0] for name, values in given.items()}


def answered(namespace: str, action: str, content: str) -> Response:
    """Make the response to an action; `content` is XML."""
    return _xml(
        200,
        f'<{action}Response xmlns="{namespace}"><{action}Result>{content}</{action}Result>'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
        f"</{action}Response>",
    )


def refused(namespace: str, code: str, message: str) -> Response:
    """Make the response to a request that is wrong."""
    return _xml(
        400,
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type><Code>{escape(code)}</Code>'
        f"<Message>{escape(message)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>",
    )


def _xml(status: int, text: str) -> Response:
    return Response(status, {"Content-Type": "text/xml"}, text.encode())
