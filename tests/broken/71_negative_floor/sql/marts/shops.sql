/*---
load:
  mode: replace
  min_rows: -1
---*/
SELECT DISTINCT shop FROM staging.events
