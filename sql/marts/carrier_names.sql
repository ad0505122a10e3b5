/*---
description: Carriers and their names without the legal form.
kind: view
---*/
SELECT
    carrier,
    regexp_replace(name, ' (Inc\.|Co\.|Corporation)$', '') AS carrier_name
FROM raw.airlines
