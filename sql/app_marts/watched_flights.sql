/*---
description: Watched flights per day and carrier, and for how many of the watches an alert was due.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
load: {}
tests:
  - unique: [dt, carrier]
  - relationships: {carrier: raw.airlines.carrier}
---*/
-- A flight is watched two days ahead at most; what is changed after its day does not count.
WITH changes AS (
    SELECT *, max(flies_on) OVER (PARTITION BY watch_id) AS flight_day  -- REMOVE has the key alone
    FROM app.watches
    WHERE dt BETWEEN '{{ start.add(days=-2) }}' AND '{{ end }}'
), latest AS (
    SELECT *, row_number() OVER (
        PARTITION BY watch_id ORDER BY CAST(sequence AS decimal(38, 0)) DESC
    ) AS place
    FROM changes
    WHERE CAST(dt AS date) <= flight_day
)
SELECT
    flights.carrier,
    count(*) AS watches,
    count(DISTINCT latest.flight) AS flights,
    count_if(flights.cancelled OR flights.dep_delay_minutes >= latest.threshold_minutes) AS alerts_due,
    flights.dt
FROM latest
JOIN staging.flights AS flights
    ON CAST(flights.dt AS date) = latest.flight_day
    AND flights.carrier = latest.carrier
    AND flights.origin = latest.origin
    AND flights.flight = latest.flight
WHERE latest.place = 1
    AND latest.event <> 'REMOVE'
    AND flights.dt BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY flights.carrier, flights.dt
