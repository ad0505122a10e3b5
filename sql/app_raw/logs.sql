/*---
description: Requests to the app as the stream brought them, a folder a day of arrival (UTC).
kind: ddl
---*/
CREATE EXTERNAL TABLE IF NOT EXISTS app_raw.logs (
    time string COMMENT '2013-01-01T10:00:00.123Z',
    request_id string,
    user_id int COMMENT 'null before the login',
    session_id string,
    action string,
    status int,
    duration_ms int,
    params_carrier string,
    params_origin string,
    device_os string
)
PARTITIONED BY (dt string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://{{ vars.app_bucket }}/logs/'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd',
    'projection.dt.range' = '2013-01-01,NOW+1DAYS'
)
