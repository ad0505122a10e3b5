/*---
allow_empty: yes
---*/
SELECT shop FROM staging.events
