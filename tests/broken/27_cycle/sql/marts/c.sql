SELECT shop FROM marts.a
