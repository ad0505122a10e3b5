"""STS: who the caller is, and credentials for roles; clients ask before they come to Athena.

In: requests of AWS's query protocol (a form).  Out: XML.  Nobody is checked here: every caller is
the same account, and every role is given.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from runner.local.wire.query_protocol import answered, read_form, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.wire.messages import Request, Response

ACCOUNT = "000000000000"
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_ROLE = re.compile(r"arn:[^:]+:iam::(\d{12}):role/(?:.*/)?([^/]+)")
_HOUR = 3600


class Sts:
    """Answers GetCallerIdentity, AssumeRole and GetSessionToken; other actions are refused."""

    def __init__(self, now: Callable[[], datetime] = partial(datetime.now, UTC)) -> None:  # noqa: B008 - a function is made, not an instant
        """Take the clock, for when credentials expire."""
        self._now = now

    def answer(self, request: Request) -> Response:
        """Do the action of the form."""
        form = read_form(request)
        match form.get("Action", ""):
            case "GetCallerIdentity":
                return answered(_NAMESPACE, "GetCallerIdentity", _identity())
            case "GetSessionToken":
                return answered(_NAMESPACE, "GetSessionToken", self._credentials(form))
            case "AssumeRole":
                return self._assume(form)
            case action:
                return refused(_NAMESPACE, "InvalidAction", f"{action} is not served here")

    def _assume(self, form: dict[str, str]) -> Response:
        arn, session = form.get("RoleArn", ""), form.get("RoleSessionName", "")
        match = _ROLE.fullmatch(arn)
        if match is None or not session:
            return refused(_NAMESPACE, "ValidationError", f"{arn or 'nothing'} is invalid")
        account, role = match.groups()
        user = (
            f"<AssumedRoleUser><AssumedRoleId>AROALOCAL:{escape(session)}</AssumedRoleId>"
            f"<Arn>arn:aws:sts::{account}:assumed-role/{escape(role)}/{escape(session)}</Arn>"
            "</AssumedRoleUser>"
        )
        return answered(_NAMESPACE, "AssumeRole", self._credentials(form) + user)

    def _credentials(self, form: dict[str, str]) -> str:
        seconds = form.get("DurationSeconds", "")
        lasts = timedelta(seconds=int(seconds) if seconds.isdigit() else _HOUR)
        expires = (self._now() + lasts).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (
            "<Credentials><AccessKeyId>ASIALOCAL00000000000</AccessKeyId><SecretAccessKey>local"
            "</SecretAccessKey><SessionToken>local</SessionToken>"
            f"<Expiration>{expires}</Expiration></Credentials>"
        )


def _identity() -> str:
    return (
        f"<Arn>arn:aws:iam::{ACCOUNT}:root</Arn><UserId>{ACCOUNT}</UserId>"
        f"<Account>{ACCOUNT}</Account>"
    )
