/*---
format: iceberg
---*/
SELECT shop FROM staging.events
