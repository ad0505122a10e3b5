"""SNS on the wire: Publish, for functions that tell people something.

In: requests of AWS's query protocol (a form).  Out: XML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.wire.query_protocol import answered, read_form, refused
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from runner.local.wire.messages import Request, Response
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
        form = read_form(request)
        action = form.get("Action", "")
        if action != "Publish":
            return refused(_NAMESPACE, "InvalidAction", f"{action} is not served here")
        try:
            found = self._sns("publish", {name: form[name] for name in _MEMBERS if name in form})
        except ServiceError as error:
            code = error.error.removeprefix("SNS.").removesuffix("Exception")
            return refused(_NAMESPACE, code, error.cause)
        return answered(_NAMESPACE, action, f"<MessageId>{found['MessageId']}</MessageId>")
