"""Athena's workgroup and the catalogue's databases.  Databases outlive the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.plan.stack.names import logical_id
from runner.plan.stack.parts import Resources, resource, tags

if TYPE_CHECKING:
    from runner.model.ports import Json
    from runner.plan.stack.facts import StackFacts

WORKGROUP = "Workgroup"


def athena_resources(facts: StackFacts) -> Resources:
    """Make the workgroup, unless it exists already, and the databases."""
    made: Resources = {}
    if facts.scan_limit_bytes is not None:
        made[WORKGROUP] = _workgroup(facts, facts.scan_limit_bytes)
    for name in facts.databases:
        # Tables are data: a stack that goes, or a name that goes, leaves them where they are.
        made[logical_id("Database", name)] = resource(
            "Glue::Database",
            {
                "CatalogId": facts.account,
                "DatabaseInput": {
                    "Name": name,
                    "Description": f"Tables of {facts.project}, environment {facts.environment}.",
                    "Parameters": {"runner.project": facts.project},
                },
            },
            DeletionPolicy="Retain",
            UpdateReplacePolicy="Retain",
        )
    return made


def _workgroup(facts: StackFacts, limit: int) -> Json:
    """Make a workgroup that does not enforce: statements name their locations themselves.

    An enforcing one refuses a CTAS with `external_location`.  The scan limit holds either way.
    """
    return resource(
        "Athena::WorkGroup",
        {
            "Name": facts.workgroup,
            "Description": f"Statements of {facts.project}, environment {facts.environment}.",
            "RecursiveDeleteOption": True,
            "WorkGroupConfiguration": {
                "EnforceWorkGroupConfiguration": False,
                "PublishCloudWatchMetricsEnabled": True,
                "BytesScannedCutoffPerQuery": limit,
                "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
                "ResultConfiguration": {
                    "OutputLocation": facts.results,
                    "EncryptionConfiguration": _encryption(facts),
                },
            },
            "Tags": tags(facts),
        },
    )


def _encryption(facts: StackFacts) -> Json:
    if facts.keys.data:
        return {"EncryptionOption": "SSE_KMS", "KmsKey": facts.keys.data}
    return {"EncryptionOption": "SSE_S3"}
