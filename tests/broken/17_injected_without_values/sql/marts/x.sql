/*---
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
  shop: {type: injected}
---*/
SELECT id, dt, shop FROM staging.events
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
