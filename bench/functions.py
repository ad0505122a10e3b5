"""Times the bundled functions beside the straightforward scripts for the same events.

In: this checkout with its environment installed.  Out: a table on standard output: events a second
of CPU, how many times faster ours are, also in the first call, the most memory of ours, and which
goals are met.

`script` is what published examples do, `by hand` what a careful colleague makes of them: see
functions_scripts.py, which tells on what they are modelled.  All write the same columns of the same
events, but only ours keep the letters of numbers, refuse what is none, and answer for it.

Each side runs in a process of its own, alternately.  Ratios are of the least CPU time of a call,
which other work on the machine disturbs least; beside it stands that of the medians.  Events come
in calls of 1 MiB, as Firehose makes them; what Lambda does around the handler is left out.

    python bench/functions.py                       # a minute or two
    python bench/functions.py --only csv --repeat 3
    python bench/functions.py --strict              # exit status 1 when a goal is missed
"""

from __future__ import annotations

import argparse
import base64
import gzip
import io
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import functions_scripts as scripts  # noqa: E402 - a file beside this one

GOAL = 5.0
MOST_MIB = 512
CALL_BYTES = 1 << 20
Event = dict[str, Any]


# --- Events ---------------------------------------------------------------------------------------


def app_event(random_: random.Random, number: int) -> Event:
    """Make what an application says of its user."""
    event: Event = {
        "event_id": f"{random_.getrandbits(128):032x}",
        "timestamp": f"2024-05-06T07:{number // 60 % 60:02}:{number % 60:02}.123Z",
        "user": {
            "id": random_.randrange(10**9),
            "name": random_.choice(["Ann", "Bob Ö.", "山田", 'C "x"']),
            "address": {
                "city": "Kyoto",
                "zip": "600-8001",
                "geo": {"lat": 35.01163, "lon": 135.76},
            },
        },
        "device": {"os": {"name": "iOS", "version": "17.1"}, "model": "iPhone15,2"},
        "action": random_.choice(["view", "click", "buy"]),
        "params": {
            "item": random_.randrange(10**6),
            "price": random_.randrange(10**5) / 100,
            "tags": ["a", "b"][: random_.randrange(3)],
        },
        "session": {"id": f"s{random_.randrange(10**6)}", "seq": number, "first": number % 7 == 0},
    }
    if random_.random() < 0.3:  # noqa: PLR2004 - a share
        event["params"]["coupon"] = f"X{number}"
    if random_.random() < 0.2:  # noqa: PLR2004
        event["user"]["referrer"] = None
    if random_.random() < 0.1:  # noqa: PLR2004
        del event["device"]["model"]
    return event


def change_event(random_: random.Random, number: int) -> Event:
    """Make a record of a DynamoDB stream."""
    item: Event = {
        "id": {"S": f"o-{number}"},
        "customer": {"S": f"c{random_.randrange(10**6)}"},
        "price": {"N": str(random_.randrange(10**6) / 100)},
        "currency": {"S": "JPY"},
        "paid": {"BOOL": random_.random() < 0.5},  # noqa: PLR2004
        "placed_at": {"S": "2024-05-06T07:30:00Z"},
        "address": {"M": {"city": {"S": "Kyoto"}, "zip": {"S": "600-8001"}}},
        "lines": {
            "L": [
                {"M": {"sku": {"S": f"sku{random_.randrange(1000)}"}, "n": {"N": "2"}}}
                for _ in range(1 + random_.randrange(3))
            ]
        },
        "tags": {"SS": ["gift", "new"]},
        "note": {"S": random_.choice(["", "ring twice", 'say "hi", please'])},
    }
    if random_.random() < 0.3:  # noqa: PLR2004
        item["coupon"] = {"NULL": True}
    return {
        "awsRegion": "eu-west-1",
        "eventID": f"{random_.getrandbits(128):032x}",
        "eventName": random_.choice(["INSERT", "MODIFY", "MODIFY", "REMOVE"]),
        "userIdentity": None,
        "recordFormat": "application/json",
        "tableName": "orders",
        "dynamodb": {
            "ApproximateCreationDateTime": 1714980600000000 + number,
            "Keys": {"id": {"S": f"o-{number}"}},
            "NewImage": item,
            "SequenceNumber": str(10**21 + number),
            "SizeBytes": 300,
        },
        "eventSource": "aws:dynamodb",
    }


