/*---
description: Every customer since the beginning. Without `partition` a table is written whole.
load: {}
tests:
  - unique: [customer]
---*/
SELECT
    customer,
    count(*) AS orders,
    round(sum(amount), 2) AS turnover,
    min(dt) AS first_dt,
    max(dt) AS last_dt
FROM staging.orders
GROUP BY customer
