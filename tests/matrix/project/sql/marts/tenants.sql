/*---
description: An insert table with an injected partition column.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2024-01-01,NOW+1DAYS"}
  tenant: {type: injected, values: [x, y]}
---*/
SELECT count(*) AS orders, dt, tenant
FROM staging.orders
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY dt, tenant
