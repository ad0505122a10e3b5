/*---
kind: ctas
partition:
  shop: {type: enum}
---*/
SELECT id, shop FROM staging.events
