/*---
description: The first day of a table that reads itself. Only so can the table come to be.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2024-01-01,NOW+1DAYS"}
---*/
SELECT shop, CAST(sum(quantity) AS bigint) AS pieces, dt
FROM staging.orders
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY shop, dt
