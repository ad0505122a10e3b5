/*---
description: Users without what would name them, with the decade of their age.
mask:
  email: domain
  name: drop
  born: age_decade
tests:
  - unique: [user_id]
  - not_null: [user_id, plan]
---*/
SELECT
    id AS user_id,
    email,
    name,
    born,
    city,
    plan,
    campaign,
    registered_at
FROM app_raw.users
