"""What is known of failures: kinds, and the signs by which names and texts tell them.

Data only; `diagnose` reads it.  Texts are those of Athena's error reference and troubleshooting
pages, of ECS, and of what users of other tools reported.
"""

from __future__ import annotations

REFUSED = "refused"
"""Nothing was started: the statement or call is not acceptable as it stands."""
THROTTLED = "throttled"
"""The service asks for less; the same again, later."""
EXHAUSTED = "exhausted"
"""More than the engine, its limits or its time allow: only a smaller window can pass."""
USER = "user error"
"""The SQL, the data or the project's files have to be changed."""
PERMISSION = "permission"
CATALOGUE = "catalogue conflict"
"""Somebody else changed the table meanwhile: read again, try again."""
INTERRUPTED = "interrupted"
"""Nothing is wrong: a process died, an execution was redriven, somebody cancelled."""
BUSY = "busy"
"""Another run of ours holds the table."""
PASSING = "passing"
"""Internal errors and all that is not known: a whole new attempt may pass."""
DEFECT = "defect"
"""What only a change of this program mends."""

ERRORS = {
    "WindowTooLarge": (USER, "Run `runner backfill` for a window of this size."),
    "NotOurs": (USER, "Run `runner adopt` after making sure that nothing else writes the table."),
    "SchemaChanged": (USER, "Put the column back, or write the table anew with --full-refresh."),
    "TestsFailed": (USER, "Look at the rows with `runner preview`, mend the input or the test."),
    "RowsOutsideWindow": (USER, "Filter the input by {{ start }} and {{ end }}."),
    "EmptyTable": (USER, "Find out why the input is empty, or say allow_empty: true."),
    "TooFewRows": (USER, "Find out why the table has so few rows, or lower `min_rows`."),
    "LoadNotReconciled": (USER, "Look for a second writer of the mart's table, or a trigger."),
    "OutOfOrder": (USER, "Write the earlier periods first."),
    "InvalidInput": (USER, "Start the execution again with a valid input."),
    "LeaseHeld": (BUSY, "Wait until the other run has ended, or stop it; then run again."),
    "NothingPublished": (USER, "Run the table for this window first."),
    "NotForBigQuery": (USER, "Rename or convert the column in the query, or leave it out."),
    "ExportIncomplete": (PASSING, ""),
    "InputUnfinished": (USER, "Run the table that the message names for that window first."),
    "InputChanged": (INTERRUPTED, ""),
    "StageAbandoned": (INTERRUPTED, ""),
    "LeaseLost": (INTERRUPTED, ""),
    "PromotionFailed": (PASSING, ""),
    "States.DataLimitExceeded": (USER, "Make the window smaller: a payload went over 256 KiB."),
    "States.Permissions": (PERMISSION, "Give the role the permission that the cause names."),
    "States.QueryEvaluationError": (
        DEFECT,
        "Correct the expression if it is your own; if not, this is a defect: please report it.",
    ),
    "States.Runtime": (DEFECT, "This is a defect of the definition: please report it."),
    "States.Timeout": (EXHAUSTED, "Narrow the window, or raise `timeout:`."),
    "Crawler.Failed": (USER, "Mend or move the files that the message names; see its log in Glue."),
    "Crawler.Timeout": (EXHAUSTED, "Wait for the crawl and redrive, or raise `timeout:`."),
    "GlueJob.Failed": (USER, "Look at the job's log; somebody may have stopped it."),
    "CodeBuild.Failed": (USER, "Look at the build's log; somebody may have stopped it."),
    "RdsExport.Failed": (USER, "Mend what the message names; on AWS the role and key need rights."),
    "RdsExport.NoSnapshot": (USER, "Switch automatic backups of the instance on, or wait for one."),
    "RdsExport.Timeout": (EXHAUSTED, "Redrive: it finds the export again; or raise `timeout:`."),
    "Athena.InvalidRequestException": (REFUSED, "Athena refused the statement."),
    "Glue.InvalidInputException": (REFUSED, "Glue refused the table's description."),
    "Lambda.ResourceNotFoundException": (
        REFUSED,
        "Deploy the environment: the function is not there.",
    ),
    "S3.NoSuchKeyException": (
        REFUSED,
        "Deploy the environment again: a text that the workflow reads is not in the lake.",
    ),
    "Glue.ConcurrentModificationException": (CATALOGUE, ""),
    "Glue.AlreadyExistsException": (CATALOGUE, ""),
}
"""Error names: their kind, and advice; empty advice where trying again is the thing to do."""
THROTTLING = (
    "Rate exceeded",
    "ThrottlingException",
    "TooManyRequests",
    "SlowDown",
    "Please reduce your request rate",
    "ServiceUnavailable",
)
"""Throttling, also where it comes wrapped in an error that is hopeless otherwise."""
BROAD = frozenset({"Athena.InvalidRequestException", "States.Runtime"})
"""Names that cover many things: the text says which."""
_SQL = "Correct the SQL at the line that Athena names."
_WRITERS = "Write fewer partitions x buckets in one statement."
_PERMISSION = "Give the role the permission that the message names."
_NARROW = "Narrow the window or split the query; the same query fails again."
_NETWORK = (
    "Let the task's execution role read the image and the mart's secret, and its subnets reach "
    "ECR, Secrets Manager and CloudWatch: by a NAT gateway, VPC endpoints, or a public address."
)
_CLUSTER = "Deploy the environment, or correct `cluster:`: it has nowhere to run tasks."
TEXTS = (
    ("Only one sql statement is allowed", REFUSED, "Athena refused it: write one statement."),
    (
        "less than or equal to 262144",
        REFUSED,
        "Athena refused it: make the statement smaller, it is over 262,144 bytes.",
    ),
    (
        "submitted with an 'external_location' property",
        REFUSED,
        "Athena refused it: let the workgroup not override the settings of its clients.",
    ),
    ("Idempotent parameters do not match", DEFECT, "This is a defect: please report it."),
    (
        "maximum number of history events",
        EXHAUSTED,
        "Narrow the window, or use `runner backfill`, which divides it.",
    ),
    (
        "Database cannot be a link",
        USER,
        "The database is a resource link of Lake Formation: read the database that it links to.",
    ),
    (
        "GlueEncryptionException",
        PERMISSION,
        "Give the role kms:Decrypt on the key that encrypts the catalogue.",
    ),
    (
        "Lake Formation permission",
        PERMISSION,
        "Grant the role in Lake Formation what the message names; IAM alone is not enough there.",
    ),
    (
        "is not authorized to perform: kms:",
        PERMISSION,
        "Give the role that action on the key, and let the key's policy allow it.",
    ),
    (
        "Secrets Manager can't find the specified secret",
        USER,
        "Correct the ARN that the mart's `secret:` names.",
    ),
    (
        "Container Overrides length must be at most 8192",
        REFUSED,
        "Pass less to the container: put it into S3 and pass its address.",
    ),
    ("The specified bucket does not exist", USER, "Make the bucket first, or correct its name."),
    ("No Container Instances were found", REFUSED, _CLUSTER),
    ("ClusterNotFoundException", REFUSED, _CLUSTER),
    ("ResourceInitializationError", REFUSED, _NETWORK),
    ("SYNTAX_ERROR", USER, _SQL),
    ("mismatched input", USER, _SQL),
    ("COLUMN_NOT_FOUND", USER, "Correct the column's name, or add it upstream."),
    ("TABLE_NOT_FOUND", USER, "Make the table first, or correct its name."),
    ("SCHEMA_NOT_FOUND", USER, "Make the database first, or correct its name."),
    (
        "Unexpected parameters (",
        USER,
        "Give arguments of the types that are expected, or CAST them.",
    ),
    ("FUNCTION_NOT_FOUND", USER, "Use a function that Athena has."),
    ("Cannot apply operator", USER, "CAST one side to the type of the other."),
    ("must evaluate to a boolean", USER, "Write a comparison, such as x = 1."),
    ("TYPE_MISMATCH", USER, "CAST the column to the type of the table."),
    ("EXPRESSION_NOT_AGGREGATE", USER, "Add it to GROUP BY, or aggregate it."),
    ("AMBIGUOUS_NAME", USER, "Write the table's name before the column."),
    ("MISSING_COLUMN_NAME", USER, "Give every column of the query a name."),
    ("DUPLICATE_COLUMN_NAME", USER, "Give every column of the query a name of its own."),
    ("DIVISION_BY_ZERO", USER, "Guard the divisor with NULLIF(x, 0)."),
    ("NUMERIC_VALUE_OUT_OF_RANGE", USER, "Use a wider type, or filter the value first."),
    ("SUBQUERY_MULTIPLE_ROWS", USER, "Make the subquery give one row."),
    ("INVALID_CAST_ARGUMENT", USER, "Use TRY_CAST, or clean the value first."),
    ("INVALID_FUNCTION_ARGUMENT", USER, "Correct the argument that Athena names."),
    ("INVALID_VIEW", USER, "Make the view again: what it reads has changed."),
    ("VIEW_IS_STALE", USER, "Make the view again: what it reads has changed."),
    ("VIEW_IS_RECURSIVE", USER, "Let the view read other tables than itself."),
    ("INVALID_ARGUMENTS", USER, _SQL),
    ("INVALID_PARAMETER_USAGE", USER, _SQL),
    ("ConcurrentModificationException", CATALOGUE, ""),
    ("AlreadyExistsException", CATALOGUE, ""),
    ("InternalServiceException", PASSING, ""),
    ("OperationTimeoutException", PASSING, ""),
    ("timed out", PASSING, ""),
    ("FAILED: ParseException", USER, _SQL),
    ("FAILED: SemanticException", USER, "Correct the statement as Athena says."),
    ("CONSTRAINT_VIOLATION", USER, "Filter an injected partition column by equality."),
    (
        "MERGE_TARGET_ROW_MULTIPLE_MATCHES",
        USER,
        "Something else wrote the table: rows share their keys. Remove them, or write it anew.",
    ),
    ("NOT_SUPPORTED", USER, "Write it in a way that Athena supports."),
    ("TOO_MANY_ARGUMENTS", USER, "Give the function at most 127 arguments."),
    ("INVALID_TABLE_PROPERTY", USER, "Correct the table's properties."),
    ("HIVE_TOO_MANY_OPEN_PARTITIONS", USER, _WRITERS),
    ("ICEBERG_TOO_MANY_OPEN_PARTITIONS", USER, _WRITERS),
    (
        "HIVE_BAD_DATA",
        USER,
        "Find the file that the message names; its values break the table's types.",
    ),
    (
        "HIVE_PARTITION_SCHEMA_MISMATCH",
        USER,
        "The partition's types differ from the table's.",
    ),
    (
        "HIVE_METASTORE_ERROR",
        USER,
        "Correct the projection properties that the message names.",
    ),
    ("Query exhausted resources", EXHAUSTED, _NARROW),
    ("EXCEEDED_LOCAL_MEMORY_LIMIT", EXHAUSTED, _NARROW),
    ("EXCEEDED_MEMORY_LIMIT", EXHAUSTED, _NARROW),
    ("EXCEEDED_TIME_LIMIT", EXHAUSTED, _NARROW),
    ("Query timeout", EXHAUSTED, "Narrow the window, or raise `timeout:` in the header."),
    (
        "Bytes scanned limit was exceeded",
        EXHAUSTED,
        "Narrow the window, or raise the workgroup's limit.",
    ),
    ("Access Denied", PERMISSION, _PERMISSION),
    ("AccessDenied", PERMISSION, _PERMISSION),
    ("is not authorized to perform", PERMISSION, _PERMISSION),
    ("Insufficient permissions", PERMISSION, _PERMISSION),
    (
        "CannotPullContainerError",
        REFUSED,
        "Push the image that the message names (see `runner image`), or let the task reach it.",
    ),
    (
        "CannotStartContainerError",
        REFUSED,
        "Correct the image or its command: the container does not start.",
    ),
    ("OutOfMemoryError", EXHAUSTED, "Give the task more memory, or narrow the window."),
    ("HIVE_PATH_ALREADY_EXISTS", PASSING, ""),
    ("ICEBERG_COMMIT_ERROR", CATALOGUE, ""),
    ("the process that ran the query is gone", INTERRUPTED, ""),
    ("StageAbandoned", INTERRUPTED, ""),
)
"""Texts of causes: their kind, and advice; the first that is found counts."""
_WRITER = "Look for something else that writes there, let it end, then run again."
_READ = "A file was removed or changed while it was read: let its writer end, then run again."
LATER = (
    ("HIVE_PATH_ALREADY_EXISTS", f"Athena found files where it was to write. {_WRITER}"),
    ("ICEBERG_COMMIT_ERROR", f"Another writer changed the table at the same time. {_WRITER}"),
    (
        "ICEBERG_FILESYSTEM_ERROR",
        "Athena could not use the table's folder: let nothing else write or delete files there.",
    ),
    ("HIVE_CURSOR_ERROR", _READ),
    ("HIVE_FILESYSTEM_ERROR", _READ),
    ("HIVE_CANNOT_OPEN_SPLIT", _READ),
    ("ConcurrentModificationException", f"Another writer changed the table. {_WRITER}"),
    ("Capacity is unavailable", "Run it again later, or add subnets in other zones."),
    ("SpotInterruption", "AWS took the task's capacity back: run it again."),
    ("Host EC2", "AWS took the task's machine away: run it again."),
    ("Sandbox.Timedout", "The function ran out of time: narrow the window, or give it more."),
    ("Task timed out after", "The function ran out of time: narrow the window, or give it more."),
    (
        "Runtime.ExitError",
        "The function died, most often for want of memory: give it more, see `runner logs`.",
    ),
    ("Lambda.Unknown", "The function died: see its log with `runner logs --function`."),
    (
        "INTERNAL_ERROR",
        "Athena failed inside: run it again; if it comes again, ask AWS, naming the query's id.",
    ),
    ("Rate exceeded", "Too many calls at once: run it again, or lower `concurrency`."),
    ("TooManyRequests", "Too many statements at once: lower `concurrency`, or raise the quota."),
    ("request rate", "S3 asked for less: run it again, or lower `concurrency`."),
    ("SlowDown", "S3 asked for less: run it again, or lower `concurrency`."),
)
"""What to do about failures that often pass, for whoever meets one that did not."""
TYPES = {
    **dict.fromkeys(range(9), (EXHAUSTED, _NARROW)),
    206: (EXHAUSTED, _NARROW),
    210: (EXHAUSTED, _NARROW),
    1003: (USER, "Correct the statement as Athena says."),
    1004: (USER, "Correct the table's columns, or the files that differ from them."),
    1006: (USER, _SQL),
    1011: (INTERRUPTED, "Somebody cancelled the query."),
    1014: (INTERRUPTED, "Somebody cancelled the query."),
    **dict.fromkeys((1100, 1106), (USER, "Correct the argument that Athena names.")),
    **dict.fromkeys((1101, 1103), (USER, "Correct the table's properties.")),
    1107: (USER, "Make the view again: what it reads has changed."),
    1110: (USER, "Make the table first, or correct its name."),
    **dict.fromkeys((1200, 1201, 1202), (USER, "Write it in a way that Athena supports.")),
    1303: (USER, "Use a function that Athena has."),
    1301: (USER, "Make the database or table first, or correct its name."),
    1306: (USER, "Make the bucket first, or correct its name."),
    **dict.fromkeys(range(1400, 1407), (THROTTLED, "")),
    1500: (PERMISSION, _PERMISSION),
    1501: (PERMISSION, _PERMISSION),
    1602: (THROTTLED, ""),
}
"""AthenaError.ErrorType, where the text may say it in other words.

Source: Athena user guide, "Athena error catalog".
"""
