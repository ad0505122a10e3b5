"""`athena serve`: the local Athena, Glue and S3 on AWS's own protocols, for other people's tools.

In: what to serve and where, and an event that ends it.  Out: nothing; `ready` hears the endpoint.
"""

from __future__ import annotations

import ipaddress
import threading
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.errors import Fault, Place, UsageError
from runner.local.glue import GlueCatalog, GlueError
from runner.local.s3 import FolderS3
from runner.local.wire.endpoint import open_wire
from runner.local.wire.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.local.athena import LocalAthena
    from runner.local.wire.server import WireServer

REGION = "us-east-1"
_RESULTS = "s3://athena-results/"
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Serving:
    """What to serve, and where."""

    host: str
    port: int
    """0 for a free one."""
    data: Path
    """Folder of buckets, catalogue and history where no project is served."""
    root: Path | None = None
    """The project whose local environment is served."""
    environment: str = "local"
    variables: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint that answers."""

    url: str
    folder: Path
    """Where catalogue and history are."""
    results: str
    """Where the work group `primary` leaves results."""

    def variables(self) -> dict[str, str]:
        """Give the environment that leads AWS's clients here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
        }


@dataclass(frozen=True, slots=True)
class _Parts:
    """The services that are put on the wire."""

    s3: FolderS3
    catalog: GlueCatalog
    athena: LocalAthena
    folder: Path
    results: str


def serve(serving: Serving, *, ready: Callable[[Endpoint], None], stop: threading.Event) -> None:
    """Serve until `stop` is set; running queries are then cancelled."""
    _check_host(serving.host)
    with ExitStack() as stack:
        parts = _open(serving, stack)
        registry = stack.enter_context(closing(Registry(parts.folder / "athena.registry.sqlite")))
        stack.callback(parts.athena.close)
        stack.callback(parts.athena.stop_all)
        server = stack.enter_context(_bind(serving, parts, registry))
        thread = threading.Thread(target=server.serve_forever, args=(_POLL_S,), daemon=True)
        thread.start()
        stack.callback(server.shutdown)
        ready(Endpoint(server.url, parts.folder, parts.results))
        warming = threading.Thread(target=parts.athena.warm_up, daemon=True)
        warming.start()
        stop.wait()
        warming.join()


def _check_host(host: str) -> None:
    """Refuse an address that other machines reach: nobody here asks who they are."""
    with suppress(ValueError):
        if host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return
    expected = "an address of this machine alone, such as 127.0.0.1"
    advice = "leave --host away; other machines may come through an SSH tunnel"
    raise UsageError([Fault(Place("--host"), "not-loopback", host, expected, advice)])


def _bind(serving: Serving, parts: _Parts, registry: Registry) -> WireServer:
    try:
        return open_wire(
            parts.s3,
            parts.catalog,
            parts.athena,
            registry=registry,
            results=parts.results,
            host=serving.host,
            port=serving.port,
        )
    except OSError as error:
        found = f"{serving.host}:{serving.port}: {error.strerror or error}"
        expected, advice = "a port that is free", "name another one; --port 0 takes a free one"
        fault = Fault(Place("--port"), "port-taken", found, expected, advice)
        raise UsageError([fault]) from error


def _open(serving: Serving, stack: ExitStack) -> _Parts:
    if serving.root is not None:
        return _project(serving.root, serving, stack)
    from runner.local.athena import LocalAthena  # noqa: PLC0415 - after the checks of options

    folder = serving.data.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    s3 = FolderS3(folder / "s3")
    catalog = stack.enter_context(closing(GlueCatalog(folder / "catalog.sqlite")))
    _make_database(catalog, "default")
    athena = LocalAthena(
        s3, catalog, folder / "athena.sqlite", results=_RESULTS, cache=folder / "cache"
    )
    return _Parts(s3, catalog, athena, folder, _RESULTS)


def _project(root: Path, serving: Serving, stack: ExitStack) -> _Parts:
    """Open a project's local environment."""
    from runner.app.bundle import open_bundle  # noqa: PLC0415 - only inside a project
    from runner.app.local_places import open_places  # noqa: PLC0415

    bundle = open_bundle(root, serving.environment, serving.variables)
    local = open_places(root, bundle, now=lambda: datetime.now(UTC))
    s3 = local.s3()
    catalog = stack.enter_context(closing(local.catalog()))
    for name in ("default", *bundle.databases):
        _make_database(catalog, name)
    athena = local.athena(s3, catalog)
    return _Parts(s3, catalog, athena, local.state, local.environment.results)


def _make_database(catalog: GlueCatalog, name: str) -> None:
    with suppress(GlueError):  # it is there
        catalog.create_database(DatabaseInput={"Name": name})
