/*---
description: What one row of this table is.
partition:                            # written a window at a time; the column comes last in SELECT
  __COLUMN__: __PROJECTION__
# load: {}                            # into the mart too
tests:
  - not_null: [row_count]
---*/
-- It runs as it stands: runner preview __TABLE__ --date <a day>
SELECT
    count(*) AS row_count,            -- your columns instead
    __COLUMN__
FROM __UPSTREAM__
WHERE __COLUMN__ BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY __COLUMN__
