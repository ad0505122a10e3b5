/*---
description: A table written whole, with a load that replaces the mart's table.
load: {}
tests:
  - unique: [customer]
---*/
SELECT customer, count(*) AS orders, max(dt) AS last_dt, round(sum(amount), 2) AS turnover
FROM staging.orders
GROUP BY customer
