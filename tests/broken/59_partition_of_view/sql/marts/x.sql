/*---
kind: view
partition:
  shop: {type: enum, values: [a]}
---*/
SELECT id, shop FROM staging.events
