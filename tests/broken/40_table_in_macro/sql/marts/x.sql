SELECT shop
FROM {{ input() }}
