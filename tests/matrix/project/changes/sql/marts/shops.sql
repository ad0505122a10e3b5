/*---
description: A table written whole in partitions.
kind: ctas
partition:
  shop: {type: enum, values: [a, b, c]}
---*/
SELECT customer, sum(quantity) AS pieces, 2 AS two, shop
FROM staging.orders
GROUP BY customer, shop
