"""`python -m runner.local.athena.conformance`: answers SQL cases, one JSON line each.

In: lines with `id`, `setup` (statements) and `sql`.  Out: lines with `id` and `columns` and
`rows`, or `error`.  Each case has a catalogue of its own; DuckDB is started once.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.local.athena import AthenaFailure, LocalAthena
from runner.local.athena.render import render_interval, zone_name
from runner.local.glue import GlueCatalog
from runner.local.s3 import FolderS3

if TYPE_CHECKING:
    from collections.abc import Mapping

_DATABASE = "db"


def main() -> None:
    """Answer standard input on standard output until it ends."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        catalog = GlueCatalog(root / "catalog.sqlite")
        s3 = FolderS3(root / "s3")
        athena = LocalAthena(
            s3,
            catalog,
            root / "athena.sqlite",
            results="s3://results/",
            decimals="decimal",  # the cases are Trino's, with its own default
        )
        for line in sys.stdin:
            case = json.loads(line)
            catalog.create_database(DatabaseInput={"Name": _DATABASE})
            sys.stdout.write(json.dumps(_answer(athena, case)) + "\n")
            sys.stdout.flush()
            catalog.delete_database(Name=_DATABASE)
        athena.close()
        catalog.close()


def _answer(athena: LocalAthena, case: Mapping[str, Any]) -> dict[str, Any]:
    for sql in case["setup"]:
        execution = athena.run_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": _DATABASE}
        )
        if execution["Status"]["State"] != "SUCCEEDED":
            return {"id": case["id"], "error": "setup: " + execution["Status"]["StateChangeReason"]}
    try:
        found = athena.query(case["sql"], _DATABASE)
    except AthenaFailure as failure:
        return {"id": case["id"], "error": failure.reason}
    return {
        "id": case["id"],
        "columns": [name for name, _ in found.columns],
        "rows": [[_plain(value) for value in row] for row in found.rows],
    }


def _plain(value: Any) -> Any:  # noqa: ANN401, C901, PLR0911 - one return a type
    match value:
        case float() if math.isnan(value):
            return "NaN"
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        case Decimal():
            return str(value)
        case datetime():
            text = value.replace(tzinfo=None).isoformat(sep=" ")
            return f"{text} {zone_name(value)}" if value.tzinfo else text
        case date() | time():
            return value.isoformat()
        case timedelta():
            return render_interval(value)
        case bytes():
            return f"0x{value.hex()}"
        case list() | tuple():
            return [_plain(each) for each in value]
        case dict() if all(isinstance(key, str) for key in value):
            return {key: _plain(each) for key, each in value.items()}
        case dict():
            pairs = [[_plain(key), _plain(each)] for key, each in value.items()]
            return {"__map__": pairs}
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


if __name__ == "__main__":
    main()
