"""STS's GetCallerIdentity: clients ask for the account to name their buckets.

In: requests of AWS's query protocol (a form).  Out: XML.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from runner.local.wire.messages import Response

if TYPE_CHECKING:
    from runner.local.wire.messages import Request

ACCOUNT = "000000000000"
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


class Sts:
    """Answers GetCallerIdentity; any other action is refused."""

    @staticmethod
    def answer(request: Request) -> Response:
        """Give the identity that every caller has here."""
        form = parse_qs(request.body.read().decode("utf-8", errors="replace"))
        action = form.get("Action", [""])[0]
        if action != "GetCallerIdentity":
            return _refusal(action)
        return _xml(
            200,
            f'<GetCallerIdentityResponse xmlns="{_NAMESPACE}"><GetCallerIdentityResult>'
            f"<Arn>arn:aws:iam::{ACCOUNT}:root</Arn><UserId>{ACCOUNT}</UserId>"
            f"<Account>{ACCOUNT}</Account></GetCallerIdentityResult><ResponseMetadata>"
            f"<RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
        )


def _refusal(action: str) -> Response:
    return _xml(
        400,
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>InvalidAction</Code>'
        f"<Message>{escape(action)} is not served here</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>",
    )


def _xml(status: int, text: str) -> Response:
    return Response(status, {"Content-Type": "text/xml"}, text.encode())
