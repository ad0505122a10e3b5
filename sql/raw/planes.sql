/*---
description: Planes by tail number. Some that flew are missing here.
kind: ddl
---*/
CREATE EXTERNAL TABLE IF NOT EXISTS raw.planes (
    tailnum string,
    year int COMMENT 'built',
    type string,
    manufacturer string,
    model string,
    engines int,
    seats int,
    speed int,
    engine string
)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ','
LOCATION 's3://{{ vars.raw_bucket }}/planes/'
TBLPROPERTIES ('skip.header.line.count' = '1')
