"""One short function per use case; each returns values and prints nothing.

Everything that the command line does can be called from here:

>>> from runner import app                                              # doctest: +SKIP
>>> app.run(app.open_project("."), "daily", start="2013-01-01", end="2013-01-31")  # doctest: +SKIP
"""
