/*---
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
tests:
  - sql: SELECT dt FROM {{ this }} WHERE shop NOT IN (SELECT shop FROM marts.daily)
---*/
SELECT id, shop, price, dt
FROM raw.events
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
