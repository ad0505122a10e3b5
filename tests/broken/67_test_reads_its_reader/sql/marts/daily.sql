/*---
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
load: {}
tests:
  - relationships: {shop: marts.daily.shop}
---*/
SELECT shop, {{ total('price') }} AS total, dt
FROM staging.events
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY shop, dt
