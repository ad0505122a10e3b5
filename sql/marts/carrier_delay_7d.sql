/*---
description: Mean departure delay per carrier over the seven days that end on dt.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
load:
  mode: merge
  keys: [dt, carrier]
tests:
  - unique: [dt, carrier]
  - range: {days: [1, 7]}
---*/
-- Reads six days before the window; the first days of 2013 have fewer to look back on.
WITH rolling AS (
    SELECT
        carrier,
        dt,
        count(*) OVER week AS days,
        sum(flights) OVER week AS flights,
        sum(flights - cancelled) OVER week AS departed,
        sum(dep_delay_minutes) OVER week AS dep_delay_minutes
    FROM marts.daily_carrier_delay
    WHERE dt BETWEEN '{{ start.add(days=-6) }}' AND '{{ end }}'
    WINDOW week AS (
        PARTITION BY carrier
        ORDER BY CAST(dt AS date)
        RANGE BETWEEN INTERVAL '6' DAY PRECEDING AND CURRENT ROW
    )
)
SELECT
    rolling.carrier,
    names.carrier_name,
    rolling.days,
    rolling.flights,
    {{ rate('rolling.dep_delay_minutes', 'rolling.departed') }} AS mean_dep_delay,
    rolling.dt
FROM rolling
LEFT JOIN carrier_names AS names ON names.carrier = rolling.carrier
WHERE rolling.dt BETWEEN '{{ start }}' AND '{{ end }}'
