"""The local Glue over HTTP on the loopback, with boto3's client."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from runner.local.glue import GlueCatalog
from runner.local.wire.glue import glue_service
from runner.local.wire.server import WireServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_glue import GlueClient

    from runner.local.wire.json11 import Json11
    from runner.local.wire.messages import Request


def client_of(url: str) -> GlueClient:
    made: GlueClient = boto3.client(
        "glue",
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    return made


@dataclass(slots=True)
class GlueEndpoint:
    """A server and a client of it, for one catalogue after the other."""

    service: Json11 | None = None
    client: GlueClient | None = None

    def route(self, _: Request) -> Json11:
        assert self.service
        return self.service

    @contextmanager
    def catalog(self, folder: Path) -> Iterator[GlueClient]:
        """Serve a new catalogue."""
        with closing(GlueCatalog(folder / "catalog.sqlite")) as catalog:
            self.service = glue_service(catalog)
            assert self.client
            yield self.client
            self.service = None


@contextmanager
def serve_glue() -> Iterator[GlueEndpoint]:
    """Serve until the block ends."""
    endpoint = GlueEndpoint()
    with WireServer("127.0.0.1", 0, route=endpoint.route) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with closing(client_of(server.url)) as client:
            endpoint.client = client
            yield endpoint
        server.shutdown()
        thread.join()
