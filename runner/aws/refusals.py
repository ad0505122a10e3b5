"""Refusals of AWS in plain words: what was wanted, what AWS said, what to do.

In: an exception of botocore.  Out: `CloudRefused` with one fault.  Translated once, here; what only
a mistake of ours can cause stays what it is.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner.aws.refusal_kinds import DENIED, STRANGER, Kind, kind_of_code, kind_of_exception
from runner.errors import CloudRefused, Fault, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.exceptions import ClientError

_WHO = re.compile(r"User:\s+(\S+)\s+is\s+not\s+authorized\s+to\s+perform:?\s+([\w-]+:\w+)")
_ON = re.compile(r"on\s+resource:\s+(\S+?)[.,]?(?:\s|$)")
_POLICIES = (
    (r"service control policy", "who manages the organization must allow it there"),
    (r"resource control policy", "who manages the organization must allow it there"),
    (r"permissions boundary", "the permissions boundary of this user or role must allow it"),
    (r"session policy", "the session policy, given when the role was assumed, must allow it"),
    (r"VPC endpoint policy", "the policy of the VPC endpoint on the way there must allow it"),
    (r"resource-based policy", "the policy of the resource itself must allow it"),
    (r"identity-based policy", "a policy of this user or role must allow it"),
)
"""What AWS's message says of the policy at fault; it names one."""
_S3_ACTIONS = {
    "HeadObject": "s3:GetObject (and s3:ListBucket, to be told what is absent)",
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "CopyObject": "s3:GetObject and s3:PutObject",
}
_LONGEST = 300
"""Characters shown of an answer that is none of AWS's."""
_OBJECT_OPERATION = re.compile(r"(Get|Put|Head|Copy|Delete|List)(Object|Bucket)")


@contextmanager
def refusals(doing: str, *, place: Place | None = None) -> Iterator[None]:
    """Raise CloudRefused for what botocore raises inside; `doing` is like "read the stack x"."""
    from botocore import exceptions as boto  # noqa: PLC0415 - only what talks to AWS needs it
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - likewise

    try:
        yield
    except boto.ClientError as error:
        raise CloudRefused([_answered(doing, place, error)]) from error
    except boto.BotoCoreError as error:
        kind = kind_of_exception(one.__name__ for one in type(error).__mro__)
        if kind is None:
            raise
        raise CloudRefused([_fault(doing, place, kind, str(error))]) from error
    except ResponseParserError as error:
        raise CloudRefused([_fault(doing, place, STRANGER, _short(str(error)))]) from error


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def code_of(error: ClientError) -> str:
    """Give the code that a service answered with."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """Give the words that a service answered with."""
    return str(error.response.get("Error", {}).get("Message", ""))


def _answered(doing: str, place: Place | None, error: ClientError) -> Fault:
    code, message = code_of(error), message_of(error)
    kind = kind_of_code(code)
    if kind is DENIED:
        return _denied(doing, place, message, error.operation_name)
    bucket = str(error.response.get("Error", {}).get("BucketName", ""))
    return _fault(doing, place, kind, ": ".join(one for one in (code, message, bucket) if one))


def _denied(doing: str, place: Place | None, message: str, operation: str) -> Fault:
    """Name who may not do what on which resource, and the policy that would have to allow it."""
    who, on = _WHO.search(message), _ON.search(message)
    action = who[2] if who else _action(operation)
    found = f"{who[1] if who else 'these credentials'} may not do {action}"
    found += f" on {on[1]}" if on else ""
    found += "" if who else f" (AWS says: {message or 'nothing more'})"
    holders = [advice for words, advice in _POLICIES if words in message]
    advice = holders[0] if holders else DENIED.advice
    if "explicit deny" in message:
        advice += "; a statement denies it expressly, which no other can allow"
    return Fault(place or Place("AWS"), DENIED.fault, found, f"to {doing}", advice)


def _action(operation: str) -> str:
    """Name the permission that an operation needs, as far as its name tells.

    >>> _action("PutObject"), _action("CreateChangeSet")
    ('s3:PutObject', 'CreateChangeSet')
    """
    if operation in _S3_ACTIONS:
        return _S3_ACTIONS[operation]
    return f"s3:{operation}" if _OBJECT_OPERATION.match(operation) else operation


def _fault(doing: str, place: Place | None, kind: Kind, said: str) -> Fault:
    return Fault(
        place or Place("AWS"),
        kind.fault,
        f"{kind.words} ({said})" if said else kind.words,
        f"to {doing}",
        kind.advice,
    )
