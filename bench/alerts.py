"""Times the functions that take logs beside the scripts that one would write at first.

In: this checkout with its environment installed.  Out: a table on standard output: events a second
of both sides, the ratio, and the peak of memory that an invocation adds.

An invocation is a Kinesis batch of 100 records, each a payload of CloudWatch Logs.  Both sides talk
to the same HTTP server on the loopback, a process of its own, which answers after a pause such as
BigQuery's and OpenSearch's: a script that sends a request for each record waits for each.  Without
a pause only what the processor does is left.  The goal is 5 times the script.  Of the alarm there
is none: what it is compared with is a bare scan for errors, which knows no windows.

    python bench/alerts.py
    python bench/alerts.py --pause 0 --strict   # exit status 1 when a goal is missed
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import os
import re
import statistics
import subprocess
import sys
import time
import tracemalloc
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.functions.logs_alarm import handler as alarm
from runner.functions.logs_to_bigquery import handler as bigquery
from runner.functions.logs_to_opensearch import handler as opensearch

if TYPE_CHECKING:
    from collections.abc import Callable

GOAL = 5.0
RECORDS, EVENTS = 100, 50
_START_MS = 1_714_979_280_000
_SERVER = """
import http.server, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", -1
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(float(sys.argv[1]))
        said = b'{"errors":false}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@dataclass(frozen=True, slots=True)
class Case:
    """What is done by both sides."""

    name: str
    ours: Callable[[], object]
    script: Callable[[], object]
    goal: float = GOAL


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pause", type=float, default=20, help="of the server, ms (default 20)")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each side (default 5)")
    parser.add_argument("--strict", action="store_true", help="fail when a goal is missed")
    asked = parser.parse_args()
    command = [sys.executable, "-c", _SERVER, str(asked.pause / 1000)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            met = measure(f"http://127.0.0.1:{server.stdout.readline().strip()}", asked.repeat)
        finally:
            server.kill()
    return 0 if met or not asked.strict else 1


def measure(url: str, repeat: int) -> bool:
    """Time every case; tells whether each meets the goal."""
    os.environ.update(
        {
            "TABLE": "shop-1.logs.actions",
            "BIGQUERY_EMULATOR_HOST": url,
            "ENDPOINT": url,
            "WEBHOOK_URL": url,
            "THRESHOLD": "1000000",
        }
    )
    bigquery.loader()
    opensearch.indexer()
    del os.environ["TABLE"]  # the alarm counts in its process
    event = batch()
    print(f"{RECORDS} records of {EVENTS} events; {'':22}   ours/s  script/s   ratio   memory")
    met = [show(case, repeat) for case in cases(event, url)]
    return all(met)


def cases(event: dict[str, Any], url: str) -> tuple[Case, ...]:
    """Give the cases."""
    insert = f"{url}/bigquery/v2/projects/shop-1/datasets/logs/tables/actions/insertAll"
    return (
        Case(
            "logs_to_bigquery",
            lambda: quiet(bigquery.handler, event),
            lambda: by_record(event, insert, rows_of),
        ),
        Case(
            "logs_to_opensearch",
            lambda: quiet(opensearch.handler, event),
            lambda: by_record(event, f"{url}/_bulk", lines_of),
        ),
        Case("logs_alarm", lambda: quiet(alarm.handler, event), lambda: counted(event), goal=0),
    )


def show(case: Case, repeat: int) -> bool:
    """Time both sides alternately and print a line."""
    ours, script = [], []
    for _ in range(repeat):
        ours.append(seconds(case.ours))
        script.append(seconds(case.script))
    tracemalloc.start()
    case.ours()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    events = RECORDS * EVENTS
    fast, slow = events / statistics.median(ours), events / statistics.median(script)
    ratio = fast / slow
    print(f"{case.name:50} {fast:9,.0f} {slow:9,.0f} {ratio:7.1f} {peak / 1e6:6.1f} MB")
    return ratio >= case.goal


def seconds(do: Callable[[], object]) -> float:
    """Time it."""
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def quiet(handler: Callable[[dict[str, Any], object], object], event: dict[str, Any]) -> object:
    """Call a function without what it prints."""
    out, sys.stdout = sys.stdout, open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - closed below
    try:
        return handler(event, None)
    finally:
        sys.stdout.close()
        sys.stdout = out


def batch() -> dict[str, Any]:
    """Make an invocation's event: what people do in a shop, one error in a hundred."""
    return {
        "Records": [
            {"kinesis": {"sequenceNumber": str(n), "data": payload(n)}} for n in range(RECORDS)
        ]
    }


def payload(record: int) -> str:
    """Make a record's data."""
    events = []
    for n in range(EVENTS):
        level = "ERROR" if n % 100 == record % 100 else "INFO"
        said = {
            "level": level,
            "session_id": f"s{record:03}{n:03}",
            "action": "view",
            "params": {"sku": f"A{n}", "price": n * 1.5, "tags": ["new", "sale"], "ref": None},
        }
        time_ms = _START_MS + record * 1000 + n
        events.append({"id": f"{record}-{n}", "timestamp": time_ms, "message": json.dumps(said)})
    said = {"messageType": "DATA_MESSAGE", "logGroup": "/shop", "logStream": "1"}
    return base64.b64encode(
        gzip.compress(json.dumps(said | {"logEvents": events}).encode())
    ).decode()


# --- the scripts ----------------------------------------------------------------------------------


def by_record(event: dict[str, Any], url: str, body: Callable[[list[Any]], str]) -> None:
    """Send each record as it is unpacked."""
    for record in event["Records"]:
        said = json.loads(gzip.decompress(base64.b64decode(record["kinesis"]["data"])))
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, body(said["logEvents"]).encode(), headers)  # noqa: S310 - the loopback
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - likewise
            json.loads(response.read())


def rows_of(events: list[Any]) -> str:
    """Write rows."""
    rows = []
    for event in events:
        said = json.loads(event["message"])
        row = {
            "timestamp": event["timestamp"] / 1000,
            "session_id": said["session_id"],
            "action": said["action"],
            "params": json.dumps(said["params"]),
        }
        rows.append({"insertId": event["id"], "json": row})
    return json.dumps({"rows": rows})


def lines_of(events: list[Any]) -> str:
    """Write documents."""
    lines = []
    for event in events:
        lines.append(json.dumps({"index": {"_index": "logs", "_id": event["id"]}}))
        document = {"@timestamp": event["timestamp"], "message": event["message"]}
        lines.append(json.dumps(document | {"fields": json.loads(event["message"])}))
    return "\n".join(lines) + "\n"


def counted(event: dict[str, Any]) -> int:
    """Count errors, without windows."""
    found = 0
    for record in event["Records"]:
        said = json.loads(gzip.decompress(base64.b64decode(record["kinesis"]["data"])))
        for one in said["logEvents"]:
            if re.search(alarm.PATTERN, one["message"]):
                found += 1
    return found


if __name__ == "__main__":
    sys.exit(main())
