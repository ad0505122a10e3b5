"""Work groups, saved statements, tags and metadata through boto3."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.athena_wire import Wire, client, open_endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_athena.type_defs import ResultConfigurationTypeDef

ARN = "arn:aws:athena:us-east-1:000000000000:"


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with open_endpoint(tmp_path_factory.mktemp("wire")) as made:
        yield made


def location(url: str) -> ResultConfigurationTypeDef:
    return {"OutputLocation": url}


def test_primary_is_there_and_cannot_be_deleted(wire: Wire) -> None:
    found = wire.athena.get_work_group(WorkGroup="primary")["WorkGroup"]
    assert (found["Name"], found["State"]) == ("primary", "ENABLED")
    settings = found["Configuration"]
    assert settings["EnforceWorkGroupConfiguration"] is False
    assert settings["ResultConfiguration"] == {"OutputLocation": "s3://results/"}
    with pytest.raises(ClientError, match="primary"):
        wire.athena.delete_work_group(WorkGroup="primary", RecursiveDeleteOption=True)


def test_a_work_group_lives_and_dies(wire: Wire) -> None:
    wire.athena.create_work_group(
        Name="team",
        Description="ours",
        Configuration={
            "ResultConfiguration": location("s3://team/"),
            "BytesScannedCutoffPerQuery": 10_000_000,
        },
        Tags=[{"Key": "a", "Value": "1"}],
    )
    with pytest.raises(ClientError, match="WorkGroup is already created"):
        wire.athena.create_work_group(Name="team")
    found = wire.athena.get_work_group(WorkGroup="team")["WorkGroup"]
    assert found["Description"] == "ours"
    assert found["Configuration"]["EnforceWorkGroupConfiguration"] is True
    assert found["Configuration"]["BytesScannedCutoffPerQuery"] == 10_000_000
    wire.athena.update_work_group(
        WorkGroup="team",
        State="DISABLED",
        ConfigurationUpdates={
            "EnforceWorkGroupConfiguration": False,
            "RemoveBytesScannedCutoffPerQuery": True,
            "ResultConfigurationUpdates": {"RemoveOutputLocation": True},
        },
    )
    found = wire.athena.get_work_group(WorkGroup="team")["WorkGroup"]
    assert found["State"] == "DISABLED"
    assert found["Configuration"]["ResultConfiguration"] == {}
    assert found["Configuration"]["EnforceWorkGroupConfiguration"] is False
    assert "BytesScannedCutoffPerQuery" not in found["Configuration"]
    names = [each["Name"] for each in wire.athena.list_work_groups()["WorkGroups"]]
    assert names == sorted(names)
    assert {"primary", "team"} <= set(names)
    with pytest.raises(ClientError, match="WorkGroup team is disabled"):
        wire.start("SELECT 1", WorkGroup="team")
    wire.athena.delete_work_group(WorkGroup="team")
    with pytest.raises(ClientError, match="WorkGroup is not found"):
        wire.athena.get_work_group(WorkGroup="team")


def test_a_work_group_that_is_used_is_deleted_only_with_its_contents(wire: Wire) -> None:
    wire.athena.create_work_group(Name="used")
    wire.athena.create_prepared_statement(
        StatementName="s1", WorkGroup="used", QueryStatement="SELECT 1"
    )
    query = wire.athena.create_named_query(
        Name="n", Database="default", QueryString="SELECT 1", WorkGroup="used"
    )["NamedQueryId"]
    identity = wire.run("SELECT 1", WorkGroup="used", ResultConfiguration=location("s3://u/"))
    with pytest.raises(ClientError, match="WorkGroup used is not empty"):
        wire.athena.delete_work_group(WorkGroup="used")
    wire.athena.delete_work_group(WorkGroup="used", RecursiveDeleteOption=True)
    with pytest.raises(ClientError, match="was not found"):
        wire.athena.get_named_query(NamedQueryId=query)
    with pytest.raises(ClientError, match="was not found"):
        wire.athena.get_query_execution(QueryExecutionId=identity["QueryExecutionId"])


def test_where_results_go(wire: Wire) -> None:
    def place(group: str, url: str = "") -> str:
        more = {"ResultConfiguration": location(url)} if url else {}
        found = wire.run("SELECT 1", WorkGroup=group, **more)
        url = found["ResultConfiguration"]["OutputLocation"]
        assert wire.s3.path_of(url).is_file()
        return url.removesuffix(f"{found['QueryExecutionId']}.csv")

    wire.athena.create_work_group(
        Name="strict", Configuration={"ResultConfiguration": location("s3://strict/x")}
    )
    wire.athena.create_work_group(
        Name="loose",
        Configuration={
            "ResultConfiguration": location("s3://loose/"),
            "EnforceWorkGroupConfiguration": False,
        },
    )
    wire.athena.create_work_group(Name="without")
    assert place("strict", "s3://mine/") == "s3://strict/x/"
    assert place("loose", "s3://mine/") == "s3://mine/"
    assert place("loose") == "s3://loose/"
    assert place("without", "s3://mine/") == "s3://mine/"
    with pytest.raises(ClientError, match="No output location provided"):
        wire.start("SELECT 1", WorkGroup="without")


def test_encryption_is_told_as_the_work_group_or_the_request_has_it(wire: Wire) -> None:
    ours: Any = {
        "OutputLocation": "s3://sealed/",
        "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
    }
    theirs: Any = {
        "OutputLocation": "s3://mine/",
        "EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": "k"},
    }
    wire.athena.create_work_group(Name="sealed", Configuration={"ResultConfiguration": ours})

    def told(**more: Any) -> tuple[Any, str]:  # noqa: ANN401
        found = wire.run("SELECT 1", **more)["ResultConfiguration"]
        return found["EncryptionConfiguration"], found["OutputLocation"].split("/")[2]

    assert told(WorkGroup="sealed", ResultConfiguration=theirs) == (
        {"EncryptionOption": "SSE_S3"},
        "sealed",
    )
    assert told(ResultConfiguration=theirs) == (
        {"EncryptionOption": "SSE_KMS", "KmsKey": "k"},
        "mine",
    )


def test_a_ctas_may_not_name_its_place_where_the_work_group_does(wire: Wire) -> None:
    wire.athena.create_work_group(
        Name="central", Configuration={"ResultConfiguration": location("s3://central/")}
    )
    with pytest.raises(ClientError, match="enforces a centralized output location"):
        wire.start(
            "CREATE TABLE x WITH (external_location = 's3://b/x/') AS SELECT 1 AS n",
            WorkGroup="central",
        )
    found = wire.run("CREATE TABLE central_x AS SELECT 1 AS n", WorkGroup="central")
    table = wire.catalog.get_table(DatabaseName="default", Name="central_x")["Table"]
    identity = found["QueryExecutionId"]
    place = table["StorageDescriptor"]["Location"].rstrip("/")
    assert place == f"s3://central/tables/{identity}"


def test_managed_results_have_no_place(wire: Wire) -> None:
    wire.athena.create_work_group(
        Name="managed", Configuration={"ManagedQueryResultsConfiguration": {"Enabled": True}}
    )
    found = wire.run("SELECT 7 AS n", WorkGroup="managed")
    assert "ResultConfiguration" not in found
    assert found["ManagedQueryResultsConfiguration"] == {"Enabled": True}
    assert wire.rows(found["QueryExecutionId"]) == [["n"], ["7"]]
    with pytest.raises(ClientError, match="ManagedQueryResultsConfiguration is enabled"):
        wire.start("SELECT 1", WorkGroup="managed", ResultConfiguration=location("s3://b/"))


def test_a_query_that_reads_too_much_is_cancelled(wire: Wire) -> None:
    wire.run(
        "CREATE TABLE wide WITH (external_location = 's3://lake/wide/') AS "
        "SELECT x, sha256(to_utf8(CAST(x AS varchar))) AS h FROM (SELECT a * 10000 + b AS x FROM "
        "UNNEST(sequence(1, 50)) AS t(a), UNNEST(sequence(1, 10000)) AS u(b))"
    )
    wire.athena.create_work_group(
        Name="thrifty",
        Configuration={
            "ResultConfiguration": location("s3://thrifty/"),
            "BytesScannedCutoffPerQuery": 10_000_000,
        },
    )
    cheap = wire.run("SELECT sum(x) FROM wide", WorkGroup="thrifty")
    assert 0 < cheap["Statistics"]["DataScannedInBytes"] < 10_000_000
    for sql in (
        "SELECT max(h) FROM wide",
        "CREATE TABLE wider WITH (format = 'PARQUET') AS SELECT x, h FROM wide",
    ):
        status = wire.wait(wire.start(sql, WorkGroup="thrifty"))["Status"]
        assert (status["State"], status["StateChangeReason"]) == (
            "CANCELLED",
            "Bytes scanned limit was exceeded",
        )
    tables = wire.catalog.get_tables(DatabaseName="default")["TableList"]
    assert "wider" not in [each["Name"] for each in tables]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"BytesScannedCutoffPerQuery": 1}, "greater than or equal to 10000000"),
        ({"ResultConfiguration": {"OutputLocation": "x"}}, "not a valid S3 path"),
        ({"EngineVersion": {"SelectedEngineVersion": "PySpark engine version 3"}}, "PySpark"),
        ({"EngineVersion": {"SelectedEngineVersion": "Athena engine version 9"}}, "Invalid engine"),
    ],
)
def test_settings_that_are_refused(wire: Wire, settings: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(ClientError, match=message):
        wire.athena.create_work_group(Name="bad", Configuration=settings)


def test_prepared_statements(wire: Wire) -> None:
    group: Mapping[str, Any] = {"WorkGroup": "primary"}
    wire.athena.create_prepared_statement(
        StatementName="by_n", QueryStatement="SELECT ? AS n", Description="d", **group
    )
    found = wire.athena.get_prepared_statement(StatementName="by_n", **group)["PreparedStatement"]
    assert (found["QueryStatement"], found["Description"]) == ("SELECT ? AS n", "d")
    assert found["LastModifiedTime"].year >= 2026
    for sql, more in (
        ("EXECUTE by_n USING 3", {}),
        ('EXECUTE "by_n"', {"ExecutionParameters": ["3"]}),
    ):
        execution = wire.run(sql, **more)
        assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "SELECT")
        assert wire.rows(execution["QueryExecutionId"]) == [["n"], ["3"]]
    wire.athena.update_prepared_statement(StatementName="by_n", QueryStatement="SELECT 4", **group)
    wire.athena.create_prepared_statement(StatementName="an", QueryStatement="SELECT 5", **group)
    pages = wire.athena.list_prepared_statements(MaxResults=1, **group)
    assert [each["StatementName"] for each in pages["PreparedStatements"]] == ["an"]
    more_pages = wire.athena.list_prepared_statements(NextToken=pages["NextToken"], **group)
    assert [each["StatementName"] for each in more_pages["PreparedStatements"]] == ["by_n"]
    batch = wire.athena.batch_get_prepared_statement(
        PreparedStatementNames=["by_n", "none"], **group
    )
    assert [each["QueryStatement"] for each in batch["PreparedStatements"]] == ["SELECT 4"]
    assert [each["StatementName"] for each in batch["UnprocessedPreparedStatementNames"]] == [
        "none"
    ]
    wire.athena.delete_prepared_statement(StatementName="by_n", **group)
    with pytest.raises(ClientError) as missing:
        wire.athena.get_prepared_statement(StatementName="by_n", **group)
    assert missing.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_named_queries(wire: Wire) -> None:
    request: dict[str, Any] = {
        "Name": "daily",
        "Database": "default",
        "QueryString": "SELECT 1",
        "ClientRequestToken": "n" * 32,
    }
    first = wire.athena.create_named_query(**request)["NamedQueryId"]
    assert wire.athena.create_named_query(**request)["NamedQueryId"] == first
    other = wire.athena.create_named_query(
        Name="other", Database="default", QueryString="SELECT 2"
    )["NamedQueryId"]
    assert wire.athena.list_named_queries()["NamedQueryIds"] == sorted([first, other])
    wire.athena.update_named_query(NamedQueryId=first, Name="weekly", QueryString="SELECT 3")
    found = wire.athena.get_named_query(NamedQueryId=first)["NamedQuery"]
    assert found == {
        "Name": "weekly",
        "Database": "default",
        "QueryString": "SELECT 3",
        "NamedQueryId": first,
        "WorkGroup": "primary",
    }
    wire.athena.delete_named_query(NamedQueryId=other)
    batch = wire.athena.batch_get_named_query(NamedQueryIds=[first, other])
    assert [each["NamedQueryId"] for each in batch["NamedQueries"]] == [first]
    assert [each["NamedQueryId"] for each in batch["UnprocessedNamedQueryIds"]] == [other]


def test_tags(wire: Wire) -> None:
    wire.athena.create_work_group(Name="tagged", Tags=[{"Key": "a", "Value": "1"}])
    arn = f"{ARN}workgroup/tagged"
    wire.athena.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    wire.athena.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert wire.athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == [
        {"Key": "b", "Value": "2"}
    ]
    with pytest.raises(ClientError) as missing:
        wire.athena.list_tags_for_resource(ResourceARN=f"{ARN}workgroup/none")
    assert missing.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_data_catalogues(wire: Wire) -> None:
    own = wire.athena.get_data_catalog(Name="awsdatacatalog")["DataCatalog"]
    assert (own["Name"], own["Type"]) == ("AwsDataCatalog", "GLUE")
    wire.athena.create_data_catalog(Name="hive", Type="HIVE", Parameters={"metadata-function": "f"})
    listed = wire.athena.list_data_catalogs()["DataCatalogsSummary"]
    assert [each["CatalogName"] for each in listed] == ["AwsDataCatalog", "hive"]
    wire.athena.update_data_catalog(Name="hive", Type="HIVE", Description="old")
    assert wire.athena.get_data_catalog(Name="hive")["DataCatalog"]["Description"] == "old"
    with pytest.raises(ClientError, match="hive"):
        wire.athena.list_databases(CatalogName="hive")
    wire.athena.delete_data_catalog(Name="hive")
    with pytest.raises(ClientError, match="DataCatalog hive was not found"):
        wire.athena.get_data_catalog(Name="hive")
    with pytest.raises(ClientError, match="DataCatalog none was not found"):
        wire.athena.list_databases(CatalogName="none")


def test_metadata_of_databases_and_tables(wire: Wire) -> None:
    catalog: Any = {"CatalogName": "AwsDataCatalog"}
    wire.run("CREATE DATABASE meta COMMENT 'about'")
    wire.run(
        "CREATE EXTERNAL TABLE meta.logs (n int COMMENT 'number', s struct<a:int>) "
        "PARTITIONED BY (dt string) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' "
        "WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true') LOCATION 's3://lake/logs/' "
        "TBLPROPERTIES ('owner' = 'ana')"
    )
    wire.run("CREATE VIEW meta.logs_view AS SELECT 1 AS one")
    database = wire.athena.get_database(DatabaseName="meta", **catalog)["Database"]
    assert (database["Name"], database["Description"]) == ("meta", "about")
    names = [each["Name"] for each in wire.athena.list_databases(**catalog)["DatabaseList"]]
    assert names == sorted(names)
    assert {"default", "meta"} <= set(names)
    table = wire.athena.get_table_metadata(DatabaseName="meta", TableName="logs", **catalog)[
        "TableMetadata"
    ]
    assert table["TableType"] == "EXTERNAL_TABLE"
    assert table["Columns"] == [
        {"Name": "n", "Type": "int", "Comment": "number"},
        {"Name": "s", "Type": "struct<a:int>"},
    ]
    assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    parameters = table["Parameters"]
    assert parameters["location"] == "s3://lake/logs"
    assert parameters["owner"] == "ana"
    assert parameters["serde.serialization.lib"] == "org.openx.data.jsonserde.JsonSerDe"
    assert parameters["serde.param.ignore.malformed.json"] == "true"
    listed = wire.athena.list_table_metadata(DatabaseName="meta", MaxResults=1, **catalog)
    assert [each["Name"] for each in listed["TableMetadataList"]] == ["logs"]
    rest = wire.athena.list_table_metadata(
        DatabaseName="meta", NextToken=listed["NextToken"], **catalog
    )
    assert [each["TableType"] for each in rest["TableMetadataList"]] == ["VIRTUAL_VIEW"]
    some = wire.athena.list_table_metadata(DatabaseName="meta", Expression=".*_view", **catalog)
    assert [each["Name"] for each in some["TableMetadataList"]] == ["logs_view"]
    for operation, members in (
        ("get_table_metadata", {"DatabaseName": "meta", "TableName": "none"}),
        ("get_database", {"DatabaseName": "none"}),
        ("list_table_metadata", {"DatabaseName": "none"}),
    ):
        with pytest.raises(ClientError) as missing:
            getattr(wire.athena, operation)(**members, **catalog)
        assert missing.value.response["Error"]["Code"] == "MetadataException"
        assert "Error Code: EntityNotFoundException" in str(missing.value)


def test_metadata_squeeze_the_blanks_of_parameters(wire: Wire) -> None:
    wire.run(
        "CREATE EXTERNAL TABLE squeezed (n int) COMMENT 'one\n\ntwo' ROW FORMAT SERDE "
        "'org.openx.data.jsonserde.JsonSerDe' WITH SERDEPROPERTIES ('x' = '{\n   }') "
        "LOCATION 's3://lake/squeezed/'"
    )
    parameters = wire.athena.get_table_metadata(
        CatalogName="AwsDataCatalog", DatabaseName="default", TableName="squeezed"
    )["TableMetadata"]["Parameters"]
    assert parameters["comment"] == "one two"
    assert parameters["serde.param.x"] == "{\n }"
    assert parameters["outputformat"] == "org.apache.hadoop.hive.ql.io.IgnoreKeyTextOutputFormat"


def test_one_port_answers_for_all_services(wire: Wire) -> None:
    s3, glue, sts = (client(wire.url, name) for name in ("s3", "glue", "sts"))
    s3.create_bucket(Bucket="several")
    s3.put_object(Bucket="several", Key="k", Body=b"v")
    assert s3.get_object(Bucket="several", Key="k")["Body"].read() == b"v"
    s3.delete_objects(Bucket="several", Delete={"Objects": [{"Key": "k"}]})
    assert "default" in [each["Name"] for each in glue.get_databases()["DatabaseList"]]
    assert sts.get_caller_identity()["Account"] == "000000000000"
    role = sts.assume_role(RoleArn="arn:aws:iam::111122223333:role/p/x", RoleSessionName="s")
    assert role["AssumedRoleUser"]["Arn"] == "arn:aws:sts::111122223333:assumed-role/x/s"
    assert role["Credentials"]["Expiration"] > datetime.now(UTC)
    assert sts.get_session_token()["Credentials"]["SessionToken"] == "local"
    with pytest.raises(ClientError, match="nothing is invalid"):
        sts.assume_role(RoleSessionName="s")
    with pytest.raises(ClientError, match="GetFederationToken is not served here"):
        sts.get_federation_token(Name="n")
    for each in (s3, glue, sts):
        each.close()
