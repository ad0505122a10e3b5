"""The shapes of Glue's requests are those of the service model that botocore ships."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.loaders import Loader

from runner.local.glue.catalog import OPERATIONS
from runner.local.glue.requests import REQUESTS
from runner.local.glue.shapes import (
    Flag,
    Instant,
    Items,
    Members,
    Opaque,
    Pairs,
    Real,
    Shape,
    Text,
    Whole,
)

MODEL: dict[str, Any] = Loader().load_service_model("glue", "service-2")
SHAPES: dict[str, dict[str, Any]] = MODEL["shapes"]
KEPT_AS_THEY_COME = {
    "AuditContext",
    "CreateTableDefaultPermissions",
    "FederatedDatabase",
    "FederatedTable",
    "MaximumValue",
    "MinimumValue",
    "OpenTableFormatInput",
    "QuerySessionContext",
    "SchemaReference",
    "SkewedInfo",
    "TargetDatabase",
    "TargetTable",
    "UpdateOpenTableFormatInput",
    "ViewDefinition",
}
PATTERNS_NOT_CHECKED = {r"[\p{L}\p{N}\p{P}]*"}


def differences(ours: Shape, name: str, path: str) -> list[str]:
    theirs = SHAPES[name]
    match ours:
        case Opaque():
            known = path.rpartition(".")[2] in KEPT_AS_THEY_COME
            return [] if known else [f"{path}: opaque"]
        case Flag() | Instant():
            expected = "boolean" if isinstance(ours, Flag) else "timestamp"
            return [] if theirs["type"] == expected else [f"{path}: {theirs['type']}"]
        case Text():
            return _of_text(ours, theirs, path)
        case Whole() | Real():
            return _of_number(ours, theirs, path)
        case Members():
            return _of_members(ours, theirs, path)
    return _of_many(ours, theirs, path)


def _of_number(ours: Whole | Real, theirs: dict[str, Any], path: str) -> list[str]:
    if isinstance(ours, Real):
        same = theirs["type"] == "double" and ours.least == theirs.get("min")
    else:
        bounds = (theirs.get("min", -1 << 62), theirs.get("max", 1 << 62))
        same = theirs["type"] in {"integer", "long"} and (ours.least, ours.most) == bounds
    return [] if same else [f"{path}: {ours} is not {theirs}"]


def _of_many(ours: Shape, theirs: dict[str, Any], path: str) -> list[str]:
    if isinstance(ours, Items):
        found = differences(ours.item, theirs["member"]["shape"], path)
        return [*found, *_of_bounds((ours.least, ours.most), theirs, path)]
    assert isinstance(ours, Pairs)
    return [
        *differences(ours.key, theirs["key"]["shape"], path + "/key"),
        *differences(ours.value, theirs["value"]["shape"], path + "/value"),
        *_of_bounds((0, ours.most), theirs, path),
    ]


def _of_text(ours: Text, theirs: dict[str, Any], path: str) -> list[str]:
    found = _of_bounds((ours.least, ours.most), theirs, path)
    if theirs["type"] != "string":
        found.append(f"{path}: {theirs['type']}")
    if list(ours.choices) != theirs.get("enum", []):
        found.append(f"{path}: {ours.choices} is not {theirs.get('enum')}")
    pattern = theirs.get("pattern", "")
    if pattern in PATTERNS_NOT_CHECKED:
        pattern = ""
    mine = ours.pattern.pattern if ours.pattern else ""
    if mine != _python(pattern):
        found.append(f"{path}: {mine!r} is not {pattern!r}")
    return found


def _python(pattern: str) -> str:
    """Java writes what is beyond 16 bits as surrogates, and controls with backslashes."""
    whole = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", "\U00010000-\U0010ffff")
    whole = re.sub(r"\\u([0-9A-F]{4})", lambda code: chr(int(code[1], 16)), whole)
    return whole.replace(r"\r", "\r").replace(r"\n", "\n").replace(r"\t", "\t")


def _of_bounds(ours: tuple[int, int], theirs: dict[str, Any], path: str) -> list[str]:
    least, most = theirs.get("min", 0), theirs.get("max", 1 << 62)
    return [] if ours == (least, most) else [f"{path}: {ours} is not {(least, most)}"]


def _of_members(ours: Members, theirs: dict[str, Any], path: str) -> list[str]:
    found = []
    if set(ours.required) != set(theirs.get("required", ())):
        found.append(f"{path}: {ours.required} is not {theirs.get('required')}")
    alone = set(ours.shapes) ^ set(theirs["members"])
    found += [f"{path}.{name}: only on one side" for name in alone]
    for name in set(ours.shapes) & set(theirs["members"]):
        found += differences(ours.shapes[name], theirs["members"][name]["shape"], f"{path}.{name}")
    return found


@pytest.mark.parametrize("operation", sorted(REQUESTS))
def test_a_request_has_the_model_s_members_and_limits(operation: str) -> None:
    shape = MODEL["operations"][operation]["input"]["shape"]
    assert differences(REQUESTS[operation], shape, operation) == []


def test_every_operation_has_its_request() -> None:
    assert set(OPERATIONS) == set(REQUESTS)


def test_a_difference_is_found() -> None:
    ours = Members({"Name": Text(1, 254), "CatalogId": Flag()}, ())
    assert len(differences(ours, "GetDatabaseRequest", "GetDatabase")) == 4
