"""What bench/functions.py measures the bundled functions beside.

The scripts do what published examples do for these tasks, one record after the other:

- flattening: json.loads, the well-known `flatten_json` with its inner function that calls itself
  with a longer name, json.dumps; base64 around it as AWS's transformation blueprints have it;
- DynamoDB's records: boto3's TypeDeserializer for each attribute of the image, then csv.DictWriter
  into an io.StringIO, or json.dumps with an encoder that makes floats of Decimals;
- S3: gzip.compress as it comes, an object for each day.

They print nothing, put batches, and make the deserializer once, all of which many examples do not.
`by hand` is what a careful colleague makes of them without new ideas: no boto3, short recursions,
compact JSON, gzip's level as ours.
"""

from __future__ import annotations

import base64
import binascii
import csv
import gzip
import io
import json
import time
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

Event = dict[str, Any]
COLUMNS = "id,customer,price,currency,paid,placed_at,address.city,address.zip,note,@event,@time"


class Bucket(Protocol):
    """S3."""

    def get_object(self, *, Bucket: str, Key: str) -> Event:  # noqa: N803 - AWS's names
        """Give an object."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        """Take an object."""


# --- The straightforward scripts ------------------------------------------------------------------


def flatten_json(nested: Event) -> Event:
    """Flatten an object."""
    out: Event = {}

    def flatten(value: Any, name: str = "") -> None:  # noqa: ANN401 - any JSON
        if isinstance(value, dict):
            for key in value:
                flatten(value[key], name + key + "_")
        elif isinstance(value, list):
            out[name[:-1]] = json.dumps(value)
        else:
            out[name[:-1]] = value

    flatten(nested)
    return out


@cache
def deserializer() -> Any:  # noqa: ANN401 - boto3's
    """Give boto3's decoder of attributes."""
    from boto3.dynamodb.types import TypeDeserializer  # noqa: PLC0415 - of this side only

    return TypeDeserializer()


class DecimalEncoder(json.JSONEncoder):
    """Writes what TypeDeserializer gives."""

    def default(self, o: object) -> object:
        """Write Decimals and sets."""
        if isinstance(o, Decimal):
            return float(o)
        return list(o) if isinstance(o, set) else super().default(o)


def flatten_script(event: Event) -> Event:
    """Flatten records one by one."""
    output = []
    for record in event["records"]:
        payload = json.loads(base64.b64decode(record["data"]).decode("utf-8"))
        line = json.dumps(flatten_json(payload)) + "\n"
        data = base64.b64encode(line.encode("utf-8")).decode("utf-8")
        output.append({"recordId": record["recordId"], "result": "Ok", "data": data})
    return {"records": output}


NAMES = COLUMNS.replace("address.", "address_").replace("@", "").split(",")


def csv_script(event: Event) -> Event:
    """Write records as CSV one by one."""
    deserialize = deserializer().deserialize
    output = []
    for record in event["records"]:
        payload = json.loads(base64.b64decode(record["data"]).decode("utf-8"))
        image = payload["dynamodb"]["NewImage"]
        item = {key: deserialize(value) for key, value in image.items()}
        item["address_city"], item["address_zip"] = item["address"]["city"], item["address"]["zip"]
        item["event"] = payload["eventName"]
        item["time"] = payload["dynamodb"]["ApproximateCreationDateTime"]
        text = io.StringIO()
        csv.DictWriter(text, fieldnames=NAMES, extrasaction="ignore").writerow(item)
        data = base64.b64encode(text.getvalue().encode("utf-8")).decode("utf-8")
        output.append({"recordId": record["recordId"], "result": "Ok", "data": data})
    return {"records": output}


def lake_script(event: Event, bucket: Bucket) -> None:
    """Write a batch as lines, an object for each day."""
    deserialize = deserializer().deserialize
    days: dict[str, list[str]] = {}
    for record in event["Records"]:
        change = record["dynamodb"]
        when = time.gmtime(change["ApproximateCreationDateTime"])
        line = {
            "event": record["eventName"],
            "sequence": change["SequenceNumber"],
            "time": time.strftime("%Y-%m-%d %H:%M:%S", when),
            "table": "orders",
            "keys": {key: deserialize(value) for key, value in change["Keys"].items()},
            "new": {key: deserialize(value) for key, value in change["NewImage"].items()},
            "old": None,
        }
        text = json.dumps(line, cls=DecimalEncoder)
        days.setdefault(time.strftime("%Y-%m-%d", when), []).append(text)
    for day, lines in days.items():
        body = gzip.compress("\n".join(lines).encode("utf-8"))
        bucket.put_object(Bucket="lake", Key=f"dt={day}/x.gz", Body=body)


