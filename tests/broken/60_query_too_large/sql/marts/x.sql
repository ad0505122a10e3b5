SELECT shop
FROM staging.events
WHERE id IN ({% for letter in 'abcdefghij' * 4500 %}100000{{ ',' if not loop.last }}{% endfor %})
