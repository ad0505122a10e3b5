/*---
description: Users of the app, as of the newest export of its database.
kind: ddl
pii: [email, name, born]
---*/
-- The step `users` of workflows/startup.yaml moves it to each new export. RDS writes dates as text.
CREATE EXTERNAL TABLE IF NOT EXISTS app_raw.users (
    id bigint,
    email string,
    name string,
    born string,
    city string,
    plan string,
    campaign string,
    registered_at timestamp
)
STORED AS PARQUET
LOCATION 's3://{{ vars.app_bucket }}/exports/none/'
