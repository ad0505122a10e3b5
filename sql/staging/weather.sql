/*---
description: Weather at the three airports, one row an airport and hour, by local date.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
tests:
  - unique: [dt, origin, hour_utc]  # the local hour would come twice when summer time ends
  - not_null: [origin, hour_utc]
---*/
SELECT
    origin,
    {{ utc('time_hour') }} AS hour_utc,
    temp AS temperature_f,
    humid AS humidity_percent,
    wind_dir AS wind_degrees,
    wind_speed AS wind_mph,
    wind_gust AS gust_mph,
    precip AS rain_inches,
    pressure AS pressure_mbar,
    visib AS visibility_miles,
    dt
FROM raw.weather
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
