/*---
description: An Iceberg table by keys and days, merged into the mart.
format: iceberg
keys: [shop]
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2024-01-01,NOW+1DAYS"}
load:
  mode: replace_window
---*/
SELECT shop, count(*) AS orders, sum(quantity) AS pieces, dt
FROM staging.orders
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY shop, dt
