"""Step types: each knows its states.  One file each; this is the table that lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl.steps import (
    bigquery,
    calls,
    choice,
    codebuild,
    crawler,
    function,
    glue_job,
    loads,
    rds_export,
    redshift,
    repeating,
    simple,
    sql,
    tables,
)
from runner.model.steps_flow import ChoiceStep, EcsTaskStep, HttpStep, SqlStep, WorkflowStep
from runner.model.steps_sinks import BigqueryTransferStep, RedshiftStep
from runner.model.steps_sources import CodeBuildStep, CrawlerStep, GlueJobStep, RdsExportStep
from runner.model.workflow import (
    AslStep,
    LambdaStep,
    LoadsStep,
    MapStep,
    SnsStep,
    TablesStep,
    WaitStep,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.asl.flow import State
    from runner.asl.steps.scope import Scope
    from runner.model.workflow import AnyStep

_STATES: dict[type, Callable[[Scope, str, Any], tuple[State, ...]]] = {
    AslStep: simple.asl_states,
    BigqueryTransferStep: bigquery.states,
    ChoiceStep: choice.states,
    CodeBuildStep: codebuild.states,
    CrawlerStep: crawler.states,
    EcsTaskStep: calls.ecs_states,
    GlueJobStep: glue_job.states,
    HttpStep: calls.http_states,
    LambdaStep: function.states,
    LoadsStep: loads.states,
    MapStep: lambda scope, name, step: repeating.states(scope, name, step, inner=step_states),
    RdsExportStep: rds_export.states,
    RedshiftStep: redshift.states,
    SnsStep: simple.sns_states,
    SqlStep: sql.states,
    TablesStep: tables.states,
    WaitStep: simple.wait_states,
    WorkflowStep: calls.workflow_states,
}


def step_states(scope: Scope, name: str, step: AnyStep) -> tuple[State, ...]:
    """Give the states of one step; whatever happens, `scope.following` comes next."""
    return _STATES[type(step)](scope, name, step)
