"""What Athena tells Glue of a partition: the table's storage at the partition's own location."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def partition_input(
    glue: Mapping[str, Any], values: Sequence[str], location: str
) -> dict[str, Any]:
    """Describe a partition of a table, given as Glue describes it.

    >>> partition_input({"StorageDescriptor": {"InputFormat": "i"}}, ["1"], "s3://b/n=1")
    {'Values': ['1'], 'StorageDescriptor': {'InputFormat': 'i', 'Location': 's3://b/n=1'}, \
'Parameters': {}}
    """
    storage = {**(glue.get("StorageDescriptor") or {}), "Location": location}
    return {"Values": list(values), "StorageDescriptor": storage, "Parameters": {}}
