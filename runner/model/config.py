"""`config.yaml`: the project, its defaults and its environments."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from runner.model.aws_sources import RdsSource
from runner.model.fields import (
    Duration,
    EnvironmentValue,
    Port,
    Resolved,
    SecretArn,
    Size,
)
from runner.model.header import MASK_MEANING, Mask, Strict
from runner.model.local_sources import LocalBuild, LocalCrawler, LocalGlueJob, LocalItems
from runner.model.steps_flow import LocalConnection, LocalTask
from runner.model.stream import Stream

Scalar = str | int | float | bool | None
Variable = Scalar | tuple[Scalar, ...]


class Retry(Strict):
    """Retries of one kind of step."""

    max_attempts: int = Field(3, ge=1, le=20, description="Attempts in all, the first included.")
    interval: Duration = Field("10s", description="Wait before the second attempt.")
    backoff: float = Field(2.0, ge=1.0, description="Factor from one wait to the next.")
    max_delay: Duration = Field("5m", description="Longest wait between two attempts.")


class Concurrency(Strict):
    """How much runs at once."""

    dml: int = Field(
        5, ge=1, le=40, description="Lanes of tables in a wave; in a backfill, statements at once."
    )
    ddl: int = Field(5, ge=1, le=20, description="Lanes of views and ddl tables in a wave.")
    chunks: int = Field(1, ge=1, le=40, description="Chunks of one table at once.")
    loads: int = Field(2, ge=1, le=20, description="Loads at once.")


class Defaults(Strict):
    """What steps and tables use unless they say otherwise."""

    retry: Retry = Field(default_factory=Retry, description="Retries of tables.")
    query_timeout: Duration = Field("30m", description="Longest Athena statement.")
    load_timeout: Duration = Field("1h", description="Longest load.")
    lambda_timeout: Duration = Field("15m", description="Longest Lambda call.")
    lease_wait: Duration = Field(
        "30m", description="Longest wait for another run's lease on a table."
    )
    concurrency: Concurrency = Field(
        default_factory=Concurrency, description="How much runs at once."
    )
    max_window: int = Field(400, ge=1, description="Most partitions that one run writes.")
    format: Literal["parquet", "orc", "avro", "json", "textfile"] = Field(
        "parquet", description="File format of tables that name none."
    )
    price_per_tb: float = Field(
        5.0,
        ge=0,
        description="Price of a terabyte scanned by Athena, in USD; `backfill` estimates with it.",
    )


class Source(Strict):
    """A table outside the project that SQL files may read."""

    description: str = Field("", description="What it is.")
    columns: dict[str, str] = Field(
        default_factory=dict, description="Columns and their Athena types; lets `check` see typos."
    )
    locations: tuple[Resolved, ...] = Field(
        (),
        description="Prefixes in S3 that hold its files, such as s3://bucket/prefix/; a deployed "
        "workflow may read these and no others.",
    )
    pii: tuple[str, ...] = Field(
        (),
        description="Columns that hold personal data. They are followed through the SQL of what "
        "reads the table: no load, and no database but `pii_databases`, may get them unmasked.",
    )
    mask: dict[str, Mask] = Field(
        default_factory=dict,
        description=f"{MASK_MEANING} Every SQL file reads the table through these masks; the table "
        "needs all its `columns`.",
    )


class SqliteMart(Strict):
    """A mart in a SQLite file (local environments only)."""

    engine: Literal["sqlite"] = Field(description="sqlite")
    path: str = Field(description="The file, relative to the project.")


class MysqlMart(Strict):
    """A mart in MySQL or MariaDB."""

    engine: Literal["mysql"] = Field(description="mysql (MariaDB included)")
    host: Resolved = Field("127.0.0.1", description="Host name.")
    port: Port = Field(3306, description="Port; a number or ${env:NAME}.")
    socket: Resolved | None = Field(None, description="Unix socket instead of host and port.")
    database: Resolved = Field(description="Schema that holds the mart's tables.")
    user: Resolved = Field("root", description="User name or ${env:NAME}.")
    password: EnvironmentValue | None = Field(
        None, description="${env:NAME} only; a plain password is refused."
    )
    secret: SecretArn | None = Field(None, description="ARN of the secret (aws environments).")
    tls: bool = Field(
        default=False,
        description="Encrypt the connection and verify the server's certificate and name.",
    )
    ca: str | None = Field(
        None,
        description="PEM file of certificate authorities for `tls`, relative to the project (in "
        "an aws environment: a path inside the task's image); the system's own if absent.",
    )


Mart = Annotated[SqliteMart | MysqlMart, Field(discriminator="engine")]


class LocalDatabase(Strict):
    """A database that stands for one of RDS."""

    connect: Mart = Field(description="Where it is: a SQLite file, MySQL or MariaDB, as a mart.")
    exported: Literal["instance", "cluster", "cluster_snapshot"] = Field(
        "instance",
        description="What the workflow exports, as on AWS: the newest snapshot of an instance, a "
        "cluster, or its newest snapshot. Here each is the database as it is now.",
    )
    to: str = Field(
        "s3://exports/", pattern=r"^s3://", description="Bucket and prefix that exports go to."
    )


class Postgres(Strict):
    """A PostgreSQL in which the SQL of `redshift` steps runs on this machine."""

    host: Resolved = Field("127.0.0.1", description="Host name.")
    port: Port = Field(5432, description="Port; a number or ${env:NAME}.")
    user: Resolved = Field("postgres", description="User name or ${env:NAME}.")
    password: EnvironmentValue | None = Field(
        None, description="${env:NAME} only; a plain password is refused."
    )


AthenaWait = Literal["sync", "poll"]
_ATHENA_WAIT = (
    "How a run waits for a statement: `sync` leaves it to Step Functions, which looks about once a "
    "minute; `poll` looks every few seconds, for more state transitions."
)


class LocalEnvironment(Strict):
    """Everything on this machine: DuckDB as Athena, folders as S3."""

    engine: Literal["local"] = Field(description="local")
    state: str = Field(".runner", description="Folder for lake, catalogue, journals and caches.")
    lake: str = Field(
        "s3://lake/", pattern=r"^s3://", description="Bucket and prefix that hold the tables."
    )
    streams_to: str = Field(
        "s3://streams/", pattern=r"^s3://", description="Where streams deliver."
    )
    results: str = Field("s3://results/", pattern=r"^s3://", description="Where query results go.")
    buckets: dict[str, str] = Field(
        default_factory=dict, description="Bucket and the folder that stands for it."
    )
    database_suffix: str = Field("", description="Appended to every database of the project.")
    marts: dict[str, Mart] = Field(default_factory=dict, description="Marts by name.")
    crawlers: dict[str, LocalCrawler] = Field(
        default_factory=dict, description="Crawlers of this machine, by name."
    )
    glue_jobs: dict[str, LocalGlueJob] = Field(
        default_factory=dict, description="Scripts that stand for jobs of Glue, by the job's name."
    )
    builds: dict[str, LocalBuild] = Field(
        default_factory=dict,
        description="Commands that stand for builds of CodeBuild, by the project's name.",
    )
    dynamodb: dict[str, LocalItems] = Field(
        default_factory=dict,
        description="DynamoDB tables that functions find on this machine, by name; they are kept "
        "below `state`.",
    )
    secrets: dict[str, EnvironmentValue] = Field(
        default_factory=dict,
        description="What functions find in Secrets Manager on this machine: ${env:NAME}, by the "
        "secret's ARN or name.",
    )
    rds: dict[str, LocalDatabase] = Field(
        default_factory=dict, description="Databases that stand for those of RDS, by name."
    )
    loader: Literal["native", "embulk"] = Field("native", description="Default load engine.")
    embulk_home: str | None = Field(
        None,
        description="Folder with an assembled Embulk, relative to the project; loads with engine "
        "embulk into MySQL run it. Without one the built-in loader takes their place.",
    )
    redshift: Postgres | None = Field(
        None,
        description="A PostgreSQL in which `redshift` steps run here, in the database that they "
        "name (needs the extra `postgres`). Without one such a step is refused.",
    )
    athena_wait: AthenaWait = Field(
        "sync", description=f"{_ATHENA_WAIT} On this machine: to try the definition that waits so."
    )
    connections: dict[str, LocalConnection] = Field(
        default_factory=dict, description="What `http` steps call connections, by name."
    )
    tasks: dict[str, LocalTask] = Field(
        default_factory=dict,
        description="Programs that `ecs_task` steps run here, by the family of the task "
        "definition.",
    )
    vars: dict[str, Variable] = Field(
        default_factory=dict, description="Variables that differ from the project's."
    )
    defer: str | None = Field(None, description="For a later version; refused now.")


class Network(Strict):
    """Where ECS tasks run."""

    subnets: tuple[Resolved, ...] = Field(min_length=1, max_length=16, description="Subnet ids.")
    security_groups: tuple[Resolved, ...] = Field(
        (), max_length=5, description="Security group ids."
    )
    assign_public_ip: bool = Field(default=False, description="Give tasks a public address.")


_KEY = r"^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/|\$\{)"
"""Of a key itself: a permission that names an alias allows nothing."""


class Keys(Strict):
    """KMS keys of one's own; what is not named is encrypted with AWS's keys."""

    data: Resolved | None = Field(
        None,
        pattern=_KEY,
        description="ARN of the key (not of an alias) that encrypts the lake, the results and the "
        "variables of functions.",
    )
    logs: Resolved | None = Field(
        None,
        pattern=_KEY,
        description="ARN of the key that encrypts the log groups; its policy must allow it.",
    )
    secrets: Resolved | None = Field(
        None,
        pattern=_KEY,
        description="ARN of the key that encrypts the secrets of marts and functions, where it is "
        "not Secrets Manager's own.",
    )
    messages: Resolved | None = Field(
        None,
        pattern=_KEY,
        description="ARN of the key that encrypts topics and the dead-letter queue; its policy "
        "must let EventBridge, its scheduler and CloudWatch use it.",
    )


class AwsEnvironment(Strict):
    """An account and Region with Athena, Step Functions, ECS and Lambda."""

    engine: Literal["aws"] = Field(description="aws")
    region: Resolved = Field(description="AWS Region.")
    account: Resolved = Field(
        pattern=r"^(\d{12}|\$\{.+\})$",
        description="Account guard: twelve digits; nothing is done in another account.",
    )
    lake: Resolved = Field(
        pattern=r"^(s3://|\$\{)", description="Bucket and prefix that hold the tables."
    )
    results: Resolved = Field(pattern=r"^(s3://|\$\{)", description="Where query results go.")
    streams_to: Resolved | None = Field(
        None,
        pattern=r"^(s3://|\$\{)",
        description="Bucket and prefix that streams deliver to; needed where there are streams.",
    )
    artifacts: Resolved | None = Field(
        None,
        pattern=r"^(s3://|\$\{)",
        description="Where `deploy` puts definitions and packages, in a bucket of the Region; "
        "`_runner/artifacts/` in the lake if absent.",
    )
    workgroup: Resolved | None = Field(
        None,
        description="An Athena workgroup that exists; if absent, the stack makes "
        "`<project>-<environment>`.",
    )
    scan_limit: Size = Field(
        "1TB",
        description="Most bytes that one statement scans in the stack's workgroup, e.g. 500GB; "
        "Athena cancels what exceeds it.",
    )
    database_suffix: Resolved = Field(
        "",
        description="Appended to every database of the project, e.g. _dev or _${env:USER}.",
    )
    cluster: Resolved | None = Field(
        None, description="An ECS cluster that exists; if absent, the stack makes one for loads."
    )
    image: Resolved | None = Field(
        None,
        description="Image of the load tasks, with {engine} where `native` or `embulk` goes; if "
        "absent, the stack makes a repository and uses its tag `<engine>-<version>`.",
    )
    network: Network | None = Field(None, description="Network of ECS tasks.")
    marts: dict[str, MysqlMart] = Field(default_factory=dict, description="Marts by name.")
    rds: dict[str, RdsSource] = Field(
        default_factory=dict, description="Databases of RDS that workflows export, by name."
    )
    loader: Literal["native", "embulk"] = Field("embulk", description="Default load engine.")
    athena_wait: AthenaWait = Field("sync", description=_ATHENA_WAIT)
    connections: dict[str, Resolved] = Field(
        default_factory=dict,
        description="ARNs of EventBridge's connections that `http` steps name, by name.",
    )
    vars: dict[str, Variable] = Field(
        default_factory=dict, description="Variables that differ from the project's."
    )
    tags: dict[str, str] = Field(default_factory=dict, description="Tags of every resource.")
    permissions_boundary: Resolved | None = Field(
        None, description="ARN of the policy that bounds every role."
    )
    keys: Keys = Field(default_factory=Keys, description="KMS keys.")
    log_retention: Literal[
        1,
        3,
        5,
        7,
        14,
        30,
        60,
        90,
        120,
        150,
        180,
        365,
        400,
        545,
        731,
        1096,
        1827,
        2192,
        2557,
        2922,
        3288,
        3653,
    ] = Field(90, description="Days that logs are kept; one of CloudWatch's numbers.")
    log_level: Literal["OFF", "ERROR", "FATAL", "ALL"] = Field(
        "ERROR", description="What state machines log; execution data is never logged."
    )
    alarm_topic: Resolved | None = Field(
        None, description="ARN of the topic that alarms go to; if absent, the stack makes one."
    )
    emails: tuple[str, ...] = Field(
        (), description="Addresses that the stack's alarm topic sends to, once confirmed."
    )
    defer: str | None = Field(None, description="For a later version; refused now.")
    protected: bool = Field(
        default=False,
        description="Deploys need the environment's name typed, and a clean, current checkout.",
    )


Environment = Annotated[LocalEnvironment | AwsEnvironment, Field(discriminator="engine")]


class Config(Strict):
    """The whole of `config.yaml`."""

    project: str = Field(
        pattern=r"^[a-z][a-z0-9-]*$", max_length=40, description="Name of the project."
    )
    timezone: str = Field("UTC", description="IANA zone of all civil times.")
    vars: dict[str, Variable] = Field(
        default_factory=dict, description="Jinja variables, as {{ vars.name }}."
    )
    sources: dict[str, Source] = Field(
        default_factory=dict, description="Tables outside the project, as database.table."
    )
    pii_databases: tuple[str, ...] | None = Field(
        None,
        description="Databases of the project whose tables may hold personal data (`pii`) "
        "unmasked, as the folders under sql/ are called; every database if absent.",
    )
    streams: dict[str, Stream] = Field(
        default_factory=dict, description="Delivery streams that bring events to S3, by name."
    )
    defaults: Defaults = Field(
        default_factory=Defaults, description="Retries, timeouts, concurrency."
    )
    environments: dict[str, Environment] = Field(
        min_length=1, description="Named targets; `local` is used unless --env says otherwise."
    )
