"""RDS's snapshots and exports: an export is done when its start returns.

Its end, good or bad, is noted by its identifier; a second start of one that is noted is refused as
RDS refuses it.  One that was killed is not noted: its start, repeated, begins anew.
"""

from __future__ import annotations

import fcntl
import json
import re
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.model.nearest import listed
from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from runner.local.loader.targets import Target
    from runner.local.s3 import FolderS3

_IDENTIFIER = re.compile(r"[A-Za-z](?:-?[A-Za-z0-9])*\Z")
_MOST_IDENTIFIER = 60
_NEEDED = ("ExportTaskIdentifier", "SourceArn", "S3BucketName", "IamRoleArn", "KmsKeyId")
_ARN = re.compile(
    r"arn:[^:]+:rds:[^:]*:[^:]*:(?:cluster|(?:cluster-)?snapshot:rds):(.+?)(?:-at-\d+)?\Z"
)


@dataclass(frozen=True, slots=True)
class Rds:
    """The databases of one environment, by the names of their instances or clusters."""

    databases: Mapping[str, Target]
    s3: FolderS3
    folder: Path
    """Where exports are noted."""
    now: Callable[[], dt.datetime]

    def __call__(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Serve an action; anything else is refused by name."""
        actions = {
            "describeDBSnapshots": self._snapshots,
            "describeDBClusterSnapshots": self._cluster_snapshots,
            "startExportTask": self._start,
            "describeExportTasks": self._exports,
        }
        if action not in actions:
            raise ServiceError(
                "States.Runtime",
                f"rds:{action} is not known locally; {', '.join(actions)} are",
            )
        return actions[action](arguments)

    def _snapshots(self, arguments: Mapping[str, Json]) -> Json:
        """Give the newest automatic snapshot of an instance: the database as it is now."""
        name = str(arguments.get("DbInstanceIdentifier", ""))
        self._database(name, "Rds.DbInstanceNotFoundException")
        told = {"DbInstanceIdentifier": name, **self._snapshot("Db", "snapshot", name)}
        return {"DbSnapshots": [told]}

    def _cluster_snapshots(self, arguments: Mapping[str, Json]) -> Json:
        """Give the newest automatic snapshot of a cluster, likewise."""
        name = str(arguments.get("DbClusterIdentifier", ""))
        self._database(name, "Rds.DbClusterNotFoundException")
        told = {
            "DbClusterIdentifier": name,
            **self._snapshot("DbCluster", "cluster-snapshot", name),
        }
        return {"DbClusterSnapshots": [told]}

    def _snapshot(self, noun: str, kind: str, name: str) -> dict[str, Json]:
        at = self.now()
        snapshot = f"rds:{name}-at-{at:%Y%m%d%H%M%S}"
        return {
            f"{noun}SnapshotIdentifier": snapshot,
            "SnapshotCreateTime": at.isoformat(),
            "SnapshotType": "automated",
            "Status": "available",
            f"{noun}SnapshotArn": f"arn:aws:rds:local:000000000000:{kind}:{snapshot}",
        }

    def _database(self, name: str, error: str) -> Target:
        found = self.databases.get(name)
        if found is None:
            known = f"one of {listed(list(self.databases))}" if self.databases else "none"
            raise ServiceError(error, f"{name} not found; `rds` of the environment: {known}")
        return found

    def _start(self, arguments: Mapping[str, Json]) -> Json:
        absent = [name for name in _NEEDED if not arguments.get(name)]
        if absent:
            raise ServiceError(
                "States.Runtime",
                f"Arguments of rds:startExportTask do not fit: {', '.join(absent)} must be given",
            )
        identifier = str(arguments["ExportTaskIdentifier"])
        if _IDENTIFIER.match(identifier) is None or len(identifier) > _MOST_IDENTIFIER:
            raise ServiceError("Rds.RdsException", f"Invalid export task identifier: {identifier}")
        name = self._named(str(arguments["SourceArn"]))
        with self._alone(identifier):
            if self._noted(identifier) is not None:
                raise ServiceError(
                    "Rds.ExportTaskAlreadyExistsException",
                    f"Export task with identifier {identifier} already exists",
                )
            noted = self._export(name, identifier, arguments)
            self._note(identifier, noted)
        return {**noted, "Status": "STARTING", "PercentProgress": 0}

    def _named(self, arn: str) -> str:
        match = _ARN.match(arn)
        name = match[1] if match else arn
        self._database(name, "Rds.DbSnapshotNotFoundException")
        return name

    def _export(self, name: str, identifier: str, arguments: Mapping[str, Json]) -> dict[str, Json]:
        import duckdb  # noqa: PLC0415 - only exports need it

        from runner.local.rds.export import ExportError, Place, export  # noqa: PLC0415

        prefix = str(arguments.get("S3Prefix", "")).strip("/")
        place = Place(str(arguments["S3BucketName"]), f"{prefix}/" if prefix else "", identifier)
        told: dict[str, Json] = {
            "ExportTaskIdentifier": identifier,
            "SourceArn": arguments["SourceArn"],
            "S3Bucket": place.bucket,
            "S3Prefix": prefix,
            "TaskStartTime": self.now().isoformat(),
        }
        only = [str(one) for one in arguments.get("ExportOnly", ())]
        try:
            made = export(self.databases[name], name, only=only, place=place, s3=self.s3)
        except (ExportError, OSError, sqlite3.Error, duckdb.Error) as error:
            return {**told, "Status": "FAILED", "FailureCause": str(error)}
        except ServiceError as error:
            return {**told, "Status": "FAILED", "FailureCause": error.cause}
        if made.left_out:
            told["WarningMessage"] = f"tables left out: {'; '.join(made.left_out)}"
        return {
            **told,
            "Status": "COMPLETE",
            "PercentProgress": 100,
            "TaskEndTime": self.now().isoformat(),
        }

    def _exports(self, arguments: Mapping[str, Json]) -> Json:
        identifier = str(arguments.get("ExportTaskIdentifier", ""))
        noted = self._noted(identifier)
        if noted is None:
            raise ServiceError(
                "Rds.ExportTaskNotFoundException", f"Export task {identifier} not found"
            )
        return {"ExportTasks": [noted]}

    @contextmanager
    def _alone(self, identifier: str) -> Iterator[None]:
        """Let one process at a time work on an export; another waits for its end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{identifier}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _noted(self, identifier: str) -> dict[str, Json] | None:
        path = self.folder / f"{identifier}.json"
        if not path.is_file():
            return None
        found: dict[str, Json] = json.loads(path.read_text("utf-8"))
        return found

    def _note(self, identifier: str, noted: Mapping[str, Json]) -> None:
        written = self.folder / f"{identifier}.new"
        written.write_text(json.dumps(noted), "utf-8")
        written.replace(self.folder / f"{identifier}.json")
