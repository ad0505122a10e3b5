/*---
description: Airports by FAA code. Those of the Caribbean are missing here.
kind: ddl
---*/
CREATE EXTERNAL TABLE IF NOT EXISTS raw.airports (
    faa string,
    name string,
    lat double,
    lon double,
    alt int COMMENT 'feet',
    tz int COMMENT 'hours from UTC',
    dst string,
    tzone string
)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ','
LOCATION 's3://{{ vars.raw_bucket }}/airports/'
TBLPROPERTIES ('skip.header.line.count' = '1')
