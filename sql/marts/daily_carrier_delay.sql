/*---
description: Flights, cancellations and delays per carrier and day.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
load:
  mode: merge
  keys: [dt, carrier]
tests:
  - unique: [dt, carrier]
  - not_null: [flights, cancelled, late]
  - range: {flights: [1, null]}
  - relationships: {carrier: raw.airlines.carrier}
  - sql: late + cancelled > flights
    name: flights are late or cancelled, not both
---*/
SELECT
    carrier,
    count(*) AS flights,
    count_if(cancelled) AS cancelled,
    count_if(dep_delay_minutes >= {{ vars.late_minutes }}) AS late,
    sum(dep_delay_minutes) AS dep_delay_minutes,
    avg(dep_delay_minutes) AS mean_dep_delay,       -- of flights that left
    avg(arr_delay_minutes) AS mean_arr_delay,       -- of flights that arrived
    dt
FROM staging.flights
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY carrier, dt
