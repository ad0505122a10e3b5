/*---
description: Names of carriers.
kind: ddl
---*/
CREATE EXTERNAL TABLE IF NOT EXISTS raw.airlines (
    carrier string,
    name string
)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ','
LOCATION 's3://{{ vars.raw_bucket }}/airlines/'
TBLPROPERTIES ('skip.header.line.count' = '1')
