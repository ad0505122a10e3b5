/*---
description: Orders and turnover per day and product.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2024-01-01,NOW+1DAYS"}
load:                                 # into the mart, after the table is published
  mode: merge
  keys: [dt, product]
tests:
  - unique: [dt, product]
  - range: {orders: [1, null]}
---*/
SELECT
    product,
    count(*) AS orders,
    sum(quantity) AS pieces,
    round(sum(amount), 2) AS turnover,
    '{{ vars.currency }}' AS currency,
    dt
FROM staging.orders
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY product, dt
