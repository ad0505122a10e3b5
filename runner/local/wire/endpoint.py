"""The whole endpoint: Athena, Glue, STS and S3 behind one address.

In: the local services.  Out: a server that is bound and not yet serving.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from runner.local.wire.athena import athena_service
from runner.local.wire.firehose import TARGET as FIREHOSE
from runner.local.wire.firehose import firehose_service
from runner.local.wire.glue import glue_service
from runner.local.wire.s3 import S3Service
from runner.local.wire.server import WireServer
from runner.local.wire.sns import SnsOnTheWire
from runner.local.wire.sts import Sts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.local.athena import LocalAthena
    from runner.local.glue import GlueCatalog
    from runner.local.s3 import FolderS3
    from runner.local.wire.messages import Request, Service
    from runner.local.wire.registry import Registry
    from runner.model.ports import Service as LocalService

_FORM = "application/x-www-form-urlencoded"
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")


class Services(NamedTuple):
    """What answers which request."""

    athena: Service
    glue: Service
    sts: Service
    s3: Service
    firehose: Service | None = None
    sns: Service | None = None
    targets: Mapping[str, Service] = {}
    """More services, by what their targets begin with."""
    signed: Callable[[str], None] | None = None
    """Hears who signs a request before it is served, on its thread."""

    def route(self, request: Request) -> Service:
        """Give the service of a request: by its target, or its form; all else is S3's."""
        if self.signed is not None:
            self.signed(_signer(request))
        target = request.headers.get("x-amz-target", "")
        if target.startswith("AWSGlue."):
            return self.glue
        if target.startswith(f"{FIREHOSE}.") and self.firehose is not None:
            return self.firehose
        if target:
            return self.targets.get(target.partition(".")[0], self.athena)
        form = request.headers.get("content-type", "").startswith(_FORM)
        if request.method == "POST" and request.path == "/" and form and not request.query:
            # The scope of the signature names the service.
            about_sns = "/sns/aws4_request" in request.headers.get("authorization", "")
            return self.sns if about_sns and self.sns is not None else self.sts
        return self.s3


def _signer(request: Request) -> str:
    """Give the access key that a request is signed with; empty for none."""
    found = _CREDENTIAL.search(request.headers.get("authorization", ""))
    return found[1] if found else dict(request.query).get("X-Amz-Credential", "").split("/")[0]


def open_wire(
    s3: FolderS3,
    catalog: GlueCatalog,
    athena: LocalAthena,
    *,
    registry: Registry,
    results: str = "s3://athena-results/",
    host: str = "127.0.0.1",
    port: int = 0,
    more: Mapping[str, LocalService] | None = None,
    targets: Mapping[str, Service] | None = None,
    signed: Callable[[str], None] | None = None,
) -> WireServer:
    """Bind a server to an address; port 0 takes a free one.

    `results` is where the work group `primary` leaves results; empty: each request has to say.
    `more` are local services by name for the functions of a run: `firehose` and `sns` are put on
    the wire too, and a bucket is there as soon as a function puts something into it.  `targets`
    are more services by what their targets begin with; `signed` hears whose access key each request
    is signed with.
    """
    given = more or {}
    managed = f"{results or 's3://athena-results/'}managed/"
    services = Services(
        athena_service(athena, catalog, registry, results=results, managed=managed),
        glue_service(catalog),
        Sts(),
        S3Service(s3, makes_buckets=more is not None),
        firehose_service(given["firehose"]) if "firehose" in given else None,
        SnsOnTheWire(given["sns"]) if "sns" in given else None,
        targets or {},
        signed,
    )
    return WireServer(host, port, route=services.route)
