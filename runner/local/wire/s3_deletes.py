"""DeleteObjects: many keys in one request.

In: a call with a document of keys.  Out: a document of what was deleted and what was not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.s3 import MOST_KEYS
from runner.local.wire.messages import Response
from runner.local.wire.s3_body import has_checksum, receive_document
from runner.local.wire.s3_errors import Refused
from runner.local.wire.s3_xml import BadXml, read_xml, write_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from runner.local.wire.s3_call import Call
    from runner.local.wire.s3_objects import Objects


def delete_objects(objects: Objects, call: Call) -> Response:
    """DeleteObjects."""
    if not has_checksum(call.headers):
        raise Refused("InvalidRequest", "Missing required header for this request: Content-MD5")
    try:
        document = read_xml(receive_document(call.request), "Delete")
    except BadXml:
        raise Refused("MalformedXML") from None
    wanted = [_object(each) for each in document.findall("Object")]
    if not 0 < len(wanted) <= MOST_KEYS:
        raise Refused("MalformedXML")
    refused = [
        {"Key": each["Key"], "VersionId": each["VersionId"], **_NO_VERSION}
        for each in wanted
        if each.get("VersionId", "null") != "null"
    ]
    good = [each for each in wanted if each.get("VersionId", "null") == "null"]
    deleted, errors = _delete(objects, call.bucket, good)
    quiet = document.findtext("Quiet", "").strip().lower() == "true"
    members = {"Deleted": [] if quiet else deleted, "Error": [*errors, *refused]}
    return Response(200, {}, write_xml("DeleteResult", members))


_NO_VERSION = {
    "Code": "NoSuchVersion",
    "Message": "The specified version does not exist.",
}


def _object(element: Element) -> dict[str, str]:
    names = ("Key", "VersionId", "ETag")
    found = {name: text for name in names if (text := element.findtext(name))}
    if "Key" not in found:
        raise Refused("MalformedXML")
    return found


def _delete(
    objects: Objects, bucket: str, wanted: list[dict[str, str]]
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    if not wanted:
        return [], []
    client = objects.client
    before = {each["Key"]: client.sole_etag(Bucket=bucket, Key=each["Key"]) for each in wanted}
    done = client.delete_objects(
        Bucket=bucket,
        Delete={
            "Objects": [{k: v for k, v in each.items() if k != "VersionId"} for each in wanted]
        },
    )
    deleted = done.get("Deleted", [])
    for each in deleted:
        objects.heads.forget(bucket, before[each["Key"]])
        objects.heads.forget_tags(bucket, each["Key"])
    return deleted, done.get("Errors", [])
