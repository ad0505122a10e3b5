SELECT shop
FROM marts.c
