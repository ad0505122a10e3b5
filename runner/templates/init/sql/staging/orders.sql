/*---
description: One row an order, with its amount.
partition:                            # so the table is written a window at a time
  dt: {type: date, format: yyyy-MM-dd, range: "2024-01-01,NOW+1DAYS"}
tests:
  - unique: [id]
  - not_null: [customer, amount]
---*/
SELECT
    id,
    customer,
    product,
    quantity,
    quantity * price AS amount,
    {{ utc('ordered_at') }} AS ordered_at,
    dt                                -- the partition column comes last
FROM raw.orders
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
