/*---
description: Hourly weather at the three airports as it arrives, one JSON object a line.
kind: ddl
---*/
CREATE EXTERNAL TABLE IF NOT EXISTS raw.weather (
    origin string,
    year int,
    month int,
    day int,
    hour int COMMENT 'local; the hour 1 comes twice when summer time ends',
    temp double COMMENT 'Fahrenheit',
    dewp double,
    humid double,
    wind_dir int COMMENT 'degrees',
    wind_speed double COMMENT 'miles per hour',
    wind_gust double,
    precip double COMMENT 'inches',
    pressure double COMMENT 'millibars',
    visib double COMMENT 'miles',
    time_hour string COMMENT 'the hour in UTC: 2013-01-01T06:00:00Z'
)
PARTITIONED BY (dt string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://{{ vars.raw_bucket }}/weather/'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd',
    'projection.dt.range' = '2013-01-01,NOW+1DAYS'
)
