SELECT id
FROM staging.nothing
