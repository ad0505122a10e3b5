/*---
description: Departure delays per airport and scheduled hour, beside that hour's weather.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
load: {}                            # the default of partitioned tables: replace the window's rows
tests:
  - unique: [dt, origin, hour_utc]
  - not_null: [flights]
---*/
-- Delays are counted first, so that the join can only add columns, never rows.
WITH delays AS (
    SELECT
        dt,
        origin,
        scheduled_hour_utc AS hour_utc,
        hour(min(scheduled_at)) AS local_hour,
        count(*) AS flights,
        avg(dep_delay_minutes) AS mean_dep_delay
    FROM staging.flights
    WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
    GROUP BY dt, origin, scheduled_hour_utc
),
observed AS (
    SELECT *
    FROM staging.weather
    WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
)
SELECT
    delays.origin,
    delays.hour_utc,
    delays.local_hour,
    delays.flights,
    delays.mean_dep_delay,
    observed.temperature_f,
    observed.wind_mph,
    observed.rain_inches,
    observed.visibility_miles,
    delays.dt
FROM delays
LEFT JOIN observed
    ON observed.dt = delays.dt
    AND observed.origin = delays.origin
    AND observed.hour_utc = delays.hour_utc
