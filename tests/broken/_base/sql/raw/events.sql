/*---
kind: ddl
---*/
CREATE EXTERNAL TABLE raw.events (
    id bigint,
    shop string,
    price double
)
PARTITIONED BY (dt string)
STORED AS PARQUET
LOCATION 's3://lake/raw/events/'
