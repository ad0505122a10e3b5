/*---
description: Departures from New York as they arrive, one JSON object a line, a folder a day.
kind: ddl
---*/
CREATE EXTERNAL TABLE IF NOT EXISTS raw.flights (
    year int,
    month int,
    day int,
    dep_time int COMMENT 'local clock as hhmm: 517 is 5:17; null when cancelled',
    sched_dep_time int,
    dep_delay int COMMENT 'minutes; early departures are negative',
    arr_time int,
    sched_arr_time int,
    arr_delay int,
    carrier string,
    flight int,
    tailnum string,
    origin string,
    dest string,
    air_time int COMMENT 'minutes',
    distance int COMMENT 'miles',
    hour int,
    minute int,
    time_hour string COMMENT 'scheduled hour in UTC: 2013-01-01T10:00:00Z'
)
PARTITIONED BY (dt string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://{{ vars.raw_bucket }}/flights/'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd',
    'projection.dt.range' = '2013-01-01,NOW+1DAYS'
)
