/*---
description: Routes of each New York airport, the busiest first; a partition an airport.
kind: ctas
partition:
  origin: {type: enum, values: [EWR, JFK, LGA]}
tests:
  - unique: [origin, place]
---*/
SELECT
    row_number() OVER (PARTITION BY origin ORDER BY flights DESC, dest) AS place,
    dest,
    dest_name,
    flights,
    mean_dep_delay,
    origin
FROM route_summary
