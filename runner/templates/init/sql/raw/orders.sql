/*---
description: Orders as the shop writes them, one JSON object a line, a folder a day.
kind: ddl
---*/
CREATE EXTERNAL TABLE IF NOT EXISTS raw.orders (
    id bigint,
    customer string,
    product string,
    quantity int,
    price double,
    ordered_at string COMMENT 'in UTC: 2024-01-01T08:15:00Z'
)
PARTITIONED BY (dt string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://{{ vars.raw_bucket }}/orders/'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd',
    'projection.dt.range' = '2024-01-01,NOW+1DAYS'
)
