/*---
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
---*/
SELECT shop, dt
FROM staging.events
