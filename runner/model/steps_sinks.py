"""Steps that bring tables elsewhere: BigQuery and its Data Transfer Service, and Redshift."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from runner.model.fields import Duration
from runner.model.header import Strict
from runner.model.step import Step

Scalar = str | int | float | bool
_IN_SECRETS_MANAGER = r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[^\s$]+$"
_ROLE = r"^arn:aws[a-z-]*:iam::\d{12}:role/[^\s,']+(,arn:aws[a-z-]*:iam::\d{12}:role/[^\s,']+)*$"
_IDENTIFIER = r"^[a-z_][a-z0-9_]{0,126}$"
Folder = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.=-]*(/[A-Za-z0-9][A-Za-z0-9_.=-]*)*/?$")
]


class BigqueryTransferStep(Step):
    """Exports tables as Parquet with BigQuery's schema, or runs a transfer of BigQuery, or both.

    A window that is exported again replaces its own files and no others. A transfer runs by the
    BigQuery Data Transfer Service and is waited for.
    """

    type: Literal["bigquery_transfer"] = Field(description="bigquery_transfer")
    tables: tuple[str, ...] = Field(
        (), description="Patterns of the tables to export, as in select: marts.daily_*, tag:word."
    )
    exclude: tuple[str, ...] = Field((), description="Patterns left out of `tables`.")
    columns: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Columns of a table to export, by database.table; all where it is not named.",
    )
    folder: Folder | None = Field(
        None,
        description="Folder below the lake; exports/<workflow>/<step>/ if absent. In it are "
        "<database>.<table>/<period>/ with the files, and <database>.<table>/schema.json.",
    )
    timestamps: Literal["timestamp", "datetime"] = Field(
        "timestamp",
        description="What the schema calls Athena's `timestamp`. Its Parquet is loaded as "
        "TIMESTAMP; `datetime` is for a table whose values are converted on the way.",
    )
    transfer: str | None = Field(
        None,
        pattern=r"^projects/[^/\s]+/(locations/[^/\s]+/)?transferConfigs/[^/\s]+$",
        description="Resource name of the transfer to run, after the export: "
        "projects/<project>/locations/<location>/transferConfigs/<id>.",
    )
    run_time: Literal["start", "end"] = Field(
        "start", description="Which end of the window is the run time of the transfer."
    )
    function: str = Field(
        "builtin:bigquery_transfer",
        description="What asks Google: a function under lambdas/ that uses "
        "builtin:bigquery_transfer and names the secret with the credentials.",
    )
    poll: Duration = Field("30s", description="Shortest wait between two looks at the transfer.")


class ExternalSchema(Strict):
    """A schema of Redshift over databases of the Glue Data Catalog (Spectrum)."""

    name: str = Field(pattern=_IDENTIFIER, description="The schema in Redshift.")
    database: str = Field(
        min_length=1, description="Database of this project that the schema shows."
    )
    role: str = Field(
        pattern=_ROLE,
        description="ARN of the role by which Redshift reads the catalogue and the lake; "
        "roles to chain are separated by commas.",
    )


class RedshiftStep(Step):
    """Runs SQL in Redshift by its Data API and waits for the end of it.

    Names a cluster or a serverless workgroup, and a database in it. `:start` and `:end` in the SQL
    are the window's ends; further parameters stand under `parameters`.
    """

    type: Literal["redshift"] = Field(description="redshift")
    cluster: str | None = Field(
        None,
        min_length=1,
        max_length=63,
        pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        description="Identifier of a provisioned cluster.",
    )
    workgroup: str | None = Field(
        None,
        pattern=r"^([a-z0-9-]{3,64}|arn:aws[a-z-]*:redshift-serverless:[a-z0-9-]+:\d{12}:workgroup/[a-z0-9/-]+)$",
        description="Name of a serverless workgroup, or its ARN.",
    )
    database: str = Field(min_length=1, description="Database to connect to.")
    user: str | None = Field(
        None, min_length=1, description="User of the cluster, for temporary credentials."
    )
    secret: str | None = Field(
        None,
        pattern=_IN_SECRETS_MANAGER,
        description="ARN of the secret with user and password; without it the role's own identity, "
        "or `user`, connects.",
    )
    sql: str | tuple[str, ...] = Field(
        (), description="One statement, or several: those are one transaction."
    )
    transaction: bool = Field(
        default=True,
        description="Run several statements as one transaction; false: each by itself, in order.",
    )
    parameters: dict[str, Scalar] = Field(
        default_factory=dict,
        description="Values of further :names in the SQL; JSONata between {% and %}.",
    )
    external_schema: ExternalSchema | None = Field(
        None,
        description="Schema over the Glue Data Catalog, made first if it is missing; by it "
        "Redshift reads the tables of the project.",
    )
    poll: Duration = Field("5s", description="Shortest wait between two looks at the statement.")
