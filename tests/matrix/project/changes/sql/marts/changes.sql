/*---
description: An Iceberg table of days without keys.
format: iceberg
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2024-01-01,NOW+1DAYS"}
---*/
SELECT shop, 2 * quantity AS pieces, dt
FROM staging.orders
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
