/*---
kind: ctas
partition:
  slot: {type: integer, range: "0,23"}
bucket: {columns: [id], count: 5}
---*/
SELECT id, 7 AS slot FROM staging.events
