/*---
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
load: {}
tests:
  - relationships: {shop: crm.customer.name}
  - relationships: {shop: crm.customers.nam}
  - relationships: {shop: customers.name}
  - relationships: {shopp: crm.customers.name}
  - freshness: {column: at, max_age: 2d}
---*/
SELECT shop, {{ total('price') }} AS total, dt
FROM staging.events
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY shop, dt
