"""Refusals of S3 on the wire: a code has a status and a message; the rest are members.

In: a code and members of the error document.  Out: `Refused`, and the response that it becomes.
"""

from __future__ import annotations

import secrets

from runner.local.wire.messages import Response
from runner.local.wire.s3_xml import write_xml

_NO_UPLOAD = (
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have "
    "been aborted or completed."
)
_NO_PART = (
    "One or more of the specified parts could not be found.  The part may not have been uploaded, "
    "or the specified entity tag may not match the part's entity tag."
)
_BAD_XML = (
    "The XML you provided was not well-formed or did not validate against our published schema"
)
_REFUSALS: dict[str, tuple[int, str]] = {
    "AccessDenied": (403, "Access Denied"),
    "AccessControlListNotSupported": (400, "The bucket does not allow ACLs"),
    "AccessForbidden": (403, "CORSResponse: CORS is not enabled for this bucket."),
    "AuthorizationQueryParametersError": (400, "Query-string authentication is not complete."),
    "BadDigest": (400, "The Content-MD5 you specified did not match what we received."),
    "BucketAlreadyOwnedByYou": (
        409,
        "Your previous request to create the named bucket succeeded and you already own it.",
    ),
    "BucketNotEmpty": (409, "The bucket you tried to delete is not empty"),
    "EntityTooLarge": (400, "Your proposed upload exceeds the maximum allowed size"),
    "EntityTooSmall": (
        400,
        "Your proposed upload is smaller than the minimum allowed size",
    ),
    "IncompleteBody": (
        400,
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    ),
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "InvalidArgument": (400, "Invalid Argument"),
    "InvalidBucketName": (400, "The specified bucket is not valid."),
    "InvalidDigest": (400, "The Content-MD5 you specified was invalid."),
    "InvalidPart": (400, _NO_PART),
    "InvalidPartOrder": (
        400,
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
    ),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "InvalidRequest": (400, "Invalid Request"),
    "InvalidTag": (400, "The tag provided was not a valid tag."),
    "InvalidURI": (400, "Couldn't parse the specified URI."),
    "KeyTooLongError": (400, "Your key is too long"),
    "MalformedXML": (400, _BAD_XML),
    "MaxMessageLengthExceeded": (400, "Your request was too big."),
    "MetadataTooLarge": (
        400,
        "Your metadata headers exceed the maximum allowed metadata size",
    ),
    "MethodNotAllowed": (
        405,
        "The specified method is not allowed against this resource.",
    ),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "NoSuchBucket": (404, "The specified bucket does not exist"),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchUpload": (404, _NO_UPLOAD),
    "NoSuchVersion": (404, "The specified version does not exist."),
    "NotImplemented": (
        501,
        "A header you provided implies functionality that is not implemented",
    ),
    "NotModified": (304, "Not Modified"),
    "PreconditionFailed": (
        412,
        "At least one of the pre-conditions you specified did not hold",
    ),
    "XAmzContentSHA256Mismatch": (
        400,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
}


class Refused(Exception):
    """A request that S3 refuses."""

    def __init__(self, code: str, message: str = "", /, **members: str) -> None:
        """Take the code, words of its own if the common ones do not do, and members."""
        self.code = code
        self.status, common = _REFUSALS[code]
        self.message = message or common
        self.members = members
        super().__init__(f"{code}: {self.message}")


def refuse_unknown(code: str, message: str, status: int) -> Refused:
    """Make a refusal of a code that stands in no table here, e.g. of a missing configuration."""
    refused = Refused("InternalError", message)
    refused.code, refused.status = code, status
    return refused


def respond(refused: Refused, *, bucket: str, key: str) -> Response:
    """Give the error document; a HEAD's is not sent, and 304 has none."""
    request = secrets.token_hex(8).upper()
    headers = {"x-amz-request-id": request, "Content-Type": "application/xml"}
    if refused.status == 304:  # noqa: PLR2004 - Not Modified
        return Response(304, {"x-amz-request-id": request, **refused.members})
    about: dict[str, str] = {"BucketName": bucket} if bucket else {}
    if key:
        about["Key"] = key
    document = {
        "Code": refused.code,
        "Message": refused.message,
        **about,
        **refused.members,
        "RequestId": request,
        "HostId": "local",
    }
    return Response(refused.status, headers, write_xml("Error", document, namespace=""))
