/*---
description: Every route since the beginning. Written whole in each run.
load: {}                            # the default of whole tables: replace
tests:
  - unique: [origin, dest]
  - not_null: [flights, dest_name]
---*/
SELECT
    f.origin,
    f.dest,
    coalesce(a.name, f.dest) AS dest_name,
    count(*) AS flights,
    {{ rate('count_if(f.cancelled)', 'count(*)') }} AS cancelled_share,
    avg(f.dep_delay_minutes) AS mean_dep_delay,
    avg(f.air_minutes) AS mean_air_minutes,
    min(f.distance_miles) AS distance_miles,
    sum(p.seats) AS known_seats,                       -- of planes in the register
    min(f.dt) AS first_dt,
    max(f.dt) AS last_dt
FROM staging.flights AS f
LEFT JOIN raw.planes AS p ON p.tailnum = f.tailnum
LEFT JOIN raw.airports AS a ON a.faa = f.dest
GROUP BY f.origin, f.dest, a.name