def s3_script(event: Event, bucket: Bucket) -> None:
    """Flatten objects line by line."""
    for record in event["Records"]:
        key = record["s3"]["object"]["key"]
        text = gzip.decompress(bucket.get_object(Bucket="raw", Key=key)["Body"].read())
        lines = [json.dumps(flatten_json(json.loads(line))) for line in text.decode().splitlines()]
        body = gzip.compress("\n".join(lines).encode("utf-8"))
        bucket.put_object(Bucket="raw", Key=f"flat/{key}", Body=body)


# --- By hand --------------------------------------------------------------------------------------

LEVEL = 4
"""Of gzip, as ours have it."""
compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def flat_of(value: Event, prefix: str, found: Event) -> Event:
    """Flatten an object into another."""
    for key, inner in value.items():
        if type(inner) is dict:
            flat_of(inner, f"{prefix}{key}_", found)
        elif type(inner) is list:
            found[prefix + key] = compact(inner)
        else:
            found[prefix + key] = inner
    return found


def plain_of(attribute: Event) -> Any:  # noqa: ANN401 - any JSON
    """Decode a typed attribute by recursion."""
    ((kind, value),) = attribute.items()
    if kind == "M":
        return {key: plain_of(inner) for key, inner in value.items()}
    if kind == "L":
        return [plain_of(inner) for inner in value]
    if kind == "N":
        return float(value)
    return None if kind == "NULL" else value


def answered(event: Event, write: Callable[[Event], str]) -> Event:
    """Answer each record with a line."""
    output = []
    for record in event["records"]:
        line = write(json.loads(binascii.a2b_base64(record["data"])))
        data = binascii.b2a_base64(line.encode(), newline=False).decode("ascii")
        output.append({"recordId": record["recordId"], "result": "Ok", "data": data})
    return {"records": output}


def flat_line(payload: Event) -> str:
    """Write a flat line."""
    return compact(flat_of(payload, "", {})) + "\n"


def csv_line(payload: Event) -> str:
    """Write a row: only the columns are decoded."""
    change = payload["dynamodb"]
    image = change["NewImage"]
    address = image["address"]["M"]
    fields = [plain_of(image[name]) for name in NAMES if name in image]
    fields[6:6] = plain_of(address["city"]), plain_of(address["zip"])
    text = io.StringIO()
    csv.writer(text).writerow(
        [*fields, payload["eventName"], change["ApproximateCreationDateTime"]]
    )
    return text.getvalue()


def lake_by_hand(event: Event, bucket: Bucket) -> None:
    """Write a batch as lines, an object for each day."""
    days: dict[str, list[str]] = {}
    for record in event["Records"]:
        change = record["dynamodb"]
        shown = time.strftime(
            "%Y-%m-%d %H:%M:%S", time.gmtime(change["ApproximateCreationDateTime"])
        )
        line = {
            "event": record["eventName"],
            "sequence": change["SequenceNumber"],
            "time": shown,
            "table": "orders",
            "keys": {key: plain_of(value) for key, value in change["Keys"].items()},
            "new": {key: plain_of(value) for key, value in change["NewImage"].items()},
            "old": None,
        }
        days.setdefault(shown[:10], []).append(compact(line))
    for day, lines in days.items():
        body = gzip.compress("\n".join(lines).encode(), LEVEL)
        bucket.put_object(Bucket="lake", Key=f"dt={day}/x.gz", Body=body)


def s3_by_hand(event: Event, bucket: Bucket) -> None:
    """Flatten objects line by line."""
    for record in event["Records"]:
        key = record["s3"]["object"]["key"]
        text = gzip.decompress(bucket.get_object(Bucket="raw", Key=key)["Body"].read())
        lines = "".join([flat_line(json.loads(line)) for line in text.splitlines()])
        bucket.put_object(Bucket="raw", Key=key, Body=gzip.compress(lines.encode(), LEVEL))
