SELECT e.shop,
    id
FROM staging.events AS e
JOIN crm.customers AS c ON c.id = e.id
