/*---
description: A daily insert table with a merge load.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2024-01-01,NOW+1DAYS"}
load:
  mode: merge
  keys: [dt, shop]
tests:
  - unique: [dt, shop]
---*/
SELECT shop, count(*) AS orders, 2 * sum(quantity) AS pieces, round(sum(amount), 2) AS turnover, dt
FROM staging.orders
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY shop, dt
