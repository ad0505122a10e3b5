/*---
description: Changes of watched flights as the stream brought them, a folder a day of arrival (UTC).
kind: ddl
---*/
-- The columns are those of COLUMNS in lambdas/watch_rows/function.yaml; OpenCSV reads all as text.
CREATE EXTERNAL TABLE IF NOT EXISTS app_raw.watches (
    event string,
    sequence string COMMENT 'of the change; a stream may bring one twice',
    changed_at string,
    watch_id string,
    user_id string,
    carrier string,
    origin string,
    flight string,
    flies_on string,
    threshold_minutes string
)
PARTITIONED BY (dt string)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
LOCATION 's3://{{ vars.app_bucket }}/watches/'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd',
    'projection.dt.range' = '2013-01-01,NOW+1DAYS'
)
