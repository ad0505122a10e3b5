"""S3 as a dictionary of texts: what readers see and writers fill where there is no other S3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.s3_calls import GET, LIST, PUT, RESOURCES
from runner.machine.shaping import size_of
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.model.ports import Json

_MOST_KEYS = 1_000
_KINDS = {"Bucket": str, "Key": str, "Prefix": str, "StartAfter": str, "MaxKeys": int}


class S3Objects:
    """Objects by `bucket/key`; a bucket that neither holds one nor is named does not exist."""

    RESOURCES = RESOURCES

    def __init__(self, objects: Mapping[str, str], buckets: tuple[str, ...] = ()) -> None:
        """Take texts by `bucket/key`."""
        self.objects = dict(objects)
        self._buckets = {*buckets, *(name.partition("/")[0] for name in objects)}

    def call(self, resource: str, arguments: Mapping[str, Json]) -> Json:
        """Answer one call; raises ServiceError as S3 refuses it."""
        for name, kind in _KINDS.items():
            if not isinstance(arguments.get(name, kind()), kind):
                raise _refusal("InvalidArgument", f"{name} is of another type", 400)
        bucket = arguments.get("Bucket")
        if bucket not in self._buckets:
            raise _refusal("NoSuchBucket", "The specified bucket does not exist", 404)
        if resource.endswith(LIST):
            return self._list(bucket, arguments)
        name = f"{bucket}/{arguments.get('Key')}"
        if resource.endswith(PUT):
            self.objects[name] = arguments["Body"]
            return {}
        assert resource.endswith(GET)  # noqa: S101  (RESOURCES names no other)
        if "InputType" in arguments:
            told = f"{arguments['InputType']} is no text: these objects hold texts only"
            raise _refusal("InvalidRequest", told, 400)
        if name not in self.objects:
            raise _refusal("NoSuchKey", "The specified key does not exist.", 404)
        return {"Body": self.objects[name]}

    def _list(self, bucket: str, arguments: Mapping[str, Json]) -> Json:
        after = arguments.get("ContinuationToken") or arguments.get("StartAfter") or ""
        prefix = arguments.get("Prefix") or ""
        keys = sorted(
            key
            for name in self.objects
            for of, _, key in (name.partition("/"),)
            if of == bucket and key.startswith(prefix) and key > after
        )
        most = min(int(arguments.get("MaxKeys") or _MOST_KEYS), _MOST_KEYS)
        page: dict[str, Json] = {"Contents": [self._told(bucket, key) for key in keys[:most]]}
        return page | ({"NextContinuationToken": keys[most - 1]} if len(keys) > most else {})

    def _told(self, bucket: str, key: str) -> Json:
        return {
            "Etag": "",
            "LastModified": 0,
            "Key": key,
            "Size": size_of(self.objects[f"{bucket}/{key}"]),
            "StorageClass": "STANDARD",
        }


def _refusal(code: str, message: str, status: int) -> ServiceError:
    told = f"{message} (Service: S3, Status Code: {status})"
    return ServiceError(f"S3.{code}Exception", told)