def firehose_calls(make: Callable[[random.Random, int], Event], count: int) -> Iterator[Event]:
    """Cut events into calls of a transformation."""
    random_ = random.Random(1)  # noqa: S311 - the same events each time
    records: list[Event] = []
    size = 0
    for number in range(count):
        text = json.dumps(make(random_, number), separators=(",", ":"), ensure_ascii=False)
        data = text.encode() + b"\n"
        record_id = f"{number:056d}"
        records.append({"recordId": record_id, "data": base64.b64encode(data).decode()})
        size += len(data)
        if size >= CALL_BYTES:
            yield {"records": records}
            records, size = [], 0


def stream_calls(count: int) -> Iterator[Event]:
    """Cut records of a DynamoDB stream into batches of 1,000, as Lambda hands them over."""
    random_ = random.Random(1)  # noqa: S311 - the same events each time
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2024"
    for at in range(0, count, 1000):
        records = [
            {**change_event(random_, at + number), "eventSourceARN": arn} for number in range(1000)
        ]
        for record in records:
            record["dynamodb"]["ApproximateCreationDateTime"] //= 10**6
        yield {"Records": records}


def object_calls(count: int) -> Iterator[Event]:
    """Name the objects of `Bucket`, one for 1 MiB of lines."""
    for number, _ in enumerate(firehose_calls(app_event, count)):
        place = {"bucket": {"name": "raw"}, "object": {"key": f"in/{number}.gz"}}
        yield {"Records": [{"eventName": "ObjectCreated:Put", "s3": place}]}


class Bucket:
    """S3 in memory: objects of gzip, nothing else in it; what is put is forgotten."""

    def __init__(self, count: int = 0) -> None:
        """Make objects of so many events."""
        self.objects: dict[str, bytes] = {}
        for number, call in enumerate(firehose_calls(app_event, count) if count else ()):
            lines = b"".join(base64.b64decode(record["data"]) for record in call["records"])
            self.objects[f"in/{number}.gz"] = gzip.compress(lines)

    def get_object(self, *, Bucket: str, Key: str) -> Event:  # noqa: N803, ARG002 - AWS's names
        """Give an object."""
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        """Take an object."""

    def list_objects_v2(self, **_: str) -> Event:
        """Find nothing."""
        return {}


# --- Ours -----------------------------------------------------------------------------------------


def ours(name: str, bucket: Bucket) -> Callable[[Event], object]:
    """Give our function for events of a kind."""
    again: Any = None  # everything fits
    if name == "firehose_flatten":
        from runner.functions.firehose_flatten import handler as flatten  # noqa: PLC0415

        settings = flatten.settings_of({})
        return lambda event: flatten.answer(event, settings, again)
    if name == "dynamodb_to_csv":
        from runner.functions.dynamodb_to_csv import handler as to_csv  # noqa: PLC0415

        rows = to_csv.rows_of({"COLUMNS": scripts.COLUMNS})
        return lambda event: to_csv.answer(event, rows, again)
    if name == "dynamodb_to_lake":
        from runner.functions.dynamodb_to_lake import handler as to_lake  # noqa: PLC0415

        lake = to_lake.settings_of({"TO": "s3://lake/x/"})
        return lambda event: to_lake.answer(event, lake, bucket)
    from runner.functions.s3_flatten import handler as s3_flatten  # noqa: PLC0415

    flat = s3_flatten.settings_of({"TO": "s3://raw/flat/", "FROM": "in/"})
    return lambda event: s3_flatten.answer(event, flat, bucket)


