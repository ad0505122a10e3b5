/*---
description: A daily insert table; everything else reads it.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2024-01-01,NOW+1DAYS"}
tests:
  - unique: [id]
---*/
SELECT id, customer, shop, tenant, quantity, quantity * price AS amount, price, hour, dt
FROM raw.orders
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
