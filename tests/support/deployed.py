"""Services for the executions of an account on the loopback: what is deployed there is called.

Functions are their deployed zip files, run in this process: the keeper too, with the environment
that the stack gave it.  The lake is moto's S3, the catalogue moto's Glue, messages go through
moto's SNS.  Athena alone is scripted, as in `Scripted`: moto runs no statement.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
import zipfile
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.exceptions import ClientError
from moto.awslambda.models import lambda_backends

from runner.local.s3 import S3Error
from runner.model.ports import Json, ServiceError
from tests.support.aws import ACCOUNT, REGION
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

    import pytest

    from runner.local.s3 import FolderS3

_READ_ONLY = ("DatabaseName", "CreateTime", "UpdateTime", "VersionId", "CatalogId")


class Account(Scripted):
    """All services of an account's executions; `patch` leads functions to their environment."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        super().__init__(root)
        self._clients = {name: boto3.client(name, REGION) for name in ("s3", "glue", "sns", "ecs")}
        self.s3 = cast("FolderS3", _Bucket(self._clients["s3"]))
        self.tables = _Catalogue(self._clients["glue"])  # type: ignore[assignment]  # of a dict all that Scripted needs
        self._patch = patch
        # Lambda tells boto3 the Region; here boto3 is told by its default session.
        patch.setattr(boto3, "DEFAULT_SESSION", _Warm(region_name=REGION))
        self._unpacked: dict[str, Callable[[Json, object], Json]] = {}

    def _lambda(self, action: str, arguments: Json) -> Json:
        assert action == "invoke"
        function = lambda_backends[ACCOUNT][REGION].get_function(arguments["FunctionName"])
        for name, value in function.environment_vars.items():
            self._patch.setenv(name, value)
        call = self._unpack(str(function.code_sha_256), function.code_bytes, str(function.handler))
        try:
            answer = call(arguments["Payload"], _Context())
        except Exception as error:
            said = {"errorMessage": str(error), "errorType": type(error).__name__}
            raise ServiceError(type(error).__name__, json.dumps(said)) from error
        return {"ExecutedVersion": "$LATEST", "Payload": answer, "StatusCode": 200}

    def _unpack(self, digest: str, body: bytes, handler: str) -> Callable[[Json, object], Json]:
        """Import a handler from a zip file of its own."""
        if digest in self._unpacked:
            return self._unpacked[digest]
        folder = self.root / "functions" / str(len(self._unpacked))
        with zipfile.ZipFile(io.BytesIO(body)) as zipped:
            zipped.extractall(folder)
        module, _, name = handler.rpartition(".")
        found: Callable[[Json, object], Json] = getattr(_imported(folder, module), name)
        self._unpacked[digest] = found
        return found

    def _sns(self, action: str, arguments: Json) -> Json:
        assert action == "publish"
        answer = self._clients["sns"].publish(**arguments)
        return {"MessageId": answer["MessageId"]}

    def _ecs(self, action: str, arguments: Json) -> Json:
        """Check that the task's definition and cluster exist, and read what the task would."""
        assert action == "runTask.sync"
        named = arguments["TaskDefinition"]
        found = self._clients["ecs"].describe_task_definition(taskDefinition=named)
        containers = {one["name"] for one in found["taskDefinition"]["containerDefinitions"]}
        (container,) = arguments["Overrides"]["ContainerOverrides"]
        assert container["Name"] in containers
        environment = {one["Name"]: one["Value"] for one in container["Environment"]}
        manifest = json.loads(self._read(environment["RUNNER_LOAD_MANIFEST"]))
        for file in manifest["files"]:
            assert self._read(file["uri"])
        self.loaded.append((manifest["load_key"]["mart_table"], manifest["rows"]))
        return {"Containers": [{"ExitCode": 0}], "StopCode": "EssentialContainerExited"}

    def _read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self._clients["s3"].get_object(Bucket=bucket, Key=key)["Body"].read()
        return body


def _imported(folder: Path, name: str) -> ModuleType:
    """Import a module from a folder, and forget its name: the next function has it too."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
        top = name.partition(".")[0]
        for one in [one for one in sys.modules if f"{one}.".startswith(f"{top}.")]:
            del sys.modules[one]


class _Warm(boto3.Session):
    """Makes each client once: to make one takes longer than to use it."""

    def __init__(self, region_name: str) -> None:
        super().__init__(region_name=region_name)
        self._made: dict[str, Any] = {}

    def client(self, service_name: str, *words: Any, **named: Any) -> Any:  # noqa: ANN401
        if service_name not in self._made:
            self._made[service_name] = super().client(service_name, *words, **named)
        return self._made[service_name]


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return 900_000


class _Bucket:
    """S3 over HTTP, whose refusals are those of the folder that stands for it elsewhere."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - boto3 makes its classes at run time
        self._client = client

    def __getattr__(self, action: str) -> Callable[..., Any]:
        def call(**arguments: Json) -> Any:  # noqa: ANN401 - any answer
            try:
                return getattr(self._client, action)(**arguments)
            except ClientError as error:
                said, status = error.response["Error"], error.response["ResponseMetadata"]
                raise S3Error(
                    said["Code"],
                    said["Message"],
                    status=status["HTTPStatusCode"],
                    operation=error.operation_name,
                ) from error

        return call


class _Catalogue(MutableMapping[tuple[str, str], Json]):
    """Tables of Glue over HTTP, by database and name."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - as above
        self._client = client

    def __getitem__(self, key: tuple[str, str]) -> Json:
        try:
            found = self._client.get_table(DatabaseName=key[0], Name=key[1])["Table"]
        except self._client.exceptions.EntityNotFoundException:
            raise KeyError(key) from None
        return json.loads(json.dumps(found, default=str))

    def __setitem__(self, key: tuple[str, str], table: Json) -> None:
        given = {name: value for name, value in table.items() if name not in _READ_ONLY}
        write = self._client.update_table if key in self else self._client.create_table
        write(DatabaseName=key[0], TableInput=given)

    def __delitem__(self, key: tuple[str, str]) -> None:
        self._client.delete_table(DatabaseName=key[0], Name=key[1])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for database in self._client.get_databases()["DatabaseList"]:
            for table in self._client.get_tables(DatabaseName=database["Name"])["TableList"]:
                yield database["Name"], table["Name"]

    def __len__(self) -> int:
        return sum(1 for _ in self)
