SELECT shop FROM marts.b
