"""The shapes of Glue's requests: required members, lengths, patterns, choices.

In: the members of an operation's request.  Out: nothing, or the refusal.  What the shapes say is
what botocore's model of the service says; a test compares the two.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from runner.local.glue.errors import invalid, malformed
from runner.local.glue.shapes import (
    Flag,
    Instant,
    Items,
    Members,
    Opaque,
    Pairs,
    Real,
    Text,
    Whole,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.glue.shapes import Shape

_CHARACTERS = "[ -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff"
_LINE = re.compile(_CHARACTERS + "\t]*")
_LINES = re.compile(_CHARACTERS + "\r\n\t]*")
_NAME = Text(1, 255, _LINE, plain=True)
_ANY_TEXT = Text()
_COUNT = Whole(0)
_WHOLE = Whole()
_FLAG = Flag()
_INSTANT = Instant()
_OPAQUE = Opaque()
_DESCRIPTION = Text(0, 2048, _LINES, plain=True)
_LOCATION = Text(0, 2056, _LINES, plain=True)
_FORMAT = Text(0, 128, _LINE, plain=True)
_PARAMETERS = Pairs(_NAME, Text(0, 512000))
_VALUE = Text(1, 1024)
_VALUES = Items(_VALUE)
_SHORT_VALUES = Items(_VALUE, most=100)
_TAG = Text(1, 128)
_ARN = Text(1, 10240, re.compile(r"arn:aws(-(cn|us-gov|iso(-[bef])?))?:glue:.*"))
_TRANSACTION = Text(1, 255)
_SHARE = Text(choices=("FOREIGN", "ALL", "FEDERATED"))
_PAGE = Whole(1, 1000)
_SMALL_PAGE = Whole(1, 100)
_COLUMN_TYPE = Text(0, 131072, _LINE, plain=True)
_VIEW_TEXT = Text(0, 409600)
_COLUMNS = Items(
    Members(
        {
            "Name": _NAME,
            "Type": _COLUMN_TYPE,
            "Comment": Text(0, 255, _LINE, plain=True),
            "Parameters": _PARAMETERS,
        },
        ("Name",),
    )
)
_STORAGE = Members(
    {
        "Columns": _COLUMNS,
        "Location": _LOCATION,
        "AdditionalLocations": Items(_LOCATION),
        "InputFormat": _FORMAT,
        "OutputFormat": _FORMAT,
        "Compressed": _FLAG,
        "NumberOfBuckets": _WHOLE,
        "SerdeInfo": Members(
            {"Name": _NAME, "SerializationLibrary": _NAME, "Parameters": _PARAMETERS}
        ),
        "BucketColumns": Items(_NAME),
        "SortColumns": Items(
            Members({"Column": _NAME, "SortOrder": Whole(0, 1)}, ("Column", "SortOrder"))
        ),
        "Parameters": _PARAMETERS,
        "SkewedInfo": _OPAQUE,
        "StoredAsSubDirectories": _FLAG,
        "SchemaReference": _OPAQUE,
    }
)
_TABLE_INPUT = Members(
    {
        "Name": _NAME,
        "Description": _DESCRIPTION,
        "Owner": _NAME,
        "LastAccessTime": _INSTANT,
        "LastAnalyzedTime": _INSTANT,
        "Retention": _COUNT,
        "StorageDescriptor": _STORAGE,
        "PartitionKeys": _COLUMNS,
        "ViewOriginalText": _VIEW_TEXT,
        "ViewExpandedText": _VIEW_TEXT,
        "TableType": Text(0, 255),
        "Parameters": _PARAMETERS,
        "TargetTable": _OPAQUE,
        "FederatedTable": _OPAQUE,
        "ViewDefinition": _OPAQUE,
    },
    ("Name",),
)
_DATABASE_INPUT = Members(
    {
        "Name": _NAME,
        "Description": _DESCRIPTION,
        "LocationUri": Text(1, 1024, _LINES, plain=True),
        "Parameters": _PARAMETERS,
        "CreateTableDefaultPermissions": _OPAQUE,
        "TargetDatabase": _OPAQUE,
        "FederatedDatabase": _OPAQUE,
    },
    ("Name",),
)
_PARTITION_INPUT = Members(
    {
        "Values": _VALUES,
        "LastAccessTime": _INSTANT,
        "StorageDescriptor": _STORAGE,
        "Parameters": _PARAMETERS,
        "LastAnalyzedTime": _INSTANT,
    }
)
_INDEX = Members({"Keys": Items(_NAME, 1), "IndexName": _NAME}, ("Keys", "IndexName"))
_STATISTICS = Members(
    {
        "ColumnName": _NAME,
        "ColumnType": Text(0, 20000, _LINE, plain=True),
        "AnalyzedTime": _INSTANT,
        "StatisticsData": Members(
            {
                "Type": Text(
                    choices=("BOOLEAN", "DATE", "DECIMAL", "DOUBLE", "LONG", "STRING", "BINARY")
                ),
                "BooleanColumnStatisticsData": Members(
                    {
                        "NumberOfTrues": _COUNT,
                        "NumberOfFalses": _COUNT,
                        "NumberOfNulls": _COUNT,
                    },
                    ("NumberOfTrues", "NumberOfFalses", "NumberOfNulls"),
                ),
                "DateColumnStatisticsData": Members(
                    {
                        "MinimumValue": _INSTANT,
                        "MaximumValue": _INSTANT,
                        "NumberOfNulls": _COUNT,
                        "NumberOfDistinctValues": _COUNT,
                    },
                    ("NumberOfNulls", "NumberOfDistinctValues"),
                ),
                "DecimalColumnStatisticsData": Members(
                    {
                        "MinimumValue": _OPAQUE,
                        "MaximumValue": _OPAQUE,
                        "NumberOfNulls": _COUNT,
                        "NumberOfDistinctValues": _COUNT,
                    },
                    ("NumberOfNulls", "NumberOfDistinctValues"),
                ),
                "DoubleColumnStatisticsData": Members(
                    {
                        "MinimumValue": Real(),
                        "MaximumValue": Real(),
                        "NumberOfNulls": _COUNT,
                        "NumberOfDistinctValues": _COUNT,
                    },
                    ("NumberOfNulls", "NumberOfDistinctValues"),
                ),
                "LongColumnStatisticsData": Members(
                    {
                        "MinimumValue": _WHOLE,
                        "MaximumValue": _WHOLE,
                        "NumberOfNulls": _COUNT,
                        "NumberOfDistinctValues": _COUNT,
                    },
                    ("NumberOfNulls", "NumberOfDistinctValues"),
                ),
                "StringColumnStatisticsData": Members(
                    {
                        "MaximumLength": _COUNT,
                        "AverageLength": Real(0.0),
                        "NumberOfNulls": _COUNT,
                        "NumberOfDistinctValues": _COUNT,
                    },
                    ("MaximumLength", "AverageLength", "NumberOfNulls", "NumberOfDistinctValues"),
                ),
                "BinaryColumnStatisticsData": Members(
                    {
                        "MaximumLength": _COUNT,
                        "AverageLength": Real(0.0),
                        "NumberOfNulls": _COUNT,
                    },
                    ("MaximumLength", "AverageLength", "NumberOfNulls"),
                ),
            },
            ("Type",),
        ),
    },
    ("ColumnName", "ColumnType", "AnalyzedTime", "StatisticsData"),
)
_STATISTICS_LIST = Items(_STATISTICS, most=25)
_COLUMN_NAMES = Items(_NAME, most=100)
_ENTRY = Members({"Values": _VALUES}, ("Values",))


def _request(*required: str, **shapes: Shape) -> Members:
    return Members({"CatalogId": _NAME, **shapes}, required)


def _of_database(*required: str, **shapes: Shape) -> Members:
    return _request("DatabaseName", *required, DatabaseName=_NAME, **shapes)


def _of_table(*required: str, **shapes: Shape) -> Members:
    return _of_database("TableName", *required, TableName=_NAME, **shapes)


REQUESTS: Mapping[str, Members] = {
    "CreateDatabase": _request(
        "DatabaseInput", DatabaseInput=_DATABASE_INPUT, Tags=Pairs(_TAG, Text(0, 256), 50)
    ),
    "GetDatabase": _request("Name", Name=_NAME),
    "GetDatabases": _request(
        NextToken=_ANY_TEXT,
        MaxResults=_SMALL_PAGE,
        ResourceShareType=_SHARE,
        AttributesToGet=Items(Text(choices=("NAME", "TARGET_DATABASE"))),
    ),
    "UpdateDatabase": _request("Name", "DatabaseInput", Name=_NAME, DatabaseInput=_DATABASE_INPUT),
    "DeleteDatabase": _request("Name", Name=_NAME),
    "CreateTable": _of_database(
        Name=_NAME,
        TableInput=_TABLE_INPUT,
        PartitionIndexes=Items(_INDEX),
        TransactionId=_TRANSACTION,
        OpenTableFormatInput=_OPAQUE,
    ),
    "GetTable": _of_database(
        "Name",
        Name=_NAME,
        TransactionId=_TRANSACTION,
        QueryAsOfTime=_INSTANT,
        AuditContext=_OPAQUE,
        IncludeStatusDetails=_FLAG,
        AttributesToGet=Items(
            Text(choices=("NAME", "TABLE_TYPE", "DEFAULT", "LATEST_ICEBERG_METADATA"))
        ),
    ),
    "GetTables": _of_database(
        Expression=Text(0, 2048, _LINE, plain=True),
        NextToken=_ANY_TEXT,
        MaxResults=_SMALL_PAGE,
        TransactionId=_TRANSACTION,
        QueryAsOfTime=_INSTANT,
        AuditContext=_OPAQUE,
        ResourceShareType=Text(choices=("FEDERATED", "ALL")),
        IncludeStatusDetails=_FLAG,
        AttributesToGet=Items(
            Text(choices=("NAME", "TABLE_TYPE", "DEFAULT", "LATEST_ICEBERG_METADATA"))
        ),
    ),
    "UpdateTable": _of_database(
        Name=_NAME,
        TableInput=_TABLE_INPUT,
        SkipArchive=_FLAG,
        TransactionId=_TRANSACTION,
        VersionId=_NAME,
        ViewUpdateAction=Text(choices=("ADD", "REPLACE", "ADD_OR_REPLACE", "DROP")),
        Force=_FLAG,
        UpdateOpenTableFormatInput=_OPAQUE,
    ),
    "DeleteTable": _of_database("Name", Name=_NAME, TransactionId=_TRANSACTION),
    "BatchDeleteTable": _of_database(
        "TablesToDelete", TablesToDelete=Items(_NAME, most=100), TransactionId=_TRANSACTION
    ),
    "GetTableVersion": _of_table(VersionId=_NAME, AuditContext=_OPAQUE),
    "GetTableVersions": _of_table(
        NextToken=_ANY_TEXT, MaxResults=_SMALL_PAGE, AuditContext=_OPAQUE
    ),
    "DeleteTableVersion": _of_table("VersionId", VersionId=_NAME),
    "BatchDeleteTableVersion": _of_table("VersionIds", VersionIds=Items(_NAME, most=100)),
    "SearchTables": _request(
        NextToken=_ANY_TEXT,
        Filters=Items(
            Members(
                {
                    "Key": _VALUE,
                    "Value": _VALUE,
                    "Comparator": Text(
                        choices=(
                            "EQUALS",
                            "GREATER_THAN",
                            "LESS_THAN",
                            "GREATER_THAN_EQUALS",
                            "LESS_THAN_EQUALS",
                        )
                    ),
                }
            )
        ),
        SearchText=_VALUE,
        SortCriteria=Items(
            Members({"FieldName": _VALUE, "Sort": Text(choices=("ASC", "DESC"))}), most=1
        ),
        MaxResults=_PAGE,
        ResourceShareType=_SHARE,
        IncludeStatusDetails=_FLAG,
    ),
    "CreatePartition": _of_table("PartitionInput", PartitionInput=_PARTITION_INPUT),
    "BatchCreatePartition": _of_table(
        "PartitionInputList", PartitionInputList=Items(_PARTITION_INPUT, most=100)
    ),
    "GetPartition": _of_table("PartitionValues", PartitionValues=_VALUES, AuditContext=_OPAQUE),
    "GetPartitions": _of_table(
        Expression=Text(0, 2048, _LINES, plain=True),
        NextToken=_ANY_TEXT,
        Segment=Members(
            {"SegmentNumber": _COUNT, "TotalSegments": Whole(1, 10)},
            ("SegmentNumber", "TotalSegments"),
        ),
        MaxResults=_PAGE,
        ExcludeColumnSchema=_FLAG,
        TransactionId=_TRANSACTION,
        QueryAsOfTime=_INSTANT,
        AuditContext=_OPAQUE,
    ),
    "BatchGetPartition": _of_table(
        "PartitionsToGet",
        PartitionsToGet=Items(_ENTRY, most=1000),
        AuditContext=_OPAQUE,
        QuerySessionContext=_OPAQUE,
    ),
    "UpdatePartition": _of_table(
        "PartitionValueList",
        "PartitionInput",
        PartitionValueList=_SHORT_VALUES,
        PartitionInput=_PARTITION_INPUT,
    ),
    "BatchUpdatePartition": _of_table(
        "Entries",
        Entries=Items(
            Members(
                {"PartitionValueList": _SHORT_VALUES, "PartitionInput": _PARTITION_INPUT},
                ("PartitionValueList", "PartitionInput"),
            ),
            1,
            100,
        ),
    ),
    "DeletePartition": _of_table("PartitionValues", PartitionValues=_VALUES),
    "BatchDeletePartition": _of_table(
        "PartitionsToDelete", PartitionsToDelete=Items(_ENTRY, most=25)
    ),
    "CreatePartitionIndex": _of_table("PartitionIndex", PartitionIndex=_INDEX),
    "GetPartitionIndexes": _of_table(NextToken=_ANY_TEXT),
    "DeletePartitionIndex": _of_table("IndexName", IndexName=_NAME),
    "GetColumnStatisticsForTable": _of_table("ColumnNames", ColumnNames=_COLUMN_NAMES),
    "GetColumnStatisticsForPartition": _of_table(
        "PartitionValues", "ColumnNames", PartitionValues=_VALUES, ColumnNames=_COLUMN_NAMES
    ),
    "UpdateColumnStatisticsForTable": _of_table(
        "ColumnStatisticsList", ColumnStatisticsList=_STATISTICS_LIST
    ),
    "UpdateColumnStatisticsForPartition": _of_table(
        "PartitionValues",
        "ColumnStatisticsList",
        PartitionValues=_VALUES,
        ColumnStatisticsList=_STATISTICS_LIST,
    ),
    "DeleteColumnStatisticsForTable": _of_table("ColumnName", ColumnName=_NAME),
    "DeleteColumnStatisticsForPartition": _of_table(
        "PartitionValues", "ColumnName", PartitionValues=_VALUES, ColumnName=_NAME
    ),
    "GetTags": Members({"ResourceArn": _ARN}, ("ResourceArn",)),
    "TagResource": Members(
        {"ResourceArn": _ARN, "TagsToAdd": Pairs(_TAG, Text(0, 256), 50)},
        ("ResourceArn", "TagsToAdd"),
    ),
    "UntagResource": Members(
        {"ResourceArn": _ARN, "TagsToRemove": Items(_TAG, most=50)},
        ("ResourceArn", "TagsToRemove"),
    ),
}
"""By operation; where a value's shape is opaque, it is kept or passed over as it comes."""
_DESCRIPTIONS = ("DatabaseInput", "TableInput", "PartitionInput")


def check(operation: str, given: Mapping[str, Any]) -> None:
    """Refuse a request that breaks a limit, or describes with a member that Glue does not know."""
    shape, found = REQUESTS[operation], list[str]()
    shape.check(given, (), found)
    if found:
        raise malformed(found)
    for name in _DESCRIPTIONS:
        if name in given and name in shape.shapes:
            _refuse_unknown(name, given[name], shape.shapes[name])
    for each in given.get("PartitionInputList", ()):
        _refuse_unknown("PartitionInput", each, _PARTITION_INPUT)


def missing(operation: str, given: Mapping[str, Any]) -> list[str]:
    """Name the members that the operation needs and has not got."""
    return [name for name in REQUESTS[operation].required if given.get(name) is None]


def _refuse_unknown(name: str, given: Mapping[str, Any], shape: Shape) -> None:
    known = shape.shapes if isinstance(shape, Members) else {}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise invalid(f'Unknown parameter in {name}: "{unknown[0]}"')
