/*---
description: What one row of this table is.
# partition:                          # to write it a window at a time
#   dt: {type: date, format: yyyy-MM-dd, range: "2024-01-01,NOW+1DAYS"}
# load: {}                            # into the mart too
tests:
  - unique: [id]
---*/
-- It runs as it stands: runner preview __TABLE__
SELECT id, name
FROM (VALUES (1, 'one'), (2, 'two')) AS examples (id, name)
