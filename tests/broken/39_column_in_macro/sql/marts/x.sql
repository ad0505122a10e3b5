SELECT
    shop,
    {{ euros('price') }} AS price
FROM staging.events
