/*---
description: Departures from New York, one row a scheduled flight, by local date.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
tests:
  - unique: [dt, carrier, flight, origin]
  - not_null: [carrier, origin, dest, scheduled_hour_utc, scheduled_at]
  - min_rows: 400
    severity: warn
  - accepted_values: {origin: [EWR, JFK, LGA]}
  - freshness: {column: scheduled_at, max_age: 6h}     # the last departure is in the evening
    severity: warn
---*/
SELECT
    carrier,
    flight,
    tailnum,
    origin,
    dest,
    {{ clock('dt', 'sched_dep_time') }} AS scheduled_at,    -- a local timestamp
    {{ utc('time_hour') }} AS scheduled_hour_utc,           -- its hour, for joins
    dep_time IS NULL AS cancelled,
    dep_delay AS dep_delay_minutes,
    arr_delay AS arr_delay_minutes,
    air_time AS air_minutes,
    distance AS distance_miles,
    dt
FROM raw.flights
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
