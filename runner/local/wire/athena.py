"""Athena's API on the wire: every operation that has to do with SQL, over the local Athena.

In: requests of AWS's JSON protocol.  Out: AWS's answers.  Sessions and notebooks of Spark,
capacity reservations and what else is not listed here is refused by its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import InvalidRequest
from runner.local.wire.athena_executions import Executions
from runner.local.wire.athena_metadata import Metadata, exists
from runner.local.wire.athena_saved import NamedQueries, PreparedStatements
from runner.local.wire.athena_tags import Tags
from runner.local.wire.athena_workgroups import ENGINE, WorkGroups
from runner.local.wire.json11 import Json11, Refusal
from runner.local.wire.members import Members

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.local.athena import LocalAthena
    from runner.local.glue import GlueCatalog
    from runner.local.wire.registry import Registry

    Act = Callable[[Members], dict[str, Any]]


def athena_service(
    athena: LocalAthena, catalog: GlueCatalog, registry: Registry, *, results: str, managed: str
) -> Json11:
    """Make the service.

    `results` is where queries of the work group `primary` leave their results unless the request
    names a place; `managed` is where work groups with managed query results keep theirs.
    """
    tags = Tags(registry, exists=lambda resource: exists(registry, resource) is not None)
    groups = WorkGroups(registry, athena, tags, results=results, managed=managed)
    acts = {
        **_executions(Executions(athena, groups)),
        **_metadata(Metadata(registry, catalog, tags)),
        **_work_groups(groups, tags),
        **_saved(NamedQueries(registry, groups), PreparedStatements(athena.prepared, groups)),
    }
    return Json11("AmazonAthena", {name: _worded(act) for name, act in acts.items()})


def _executions(executions: Executions) -> dict[str, Act]:
    return {
        "BatchGetQueryExecution": executions.batch_get,
        "GetQueryExecution": executions.get,
        "GetQueryResults": executions.results,
        "GetQueryRuntimeStatistics": executions.statistics,
        "ListQueryExecutions": executions.list,
        "StartQueryExecution": executions.start,
        "StopQueryExecution": executions.stop,
    }


def _metadata(metadata: Metadata) -> dict[str, Act]:
    return {
        "CreateDataCatalog": metadata.create_catalog,
        "DeleteDataCatalog": metadata.delete_catalog,
        "GetDataCatalog": metadata.get_catalog,
        "GetDatabase": metadata.get_database,
        "GetTableMetadata": metadata.get_table,
        "ListDataCatalogs": metadata.list_catalogs,
        "ListDatabases": metadata.list_databases,
        "ListTableMetadata": metadata.list_tables,
        "UpdateDataCatalog": metadata.update_catalog,
    }


def _work_groups(groups: WorkGroups, tags: Tags) -> dict[str, Act]:
    return {
        "CreateWorkGroup": groups.create,
        "DeleteWorkGroup": groups.delete,
        "GetWorkGroup": groups.get,
        "ListEngineVersions": lambda _: {"EngineVersions": [ENGINE]},
        "ListTagsForResource": tags.list,
        "ListWorkGroups": groups.list,
        "TagResource": tags.tag,
        "UntagResource": tags.untag,
        "UpdateWorkGroup": groups.update,
    }


def _saved(queries: NamedQueries, prepared: PreparedStatements) -> dict[str, Act]:
    return {
        "BatchGetNamedQuery": queries.batch_get,
        "BatchGetPreparedStatement": prepared.batch_get,
        "CreateNamedQuery": queries.create,
        "CreatePreparedStatement": prepared.create,
        "DeleteNamedQuery": queries.delete,
        "DeletePreparedStatement": prepared.delete,
        "GetNamedQuery": queries.get,
        "GetPreparedStatement": prepared.get,
        "ListNamedQueries": queries.list,
        "ListPreparedStatements": prepared.list,
        "UpdateNamedQuery": queries.update,
        "UpdatePreparedStatement": prepared.update,
    }


def _worded(act: Act) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Read a request's members for an operation, and write the engine's refusals as the wire's."""

    def answer(given: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return act(Members(given))
        except InvalidRequest as error:
            details = {"AthenaErrorCode": error.detail}
            if error.code != "InvalidRequestException":
                details = {}
            raise Refusal(error.code, error.message, details=details) from error

    return answer
