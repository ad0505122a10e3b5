/*---
description: A table written whole in partitions.
kind: ctas
partition:
  shop: {type: enum, values: [a, b, c]}
---*/
SELECT customer, sum(quantity) AS pieces, shop
FROM staging.orders
GROUP BY customer, shop
