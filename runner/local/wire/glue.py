"""Glue's protocol on the local catalogue: JSON 1.1 under the target prefix `AWSGlue`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.glue.catalog import OPERATIONS
from runner.local.glue.errors import GlueError
from runner.local.wire.javamaps import in_java_order
from runner.local.wire.json11 import Json11, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.local.glue import GlueCatalog


def glue_service(catalog: GlueCatalog) -> Json11:
    """Serve the catalogue's operations; others are UnknownOperationException."""
    return Json11("AWSGlue", {name: _operation(catalog, name) for name in OPERATIONS})


def _operation(catalog: GlueCatalog, name: str) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    def answer(members: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return in_java_order(catalog.call(name, members))
        except GlueError as error:
            raise Refusal(error.code, error.message) from error

    return answer