def handler_of(name: str, side: str, bucket: Bucket) -> Callable[[Event], object]:
    """Give a side's function for events of a kind."""
    if side == "ours":
        return ours(name, bucket)
    by_hand = side == "hand"
    if not by_hand:
        scripts.deserializer()  # imports boto3, which is no part of a call
    if name == "firehose_flatten":
        return (
            partial(scripts.answered, write=scripts.flat_line)
            if by_hand
            else scripts.flatten_script
        )
    if name == "dynamodb_to_csv":
        return partial(scripts.answered, write=scripts.csv_line) if by_hand else scripts.csv_script
    if name == "dynamodb_to_lake":
        return partial(scripts.lake_by_hand if by_hand else scripts.lake_script, bucket=bucket)
    return partial(scripts.s3_by_hand if by_hand else scripts.s3_script, bucket=bucket)


CALLS: dict[str, Callable[[int], Iterable[Event]]] = {
    "firehose_flatten": partial(firehose_calls, app_event),
    "dynamodb_to_csv": partial(firehose_calls, change_event),
    "dynamodb_to_lake": stream_calls,
    "s3_flatten": object_calls,
}


# --- Measuring ------------------------------------------------------------------------------------


def child(name: str, side: str, count: int) -> None:
    """Run one side in this process; prints what it took."""
    bucket = Bucket(count if name == "s3_flatten" else 0)
    handler = handler_of(name, side, bucket)
    taken = []
    for call in CALLS[name](count):
        started = time.process_time()
        handler(call)
        taken.append(time.process_time() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([min(taken[1:]), statistics.median(taken[1:]), taken[0], peak / 1024]))


def measured(name: str, side: str, count: int) -> list[float]:
    """Run one side in a process of its own."""
    command = [sys.executable, __file__, "--child", name, "--side", side, "--events", str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    numbers: list[float] = json.loads(done.stdout)
    return numbers


def show(name: str, count: int, repeat: int) -> bool:
    """Measure one function; prints its line and tells whether the goals are met."""
    runs: dict[str, list[list[float]]] = {"script": [], "hand": [], "ours": []}
    for _ in range(repeat):
        for side, found in runs.items():
            found.append(measured(name, side, count))
    least = {side: min(each[0] for each in found) for side, found in runs.items()}
    middle, first, mib = (
        {side: statistics.median(each[at] for each in found) for side, found in runs.items()}
        for at in (1, 2, 3)
    )
    per_call = count / sum(1 for _ in CALLS[name](count))
    ratio = least["script"] / least["ours"]
    met = ratio >= GOAL and mib["ours"] <= MOST_MIB
    shown = [f"{per_call / least[side]:8,.0f}" for side in least]
    print(
        f"{name:18} {' '.join(shown)} {ratio:8.2f} {middle['script'] / middle['ours']:7.2f} "
        f"{first['script'] / first['ours']:6.2f} {least['hand'] / least['ours']:7.2f} "
        f"{mib['ours']:5.0f}   >= {GOAL:g} x script, <= {MOST_MIB} MiB  "
        f"{'met' if met else 'MISSED'}",
        flush=True,
    )
    return met


def main() -> int:
    """Measure the chosen functions and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=5, help="runs of each side (default 5)")
    parser.add_argument("--events", type=int, default=40_000, help="events of a run")
    parser.add_argument("--only", default="", help="functions whose name contains this")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a goal is missed")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    parser.add_argument("--side", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.side, options.events)
        return 0
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}; "
        f"{options.repeat} runs; events a second of CPU, MiB of the process\n"
    )
    print(
        f"{'what':18} {'script':>8} {'by hand':>8} {'ours':>8} {'x script':>8} {'median':>7} "
        f"{'first':>6} {'x hand':>7} {'MiB':>5}   goal"
    )
    met = [show(name, options.events, options.repeat) for name in CALLS if options.only in name]
    return 1 if options.strict and not all(met) else 0


if __name__ == "__main__":
    raise SystemExit(main())
