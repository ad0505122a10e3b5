/*---
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
load: {}
tests:
  - sql: totl < 0
  - sql: SELECT dt FROM {{ this }} AS t JOIN crm.customers AS c ON c.nam = t.shop
---*/
SELECT shop, {{ total('price') }} AS total, dt
FROM staging.events
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY shop, dt
