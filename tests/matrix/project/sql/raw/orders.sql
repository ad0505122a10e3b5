/*---
description: Orders, one JSON object a line, a folder a day.
kind: ddl
---*/
CREATE EXTERNAL TABLE IF NOT EXISTS raw.orders (
    id bigint,
    customer string,
    shop string,
    tenant string,
    quantity int,
    price double,
    hour string
)
PARTITIONED BY (dt string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://raw/orders/'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd',
    'projection.dt.range' = '2024-01-01,NOW+1DAYS'
)
