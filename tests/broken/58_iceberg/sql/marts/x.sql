/*---
format: iceberg
keys: [shop]
---*/
SELECT shop FROM staging.events
