/*---
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
---*/
SELECT id, shop, price, dt
FROM raw.events
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
